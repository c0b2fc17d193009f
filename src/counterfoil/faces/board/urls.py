"""The board's addresses; all of them public."""

from django.urls import path, register_converter

from counterfoil.faces.board import (
    api,
    change,
    compare,
    courts,
    embed,
    integrity,
    meanings,
    over_time,
    proving,
    samples,
    targets,
    views,
)


class Address:
    """The address of a number, like `charged.cleveland.2021-03_2022-02.burglary`."""

    regex = r"[a-zA-Z0-9._-]{1,120}"

    def to_python(self, value: str) -> str:
        """Leave the text as it is; reading it is the business of measures."""
        return value

    def to_url(self, value: object) -> str:
        """Write an address into a link."""
        return str(value)


register_converter(Address, "address")

app_name = "board"
urlpatterns = [
    path("", views.front, name="front"),
    path("about/", meanings.about, name="about"),
    path("measure/<slug:measure>/", meanings.measure, name="measure"),
    path("files/", views.files, name="files"),
    path("files.csv", views.files_csv, name="files_csv"),
    path("file/<str:sha256>/", views.file, name="file"),
    path("compare/", compare.compare, name="compare"),
    path("compare.csv", compare.compare_csv, name="compare_csv"),
    path("compare/<slug:chart>.svg", compare.compare_svg, name="compare_svg"),
    path("over-time/", over_time.everywhere, name="everywhere"),
    path("over-time.csv", over_time.everywhere_csv, name="everywhere_csv"),
    path("series/<slug:measure>/<slug:place>/<slug:kind>/", over_time.series, name="series"),
    path("series/<slug:measure>/<slug:place>/<slug:kind>.csv", over_time.series_csv, name="series_csv"),
    path("series/<slug:measure>/<slug:place>/<slug:kind>.svg", over_time.series_svg, name="series_svg"),
    path("prove-it/", proving.prove_it, name="prove_it"),
    path("prove-it.csv", proving.prove_it_csv, name="prove_it_csv"),
    path("targets/", targets.targets, name="targets"),
    path("targets.csv", targets.targets_csv, name="targets_csv"),
    path("targets/<slug:target>.svg", targets.targets_svg, name="targets_svg"),
    path("courts/", courts.courts, name="courts"),
    path("courts/<slug:table>.csv", courts.courts_csv, name="courts_csv"),
    path("courts/<slug:chart>.svg", courts.courts_svg, name="courts_svg"),
    path("change/", change.changes, name="changes"),
    path("change.csv", change.changes_csv, name="changes_csv"),
    path("change.svg", change.changes_svg, name="changes_svg"),
    path("change/<slug:slug>/", change.change, name="change"),
    path("change/<slug:slug>/<slug:table>.csv", change.change_csv, name="change_csv"),
    path("change/<slug:slug>/<slug:chart>.svg", change.change_svg, name="change_svg"),
    path("samples/", samples.listed, name="samples"),
    path("samples.csv", samples.samples_csv, name="samples_csv"),
    path("samples/<uuid:sample>/", samples.sample, name="sample"),
    path("samples/<uuid:sample>/frame.csv", samples.frame, name="sample_frame"),
    path("samples/<uuid:sample>/statement.txt", samples.statement, name="sample_statement"),
    path("integrity/", integrity.integrity, name="integrity"),
    path("integrity.csv", integrity.integrity_csv, name="integrity_csv"),
    path("integrity.svg", integrity.integrity_svg, name="integrity_svg"),
    path("integrity/<slug:slug>/", integrity.force, name="integrity_force"),
    path("force/<slug:slug>/", views.force, name="force"),
    path("force/<slug:slug>/<slug:table>.csv", views.force_csv, name="force_csv"),
    path("force/<slug:slug>/<slug:chart>.svg", views.force_svg, name="force_svg"),
    path("number/<address:address>/", views.number, name="number"),
    path("number/<address:address>/rows/", views.rows, name="rows"),
    path("number/<address:address>/rows.csv", views.rows_csv, name="rows_csv"),
    path("api/", api.about, name="api"),
    path("api/1/measures.json", api.measures, name="api_measures"),
    path("api/1/number/<address:address>.json", api.number, name="api_number"),
    path("api/1/series/<slug:measure>/<slug:place>/<slug:kind>.json", api.series, name="api_series"),
    path("api/1/compare/<slug:measure>/<str:period>/<slug:kind>.json", api.compare, name="api_compare"),
    path("api/1/targets.json", api.targets_json, name="api_targets"),
    path("api/1/claims.json", api.claims_json, name="api_claims"),
    path("api/1/files.json", api.files, name="api_files"),
    path("embed/number/<address:address>/", embed.number, name="embed"),
]
