"""After the form: keep it for later, come back, follow a report, check a receipt, leave; and the plain pages."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.engines.clock import say_when
from counterfoil.faces.kit import views as kit
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.language import lang
from counterfoil.faces.kit.page import show
from counterfoil.faces.kit.views import neutral
from counterfoil.faces.portal import forms, told
from counterfoil.faces.portal.forms import Mistake
from counterfoil.faces.portal.views import draft_of, go, kind_of, open_new
from counterfoil.reports import actions, queries, rules


def _tidy_code(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum()).translate(
        str.maketrans("OIL", "011")
    )


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Give the code to come back with, shown twice, and check that it was written down right.

    For kinds where somebody near may look, it is shown only after the person says that this is safe.
    """
    draft = draft_of(request)
    kind = kind_of(draft) if draft else None
    if draft is None or kind is None:
        return neutral(request)
    given = request.session.get("code")
    if request.method == "POST":
        if given:
            typed = forms.word(request, "code")
            if _tidy_code(typed) == _tidy_code(given):
                request.session["checked"] = "code"
            else:
                words = _("That is not the same code. Look at it again.")
                forms.remember(request, "code", [Mistake(words, "#code")], typed)
        elif request.POST.get("then") == "show":
            request.session["code"] = actions.give_return_code(draft)
        return go("code")
    missing = rules.unanswered(kind, draft.answers)
    asked = [q.id for q in rules.questions_for(kind, draft.answers)]
    on = (
        reverse("portal:question", kwargs={"n": asked.index(missing[0]) + 1})
        if missing
        else reverse("portal:check")
    )
    if not given:
        if not rules.device_is_safe(kind, draft.answers):
            return show(request, "portal/code_safe.html", {"private": True, "on": on})
        given = request.session["code"] = actions.give_return_code(draft)
    errors, typed = forms.recall(request, "code")
    facts = {
        "private": True,
        "code": given,
        "on": on,
        "errors": errors,
        "typed": typed or "",
        "code_ok": request.session.get("checked") == "code",
    }
    return show(request, "portal/code.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Open a draft again with its code, on any device."""
    if request.method == "POST":
        typed = forms.word(request, "code")
        draft = queries.draft_by_return_code(typed)
        kind = kind_of(draft) if draft else None
        if draft is None or kind is None:
            words = _(
                "No saved report has this code. Check each letter and number. It may also be older than 7 days."
            )
            forms.remember(request, "return", [Mistake(words, "#code")], typed)
            return go("return")
        actions.take_over(draft, open_new(request))
        missing = rules.unanswered(kind, draft.answers)
        if not missing:
            return go("check")
        if "danger" not in draft.answers:
            return go("fit")
        asked = [q.id for q in rules.questions_for(kind, draft.answers)]
        return go("question", n=asked.index(missing[0]) + 1)
    errors, typed = forms.recall(request, "return")
    return show(request, "portal/return.html", {"private": True, "errors": errors, "typed": typed or ""})


@require_http_methods(["GET", "HEAD", "POST"])
def track(request: HttpRequest) -> HttpResponse:
    """Ask for the reference and the four words."""
    if request.method == "POST":
        reference, words = forms.word(request, "reference"), forms.word(request, "words")
        report = queries.report_for_tracking(reference, words)
        if report is None:
            sentence = _("That reference and those words do not belong together. Check both and try again.")
            forms.remember(request, "track", [Mistake(sentence, "#reference")], reference)
            return go("track")
        request.session.cycle_key()
        request.session["track"] = {"report": str(report.id), "reference": report.reference}
        return go("progress")
    errors, typed = forms.recall(request, "track")
    return show(request, "portal/track.html", {"private": True, "errors": errors, "typed": typed or ""})


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """Show what happened to a report, what comes next and by when, and what we missed."""
    kept = request.session.get("track")
    if not isinstance(kept, dict):
        return neutral(request)
    report_id = UUID(str(kept["report"]))
    story = told.story(report_id, lang())
    actions.mark_seen(report_id)
    facts = {
        "private": True,
        "reference": kept["reference"],
        "past": story.past,
        "coming": story.coming,
        "late": story.late,
    }
    return show(request, "portal/progress.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest) -> HttpResponse:
    """Check a receipt, and which of some files it lists. Nothing that is sent here is kept."""
    if request.method == "POST":
        note = forms.text(request, "note")
        for file in forms.files_in(request, "receipt")[:1]:
            note = note or forms.stream_of(file).read(forms.KEPT).decode(errors="replace")
        if not note.strip():
            forms.remember(
                request, "receipt", [Mistake(_("Paste the receipt, or choose its file."), "#note")]
            )
            return go("receipt")
        found = queries.check_receipt(
            note, [(f.name or "", forms.stream_of(f)) for f in forms.files_in(request, "files")]
        )
        request.session["checked_receipt"] = {
            "valid": found.valid,
            "reference": found.reference,
            "received": found.received,
            "listed": list(found.listed),
            "files": [
                {
                    "name": rules.tidy(name)[:200],
                    "sha256": digest,
                    "ok": ok,
                    "number": found.listed.index(digest) + 1 if ok else 0,
                }
                for name, digest, ok in found.files
            ],
        }
        forms.remember(request, "receipt", [], note[:20_000])
        return go("receipt")
    errors, typed = forms.recall(request, "receipt")
    result = request.session.pop("checked_receipt", None)
    if isinstance(result, dict) and result["received"]:
        at = told.moment_of(result["received"])
        result["received"] = say_when(at, lang()) if at else result["received"]
    return show(
        request,
        "portal/receipt.html",
        {"private": True, "errors": errors, "typed": typed or "", "result": result},
    )


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close what is open in this session and say so."""
    actions.leave_draft(request.session.get("k"))
    request.session.flush()
    return go("closed")


@require_safe
def closed(request: HttpRequest) -> HttpResponse:
    """Say that nothing is open."""
    return show(request, "portal/closed.html")


@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """Exit this page: end the session and its key to the draft, and go to a page anybody might read."""
    actions.leave_draft(request.session.get("k"))
    return kit.leave(request)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, who sees it, and the sender's rights."""
    return show(request, "portal/privacy.html")


@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    """The one cookie."""
    return show(request, "portal/cookies.html", {"cookie": settings.SESSION_COOKIE_NAME})


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """What works, what was tested and what was not."""
    return show(request, "portal/accessibility.html")
