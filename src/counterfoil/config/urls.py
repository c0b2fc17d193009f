"""Every address of the house, one line a face."""

from django.urls import include, path

urlpatterns = [
    path("", include("counterfoil.faces.portal.urls")),
    path("staff/", include("counterfoil.faces.kit.signin.urls")),
    path("desk/", include("counterfoil.faces.desk.urls")),
    path("bench/", include("counterfoil.faces.bench.urls")),
    path("board/", include("counterfoil.faces.board.urls")),
]

handler400 = "counterfoil.faces.kit.views.bad_request"
handler403 = "counterfoil.faces.kit.views.forbidden"
handler404 = "counterfoil.faces.kit.views.not_found"
handler500 = "counterfoil.faces.kit.views.server_error"
