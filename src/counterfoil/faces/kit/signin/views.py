"""The pages of staff sign-in: password, code, setting the code up, signing out, and where to go from there."""

import base64
import time
from typing import Any

from django import forms
from django.contrib.auth import authenticate, load_backend, login, logout
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import login as remember_device
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from counterfoil.accounts.actions import note_sign_in, sign_in_blocked
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.page import show
from counterfoil.faces.kit.signin.guard import KEPT, local_path, to_sign_in
from counterfoil.faces.kit.viewer import viewer_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
PENDING = "password_given"
PENDING_LIFE = 600


def places() -> dict[str, tuple[str, str, str]]:
    """Return the face that each role opens: (address, name, what one does there)."""
    desk, bench = _("The desk"), _("The bench")
    return {
        "officer": ("/desk/", desk, _("Your duties, the triage queue and your cases")),
        "inspector": ("/desk/", desk, _("What was missed, and every case of your force")),
        "data-protection": (
            "/desk/erasures",
            _("Erasure"),
            _("What must be forgotten, by a rule and two people"),
        ),
        "prosecutor": ("/bench/", bench, _("Bundles sent to you, and their release to the defence")),
    }


either = require_http_methods(["GET", "HEAD", "POST"])


class PasswordForm(forms.Form):
    """User name and password as typed."""

    username = forms.CharField(max_length=150, required=False)
    password = forms.CharField(max_length=200, required=False, strip=False)


