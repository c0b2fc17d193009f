"""The addresses of the bench, under /bench/."""

from django.urls import path

from counterfoil.faces.bench import check, defence, prosecutor, schedules

urlpatterns = [
    path("", prosecutor.received, name="bench-home"),
    path("bundles/<uuid:bundle>", prosecutor.bundle, name="bench-bundle"),
    path("bundles/<uuid:bundle>/file", prosecutor.file, name="bench-file"),
    path("bundles/<uuid:bundle>/schedules", schedules.page, name="bench-schedules"),
    path("bundles/<uuid:bundle>/schedules/<slug:form>/<int:number>", schedules.mark, name="bench-mark"),
    path("bundles/<uuid:bundle>/defence", schedules.defence, name="bench-defence"),
    path("bundles/<uuid:bundle>/release", prosecutor.release, name="bench-release"),
    path("bundles/<uuid:bundle>/releases/<uuid:release>/end", prosecutor.end, name="bench-end"),
    path("verify", check.check, name="bench-check"),
    path("verify/<str:name>", check.check_file, name="bench-check-file"),
    path("open/<str:link>", defence.ask, name="bench-open"),
    path("opened", defence.opened, name="bench-opened"),
    path("opened/file", defence.file, name="bench-opened-file"),
]
