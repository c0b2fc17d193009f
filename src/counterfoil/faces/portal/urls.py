"""The public's addresses. They say nothing about what is reported; `/cy/…` is the same in Welsh."""

from django.urls import path

from counterfoil.faces.portal import appeals, later, views

app_name = "portal"
urlpatterns = [
    path("", views.start, name="start"),
    path("before", views.before, name="before"),
    path("safe", views.safe, name="safe"),
    path("fit", views.fit, name="fit"),
    path("now", views.now, name="now"),
    path("here", views.here, name="here"),
    path("q/files/", views.files, name="files"),
    path("q/files/<uuid:upload>", views.files, name="file"),
    path("q/<int:n>", views.question, name="question"),
    path("q/<int:n>/change", views.question, {"change": True}, name="change"),
    path("check", views.check, name="check"),
    path("sent", views.sent, name="sent"),
    path("sent/receipt", views.receipt_file, name="receipt_file"),
    path("a/<slug:code>", appeals.appeal, name="appeal"),
    path("cameras", appeals.cameras, name="cameras"),
    path("cameras/done", appeals.camera_done, name="camera_done"),
    path("cameras/withdraw", appeals.withdraw, name="camera_withdraw"),
    path("code", later.code, name="code"),
    path("return", later.come_back, name="return"),
    path("track", later.track, name="track"),
    path("progress", later.progress, name="progress"),
    path("receipt", later.receipt, name="receipt"),
    path("close", later.close, name="close"),
    path("closed", later.closed, name="closed"),
    path("leave", later.leave, name="leave"),
    path("privacy", later.privacy, name="privacy"),
    path("cookies", later.cookies, name="cookies"),
    path("accessibility", later.accessibility, name="accessibility"),
]
