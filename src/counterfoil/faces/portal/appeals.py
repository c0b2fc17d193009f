"""An officer's appeal as the public sees it, and the register of cameras."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from counterfoil.engines.clock import London
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.language import lang, moment
from counterfoil.faces.kit.page import show
from counterfoil.faces.kit.views import neutral
from counterfoil.faces.portal import forms
from counterfoil.faces.portal.forms import Mistake
from counterfoil.faces.portal.views import begin, go
from counterfoil.places import queries as places
from counterfoil.places.actions import withdraw_camera
from counterfoil.reports import queries


@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, code: str) -> HttpResponse:
    """Say what an officer asks for, and start an answer. An appeal that has closed reads as if it had never been."""
    found = queries.open_appeal(code, timezone.now())
    if found is None:
        return neutral(request)
    if request.method == "POST":
        begin(request, "appeal-answer", found)
        return go("question", n=1)
    welsh = lang() == "cy"
    first, last = found.starts_at.astimezone(London), found.ends_at.astimezone(London)
    facts = {
        "appeal": found,
        "force": found.force_name_cy if welsh else found.force_name,
        "wanted": (welsh and found.wanted_cy) or found.wanted,
        "only_english": welsh and not found.wanted_cy,
        "starts": moment(first),
        "ends": moment(last).split(" ")[0] if first.date() == last.date() else moment(last),
        "closes": moment(found.closes_at),
    }
    return show(request, "portal/appeal.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
def cameras(request: HttpRequest) -> HttpResponse:
    """Say what the register of cameras is for, and start the questions."""
    if request.method == "POST":
        begin(request, "camera")
        return go("question", n=1)
    return show(request, "portal/cameras.html", {})


@require_safe
def camera_done(request: HttpRequest) -> HttpResponse:
    """Confirm that a camera is on the register, with the code that takes it off."""
    code = request.session.get("camera")
    if code is None:
        return neutral(request)
    return show(request, "portal/camera_done.html", {"code": code, "private": True})


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take a camera off the register by its code: find it, show it, then withdraw it."""
    if request.method == "POST":
        typed = forms.word(request, "code") or str(request.session.get("withdraw", ""))
        found = places.camera_by_code(typed)
        if found is None:
            request.session.pop("withdraw", None)
            words = _("No camera on the register has this code. Check it and type it again.")
            forms.remember(request, "withdraw", [Mistake(words, "#code")], typed)
        elif request.POST.get("then") == "withdraw":
            withdraw_camera(found.id)
            request.session.pop("camera", None)
            request.session["withdraw"] = ""
        else:
            request.session["withdraw"] = typed
        return go("camera_withdraw")
    errors, typed = forms.recall(request, "withdraw")
    held = None if errors else request.session.pop("withdraw", None)
    if held == "":
        return show(request, "portal/camera_gone.html", {})
    found = places.camera_by_code(held) if held else None
    facts = {"camera": found, "code": held if found else typed or "", "errors": errors}
    return show(request, "portal/camera_withdraw.html", facts)
