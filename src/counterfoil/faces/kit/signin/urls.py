"""The addresses of staff sign-in, under /staff/."""

from django.urls import path

from counterfoil.faces.kit.signin import views

urlpatterns = [
    path("", views.home, name="staff-home"),
    path("sign-in", views.sign_in, name="staff-sign-in"),
    path("second-step", views.second_step, name="staff-second-step"),
    path("second-step/set-up", views.set_up, name="staff-set-up"),
    path("sign-out", views.sign_out, name="staff-sign-out"),
]
