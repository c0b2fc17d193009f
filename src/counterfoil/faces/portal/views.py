"""From the first page to the confirmation. Find, act, show: every POST ends in a 303, every page is never stored."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.clock import London
from counterfoil.engines.errors import BadInput, Refusal
from counterfoil.engines.tus import Stop
from counterfoil.faces.kit import tus
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.language import lang, moment
from counterfoil.faces.kit.page import show
from counterfoil.faces.kit.views import neutral
from counterfoil.faces.portal import forms, told
from counterfoil.faces.portal.forms import Mistake
from counterfoil.places import queries as places
from counterfoil.places.actions import register_camera
from counterfoil.reference.kinds import Kind, Question, kind_on, offered
from counterfoil.reference.wording import say
from counterfoil.reports import actions, queries, receiving, rules, screening
from counterfoil.reports.queries import Draft  # type: ignore[attr-defined]

KEEP = 600.0
"""After so many seconds an upload at work renews its session."""
P = ParamSpec("P")
WithDraft = Callable[Concatenate[HttpRequest, Draft, P], HttpResponse]


def go(name: str, **kwargs: object) -> HttpResponse:
    """Answer with 303 to a page of the portal, in the same language."""
    response = HttpResponse(status=303)
    response.headers["Location"] = reverse(f"portal:{name}", kwargs=kwargs or None)
    response.headers["Cache-Control"] = "no-store"
    return response


def draft_of(request: HttpRequest) -> Draft | None:
    """Return the draft that is open in this session, or None."""
    key = request.session.get("k")
    return queries.draft_for_session(key) if isinstance(key, str) else None


def with_draft(view: WithDraft[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the open draft; without one show the neutral page, whoever asks and whatever for."""

    @wraps(view)
    def found(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        draft = draft_of(request)
        if draft is None or kind_of(draft) is None:
            return neutral(request)
        return view(request, draft, *args, **kwargs)

    return found


def kind_of(draft: Draft) -> Kind | None:
    """Return the draft's kind as it is asked here: without the question about the force where that is known."""
    kind = kind_on(draft.kind, timezone.now().astimezone(London).date())
    if kind is not None and (draft.appeal_id or len(places.forces()) == 1):
        return replace(kind, questions=tuple(q for q in kind.questions if q.type != "force"))
    return kind


def _kind(draft: Draft) -> Kind:
    kind = kind_of(draft)
    if kind is None:
        raise BadInput("kind", _("This kind of report is no longer taken here."))
    return kind


def force_names() -> dict[str, str]:
    """Return the name of each force, by its code, in the language of the page."""
    return {f.code: f.name_cy if lang() == "cy" else f.name for f in places.forces()}


def open_new(request: HttpRequest) -> str:
    """Give this session a fresh random key to a draft, forgetting whatever was open in it before."""
    actions.leave_draft(request.session.get("k"))
    for name in ("again", "sent", "code", "track", "checked", "camera"):
        request.session.pop(name, None)
    # A cookie that somebody copied before now opens nothing that is told from here on.
    request.session.cycle_key()
    request.session["k"] = secrets.token_urlsafe(24)
    return str(request.session["k"])


def begin(request: HttpRequest, kind: str, appeal: queries.AppealCard | None = None) -> Draft:
    """Start a draft in this session, with the force answered where there is only one, and return it."""
    draft = actions.start_draft(kind, lang(), open_new(request), appeal=appeal)
    codes = list(force_names())
    if appeal is None and len(codes) == 1:
        actions.save_answer(draft, "force", codes[0])
    return draft


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The first page: 999 first, then what it is about."""
    if request.method == "POST":
        chosen = forms.word(request, "kind")
        if chosen not in {k.id for k in offered(timezone.localdate())}:
            forms.remember(request, "start", [Mistake(_("Choose what you want to tell us about."))])
            return go("start")
        begin(request, chosen)
        return go("before")
    errors, _typed = forms.recall(request, "start")
    names = list(force_names().values())
    facts = {
        "kinds": offered(timezone.localdate()),
        "errors": errors,
        "force": names[0] if len(names) == 1 else "",
    }
    return show(request, "portal/start.html", facts)


@require_safe
@with_draft
def before(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Explain "Exit this page" before its first use."""
    return show(request, "portal/before.html", {"private": True})


@require_safe
@with_draft
def safe(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Help to stay safe on this device."""
    return show(request, "portal/safe.html", {"private": True})


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def fit(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Ask whether anyone is in danger now."""
    kind = _kind(draft)
    if request.method == "POST":
        answer = forms.word(request, "answer")
        if answer not in ("yes", "no"):
            forms.remember(request, "fit", [Mistake(say("error.choose", lang()), "#answer")])
            return go("fit")
        actions.save_answer(draft, "danger", answer)
        if answer == "yes":
            return go("now")
        return go("here") if kind.handover else go("question", n=1)
    errors, _typed = forms.recall(request, "fit")
    typed = draft.answers.get("danger", "")
    return show(request, "portal/fit.html", {"private": True, "kind": kind, "errors": errors, "typed": typed})


@require_safe
@with_draft
def now(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Say to call 999, and let the person carry on."""
    following = (
        reverse("portal:here") if _kind(draft).handover else reverse("portal:question", kwargs={"n": 1})
    )
    return show(request, "portal/now.html", {"private": True, "next": following})


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def here(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Hand over to another service, or carry on here for one of the reasons."""
    kind = _kind(draft)
    if kind.handover is None:
        return go("question", n=1)
    if request.method == "POST":
        chosen = set(request.POST.getlist("answer"))
        reasons = [r.value for r in kind.handover.reasons if r.value in chosen]
        if not reasons:
            words = _("If none of these is true, go to Report Fraud. If one is, tick it.")
            forms.remember(request, "here", [Mistake(words, "#answer")])
            return go("here")
        actions.save_answer(draft, "handover", reasons)
        return go("question", n=1)
    errors, _typed = forms.recall(request, "here")
    typed = draft.answers.get("handover", [])
    return show(
        request, "portal/here.html", {"private": True, "kind": kind, "errors": errors, "typed": typed}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def question(request: HttpRequest, draft: Draft, n: int, change: bool = False) -> HttpResponse:
    """Ask one question, keep its answer, and go on."""
    kind = _kind(draft)
    if kind.handover and not draft.answers.get("handover"):
        return go("here")
    asked = rules.questions_for(kind, draft.answers)
    if not 1 <= n <= len(asked):
        return go("check") if n else go("question", n=1)
    one = asked[n - 1]
    if request.method == "POST":
        if draft.lang != lang():
            actions.set_language(draft, lang())
        if one.type == "files":
            return _take_files(request, draft, kind, one, n, change)
        return _take_answer(request, draft, kind, one, n, change)
    page = f"q/{one.id}"
    errors, typed = forms.recall(request, page)
    if typed is None:
        typed = _as_typed(one, draft.answers.get(one.id))
    back = go_back(draft, kind, n, change)
    common = {
        "private": True, "errors": errors, "n": n, "total": len(asked), "question": one, "back": back, "change": change,
    }  # fmt: skip
    if one.type == "files":
        facts = {
            **common,
            "files": queries.files_of_draft(draft),
            "waiting": receiving.unfinished(f"draft:{draft.pk}"),
            "resume": tus.resumable(receiving.unfinished(f"draft:{draft.pk}")),
            "limit": forms.biggest(),
            "most": settings.FILE_LIMIT,
            "count": actions.FILES_LIMIT,
        }
        return show(request, "portal/files.html", facts)
    return show(
        request, "portal/question.html", {**common, "typed": typed, "forces": list(force_names().items())}
    )


def go_back(draft: Draft, kind: Kind, n: int, change: bool) -> str:
    """Return the address that "Back" on question `n` leads to."""
    if change:
        return reverse("portal:check")
    if n > 1:
        return reverse("portal:question", kwargs={"n": n - 1})
    if kind.begins == "camera":
        return reverse("portal:cameras")
    if draft.appeal is not None:
        return reverse("portal:appeal", kwargs={"code": draft.appeal.code})
    return reverse("portal:here") if kind.handover else reverse("portal:fit")


def _as_typed(one: Question, answer: object) -> forms.Typed:
    if one.type == "date" and isinstance(answer, str) and answer not in ("", "unknown"):
        year, month, day = answer.split("-")
        return {"day": [str(int(day))], "month": [str(int(month))], "year": [year]}
    if one.type == "date" and answer == "unknown":
        return {"unknown": ["1"]}
    if isinstance(answer, list):
        return {"answer": [str(a) for a in answer]}
    return {"answer": [str(answer)]} if answer else {}


def _on(draft: Draft, kind: Kind, one: Question, change: bool) -> HttpResponse:
    """Go to what follows a question: the next one, or back to the page that checks when something was changed."""
    asked = [q.id for q in rules.questions_for(kind, draft.answers)]
    if change:
        missing = rules.unanswered(kind, draft.answers)
        return go("change", n=asked.index(missing[0]) + 1) if missing else go("check")
    following = rules.next_question(kind, draft.answers, one.id)
    return go("question", n=asked.index(following.id) + 1) if following else go("check")


def _take_answer(
    request: HttpRequest, draft: Draft, kind: Kind, one: Question, n: int, change: bool
) -> HttpResponse:
    typed = forms.sent(request, "answer", "day", "month", "year", "unknown")
    saving = request.POST.get("then") == "save"
    if saving and not any(value.strip() for values in typed.values() for value in values):
        return go("code")
    today = timezone.now().astimezone(London).date()
    try:
        answer = rules.clean_answer(one, typed, lang=lang(), today=today, forces=force_names())
    except BadInput as wrong:
        field = "#answer-day" if one.type == "date" else "#answer"
        forms.remember(request, f"q/{one.id}", [Mistake(str(wrong), field)], typed)
        return go("change" if change else "question", n=n)
    actions.save_answer(draft, one.id, answer)
    return go("code") if saving else _on(draft, kind, one, change)


def _take_files(
    request: HttpRequest, draft: Draft, kind: Kind, one: Question, n: int, change: bool
) -> HttpResponse:
    """Keep every good file; a bad one fails alone, with its reason."""
    then, here_again = request.POST.get("then"), ("change" if change else "question")
    if then == "remove":
        chosen = forms.word(request, "file")
        for file in queries.files_of_draft(draft):
            if str(file.id) == chosen:
                actions.remove_upload(draft, file.id)
        return go(here_again, n=n)
    if then == "restrict":
        chosen = forms.word(request, "file")
        for file in queries.files_of_draft(draft):
            if str(file.id) == chosen:
                screening.say_restricted(draft.pk, file.id)
        return go(here_again, n=n)
    if then == "forget":
        for waiting in receiving.unfinished(f"draft:{draft.pk}"):
            if str(waiting.id) == forms.word(request, "file"):
                receiving.discard(waiting.id)
        return go(here_again, n=n)
    mistakes: list[Mistake] = []
    sent = forms.files_in(request, "files")
    for one_file in sent:
        problem = forms.file_problem(one_file)
        if not problem:
            try:
                actions.add_upload(draft, one_file.name or "", forms.stream_of(one_file), one_file.size)
            except Stop as wrong:
                problem = f"{one_file.name}: {tus.sentence(wrong)}"
            except Refusal as wrong:
                problem = str(wrong)
        if problem:
            mistakes.append(Mistake(problem, "#files"))
    if mistakes:
        forms.remember(request, f"q/{one.id}", mistakes)
        return go(here_again, n=n)
    if then == "save":
        return go("code")
    if then == "add":
        if not sent:
            forms.remember(
                request, f"q/{one.id}", [Mistake(_("Choose a file first, or choose Continue."), "#files")]
            )
        return go(here_again, n=n)
    return _on(draft, kind, one, change)


def files(request: HttpRequest, upload: UUID | None = None) -> HttpResponse:
    """Take the files of this session's draft in pieces (tus): the page's script, and any other client, send here."""
    draft = draft_of(request)
    receives = receiving.Receiving(f"draft:{draft.pk}", by=Viewer.public()) if draft else None
    # A big file over a bad line takes longer than a session lives: the pieces keep the session.
    now = timezone.now().timestamp()
    if draft is not None and now - request.session.get("kept", 0) > KEEP:
        request.session["kept"] = now
    return tus.answer(request, upload, receives, lambda made: reverse("portal:file", kwargs={"upload": made}))


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show every answer with a way to change it, and send the report."""
    draft = draft_of(request)
    kind = kind_of(draft) if draft else None
    if draft is None or kind is None:
        # The second press of the button, or Back after sending, finds what the first one made.
        return go("sent") if request.method == "POST" and request.session.get("sent") else neutral(request)
    asked = [q.id for q in rules.questions_for(kind, draft.answers)]
    missing = rules.unanswered(kind, draft.answers)
    if missing:
        return go("change", n=asked.index(missing[0]) + 1)
    if request.method == "POST":
        if request.POST.get("then") == "save":
            return go("code")
        return _register(request, draft, kind) if kind.begins == "camera" else _send(request, draft, kind)
    names = force_names()
    lines = rules.summary(kind, draft.answers, lang(), names)
    sections = []
    for section in ("what", "you"):
        rows = [
            {
                "title": line.title,
                "answer": line.answer,
                "href": reverse("portal:change", kwargs={"n": asked.index(line.id) + 1})
                if line.id in asked
                else reverse("portal:fit" if line.id == "danger" else "portal:here"),
            }
            for line in lines
            if line.section == section
        ]
        title = say(f"label.section-{section}", lang())
        if kind.begins == "camera" and section == "what":
            title = _("The camera")
        sections.append({"title": title, "lines": rows})
    errors, _typed = forms.recall(request, "check")
    facts = {
        "private": True,
        "errors": errors,
        "sections": sections,
        "camera": kind.begins == "camera",
        "files": queries.files_of_draft(draft),
        "files_href": reverse("portal:change", kwargs={"n": asked.index("files") + 1})
        if "files" in asked
        else "",
        "force": names.get(str(draft.answers.get("force", "")), ""),
        "back": reverse("portal:question", kwargs={"n": len(asked)}),
    }
    return show(request, "portal/check.html", facts)


def _send(request: HttpRequest, draft: Draft, kind: Kind) -> HttpResponse:
    safe_here = rules.device_is_safe(kind, draft.answers)
    if draft.lang != lang():
        actions.set_language(draft, lang())
    try:
        accepted = actions.submit(draft, device_safe=safe_here)
    except BadInput as wrong:
        forms.remember(request, "check", [Mistake(str(wrong))])
        return go("check")
    # The four words are forgotten after an hour; a report sent again later shows neither them nor an empty place.
    safe_here = safe_here and bool(accepted.passphrase)
    request.session.cycle_key()
    kept: dict[str, object] = {"report": str(accepted.report_id), "quiet": not safe_here}
    if safe_here:
        kept |= {
            "reference": accepted.reference,
            "passphrase": accepted.passphrase,
            "receipt": accepted.receipt,
        }
    request.session["sent"] = kept
    actions.leave_draft(request.session.pop("k", None))
    return go("sent")


def _register(request: HttpRequest, draft: Draft, kind: Kind) -> HttpResponse:
    """Put the camera on the register; its answers are no report, so the draft is thrown away."""
    try:
        said = {**rules.kept(kind, draft.answers), "force": draft.answers.get("force", "")}
        code = register_camera(said, key=str(draft.pk))
    except BadInput as wrong:
        forms.remember(request, "check", [Mistake(str(wrong))])
        return go("check")
    actions.leave_draft(request.session.pop("k", None))
    actions.discard_draft(draft, untouched_since=timezone.now())
    request.session["camera"] = code
    return go("camera_done")


@require_http_methods(["GET", "HEAD", "POST"])
def sent(request: HttpRequest) -> HttpResponse:
    """Confirm: reference, four words, what happens next and by when, and the receipt."""
    kept = request.session.get("sent")
    if not isinstance(kept, dict):
        return neutral(request)
    if request.method == "POST":
        typed = forms.word(request, "words")
        if not kept["quiet"] and " ".join(typed.replace("-", " ").casefold().split()) == kept["passphrase"]:
            request.session["checked"] = "words"
        else:
            words = _("Those are not the four words. Look at them again.")
            forms.remember(request, "sent", [Mistake(words, "#words")], typed)
        return go("sent")
    report = queries.report_card(str(kept["report"]))
    errors, typed = forms.recall(request, "sent")
    staffed = queries.queue_is_staffed(report.force, report.kind)
    facts = {
        "private": True,
        "errors": errors,
        "typed": typed or "",
        "words_ok": request.session.get("checked") == "words",
        "staffed": staffed,
        "steps": told.story(report.id, lang()).coming if staffed else [],
        "sent": {
            **kept,
            "received": moment(report.received_at),
            "files": [] if kept["quiet"] else report.files,
        },
    }
    return show(request, "portal/sent.html", facts)


@require_safe
def receipt_file(request: HttpRequest) -> HttpResponse:
    """Give the signed receipt as a text file."""
    kept = request.session.get("sent")
    if not isinstance(kept, dict) or not kept.get("receipt"):
        return neutral(request)
    response = HttpResponse(str(kept["receipt"]), content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="receipt.txt"'
    response.headers["Cache-Control"] = "no-store"
    return response