def _source(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _pending(request: HttpRequest) -> tuple[AbstractBaseUser, dict[str, Any]] | None:
    """Return the actor whose password was right less than ten minutes ago in this session."""
    held = request.session.get(PENDING)
    if not isinstance(held, dict) or time.time() - float(held.get("at", 0)) > PENDING_LIFE:
        return None
    user = load_backend(BACKEND).get_user(held.get("actor"))
    return (user, held) if user is not None else None


@sensitive_post_parameters("password")
@either
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for user name and password. The answer and its time are the same for an unknown name and a wrong password."""
    going = local_path(request.POST.get("next") or request.GET.get("next") or "")
    form = PasswordForm(request.POST if request.method == "POST" else None)
    error = ""
    if request.method == "POST":
        name, source = request.POST.get("username", "").strip()[:150], _source(request)
        if not form.is_valid() or not form.cleaned_data["username"] or not form.cleaned_data["password"]:
            error = _("Enter your user name and your password.")
        elif sign_in_blocked(name, source):
            error = _("There were too many tries. Wait ten minutes, then try again.")
        else:
            user = authenticate(request, username=name, password=form.cleaned_data["password"])
            if user is not None:
                kept = request.session.get(KEPT)
                request.session.flush()
                if isinstance(kept, dict) and kept.get("actor") == str(user.pk):
                    request.session[KEPT] = kept
                request.session[PENDING] = {"actor": str(user.pk), "at": time.time(), "next": going}
                return redirect("staff-second-step")
            note_sign_in(name, source, actor_id=None, factor="password")
            error = _("The user name or the password is not right. Check both and try again.")
    errors = [{"text": error, "href": "#username"}] if error else []
    return show(
        request,
        "kit/signin/password.html",
        {
            "errors": errors,
            "error": error,
            "username": request.POST.get("username", "")[:150],
            "next": going,
            "ended": bool(request.GET.get("ended")) and not error,
        },
        status=400 if error else 200,
    )


def _devices(user: AbstractBaseUser) -> Any:
    return TOTPDevice.objects.filter(user=user, confirmed=True)


def _enter(request: HttpRequest, user: Any, device: TOTPDevice, factor: str, going: str) -> HttpResponse:
    """Sign the actor in with both factors proved: a new session key, and an entry."""
    kept = request.session.get(KEPT)
    request.session.flush()
    login(request, user, backend=BACKEND)
    remember_device(request, device)
    now = timezone.now().timestamp()
    request.session["began_at"] = request.session["seen_at"] = now
    if kept:
        request.session[KEPT] = kept
    note_sign_in(user.get_username(), _source(request), actor_id=str(user.pk), factor=factor)
    return redirect(local_path(going) or _landing(request))


def _landing(request: HttpRequest) -> str:
    viewer = viewer_of(request)
    found = {place[0] for role, place in places().items() if viewer.has(role)}
    return found.pop() if len(found) == 1 else "/staff/"


def _code(request: HttpRequest) -> str:
    return "".join(c for c in request.POST.get("code", "")[:40] if c.isdecimal() and c.isascii())


@sensitive_post_parameters("code")
@either
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the second factor; wrong ones are slowed down more and more."""
    found = _pending(request)
    if found is None:
        return redirect("staff-home") if viewer_of(request).second_factor else redirect("staff-sign-in")
    user, held = found
    if not _devices(user).exists():
        return redirect("staff-set-up")
    error = ""
    if request.method == "POST":
        device, error = _verify(request, user)
        if device is not None:
            return _enter(request, user, device, "totp", str(held.get("next", "")))
    errors = [{"text": error, "href": "#code"}] if error else []
    return show(
        request, "kit/signin/code.html", {"errors": errors, "error": error}, status=400 if error else 200
    )


def _verify(request: HttpRequest, user: AbstractBaseUser) -> tuple[TOTPDevice | None, str]:
    """Return the device that accepts the typed code, or the sentence that says why there is none."""
    code, source = _code(request), _source(request)
    if len(code) != 6:
        return None, _("Enter the six digits that your authenticator shows.")
    if sign_in_blocked(user.get_username(), source):
        return None, _("There were too many tries. Wait ten minutes, then try again.")
    with transaction.atomic():
        # Locked, so that two tries at once cannot both slip past the slowing down.
        for device in _devices(user).select_for_update().order_by("pk"):
            allowed, why = device.verify_is_allowed()
            if not allowed:
                until = (why or {}).get("locked_until")
                wait = max(1, int((until - timezone.now()).total_seconds()) + 1) if until else 30
                sentence = _(
                    "That was too soon after a wrong code. Wait %(n)s seconds, then enter the next code."
                )
                return None, sentence % {"n": wait}
            if device.verify_token(code):
                return device, ""
    note_sign_in(user.get_username(), source, actor_id=None, factor="totp")
    return None, _("That code is not right, or it was used already. Wait for the next one and enter it.")


@sensitive_post_parameters("code")
@either
def set_up(request: HttpRequest) -> HttpResponse:
    """Set the second factor up at the first sign-in: show the secret as text, and prove one code."""
    found = _pending(request)
    if found is None:
        return redirect("staff-sign-in")
    user, held = found
    if _devices(user).exists():
        return redirect("staff-second-step")
    if "key" not in held:
        held["key"] = random_hex(20)
        request.session[PENDING] = held
    device = TOTPDevice(user=user, name="Authenticator", key=held["key"], confirmed=True)
    error = ""
    if request.method == "POST":
        code = _code(request)
        maker = TOTP(device.bin_key, device.step, device.t0, device.digits)
        maker.time = time.time()
        if len(code) == 6 and maker.verify(int(code), device.tolerance):
            device.last_t, device.drift = maker.t(), maker.drift
            device.save()
            return _enter(request, user, device, "totp-set-up", str(held.get("next", "")))
        error = _(
            "That code is not right. Check that the key was copied whole, then enter the code it shows now."
        )
    secret = base64.b32encode(device.bin_key).decode()
    return show(
        request,
        "kit/signin/set_up.html",
        {
            "errors": [{"text": error, "href": "#code"}] if error else [],
            "error": error,
            "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
            "link": device.config_url,
        },
        status=400 if error else 200,
    )


@either
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; a link (GET) only asks, so that nobody is signed out by a picture on a page."""
    if request.method != "POST":
        return show(request, "kit/signin/sign_out.html")
    logout(request)
    response = redirect("staff-sign-in")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def home(request: HttpRequest) -> HttpResponse:
    """List what the person who is signed in can open."""
    viewer = viewer_of(request)
    if not viewer.signed_in or not viewer.second_factor:
        return to_sign_in(request)
    shown: dict[str, tuple[str, str, str]] = {}
    for role, place in places().items():
        if viewer.has(role):
            shown.setdefault(place[0], place)
    return show(request, "kit/signin/home.html", {"viewer": viewer, "places": list(shown.values())})
