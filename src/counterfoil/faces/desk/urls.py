"""The addresses of the desk, under /desk/."""

from django.urls import path

from counterfoil.faces.desk.views import case, courts, evidence, lists

urlpatterns = [
    path("", lists.home, name="desk-home"),
    path("queue", lists.queue, name="desk-queue"),
    path("cases", lists.cases, name="desk-cases"),
    path("keys", lists.keys, name="desk-keys"),
    path("cases/<uuid:case>", case.page, name="desk-case"),
    path("cases/<uuid:case>/timeline", case.timeline, name="desk-timeline"),
    path("cases/<uuid:case>/why", case.why, name="desk-why"),
    path("cases/<uuid:case>/take", case.take, name="desk-take"),
    path("cases/<uuid:case>/assign", case.assign, name="desk-assign"),
    path("cases/<uuid:case>/triage", case.triage, name="desk-triage"),
    path("cases/<uuid:case>/record", case.record, name="desk-record"),
    path("cases/<uuid:case>/update", case.update, name="desk-update"),
    path("cases/<uuid:case>/reopen", case.reopen, name="desk-reopen"),
    path("cases/<uuid:case>/files/<uuid:upload>/seal", evidence.seal, name="desk-seal"),
    path("cases/<uuid:case>/exhibits/<uuid:exhibit>", evidence.exhibit, name="desk-exhibit"),
    path("cases/<uuid:case>/exhibits/<uuid:exhibit>/file", evidence.file, name="desk-exhibit-file"),
    path("cases/<uuid:case>/exhibits/<uuid:exhibit>/retitle", evidence.retitle, name="desk-retitle"),
    path("cases/<uuid:case>/exhibits/<uuid:exhibit>/hand-over", evidence.hand_over, name="desk-hand-over"),
    path("cases/<uuid:case>/statements/new", evidence.new_statement, name="desk-new-statement"),
    path("cases/<uuid:case>/statements/<uuid:statement>", evidence.statement, name="desk-statement"),
    path("cases/<uuid:case>/statements/<uuid:statement>/back", evidence.back_page, name="desk-back-page"),
    path("cases/<uuid:case>/suspects/new", courts.new_suspect, name="desk-new-suspect"),
    path("cases/<uuid:case>/charges/new", courts.new_charge, name="desk-new-charge"),
    path("cases/<uuid:case>/outcome", courts.outcome, name="desk-outcome"),
    path("cases/<uuid:case>/bundles/new", courts.new_bundle, name="desk-new-bundle"),
    path("cases/<uuid:case>/bundles/<uuid:bundle>", courts.bundle, name="desk-bundle"),
    path("cases/<uuid:case>/bundles/<uuid:bundle>/file", courts.bundle_file, name="desk-bundle-file"),
]
