"""Every way to change accounts: open one, grant a role, end it, slow down guessing."""

import hashlib
import hmac
import re
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.models import Actor, Grant, SignInFailure
from counterfoil.accounts.rules import ROLES, Viewer, initials, needs
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.actions import record

FAILURES_ALLOWED = 8
OF_A_FORCE = ("officer", "inspector", "examiner", "analyst", "data-protection")
FAILURES_WITHIN = timedelta(minutes=10)


@transaction.atomic
def open_account(username: str, name: str, password: str, *, by: Viewer, email: str = "") -> str:
    """Open an account and return the new actor's id. Only an administrator (or the installer, `clock`) may."""
    if by.id != "clock":
        needs(by, "administrator", "open an account", second_factor=True)
    if not username.strip() or not name.strip():
        raise BadInput("username", "Give a user name and the person's name.")
    if len(username) > 150 or len(name) > 120:
        raise BadInput("username", "A user name has 150 letters or fewer, and a person's name 120.")
    if Actor.objects.filter(username__iexact=username).exists():
        raise BadInput("username", "That user name is taken. Choose another.")
    try:
        password_validation.validate_password(password)
    except ValidationError as e:
        raise BadInput("password", " ".join(e.messages)) from e
    actor = Actor(username=username, name=name, initials=initials(name), email=email)
    actor.set_password(password)
    actor.save()
    record("account.opened", by=by, on=("actor", actor.pk))
    return str(actor.pk)


@transaction.atomic
def grant(actor_id: str, role: str, *, force: str = "", by: Viewer) -> None:
    """Give an actor a role (in a force) from now on; giving it twice changes nothing."""
    if by.id != "clock":
        needs(by, "administrator", "grant a role", second_factor=True)
    if role not in ROLES:
        raise BadInput("role", f"There is no role {role!r}. Choose one of: {', '.join(sorted(ROLES))}.")
    if by.uuid is not None and by.uuid == Viewer(id=actor_id).uuid:
        raise NotAllowed("Nobody can grant a role to themselves.")
    if not re.fullmatch("[0-9A-Z]{2}" if role in OF_A_FORCE else "", force):
        raise BadInput(
            "force", f"Give the two-character code of the force to: {', '.join(OF_A_FORCE)}; to nobody else."
        )
    now = timezone.now()
    _, made = Grant.objects.get_or_create(
        actor_id=actor_id, role=role, force=force, ends_at=None, defaults={"starts_at": now}
    )
    if made:
        record("role.granted", by=by, on=("actor", actor_id), role=role, force=force)


@transaction.atomic
def suspend(actor_id: str, *, reason_digest: str, by: Viewer) -> None:
    """Close an account at once: roles end, sign-in stops, and the next request of an open session is refused."""
    needs(by, "administrator", "suspend an account", second_factor=True)
    now = timezone.now()
    Actor.objects.filter(pk=actor_id).update(is_active=False)
    Grant.objects.filter(actor_id=actor_id, ends_at__isnull=True).update(ends_at=now)
    record("account.suspended", by=by, on=("actor", actor_id), reason_sha256=reason_digest)


def _failure_key(username: str, source: str) -> str:
    text = f"{username.strip().casefold()}\x00{source}".encode(errors="replace")
    return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()


def sign_in_blocked(username: str, source: str) -> bool:
    """Say whether this name from this network address has failed too often in the last ten minutes."""
    since = timezone.now() - FAILURES_WITHIN
    key = _failure_key(username, source)
    return SignInFailure.objects.filter(key=key, at__gte=since).count() >= FAILURES_ALLOWED


@transaction.atomic
def note_sign_in(username: str, source: str, *, actor_id: str | None, factor: str) -> None:
    """Record a sign-in (an entry) or a failure (a hash that slows guessing); old failures are dropped."""
    now = timezone.now()
    SignInFailure.objects.filter(at__lt=now - FAILURES_WITHIN).delete()
    if actor_id is None:
        SignInFailure.objects.create(key=_failure_key(username, source), at=now)
        return
    record("actor.signed_in", by=Viewer(id=actor_id), on=("actor", actor_id), factor=factor)
