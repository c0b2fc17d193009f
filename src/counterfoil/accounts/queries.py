"""Every way to read accounts."""

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from counterfoil.accounts.models import Actor, Grant
from counterfoil.accounts.rules import Viewer


def viewer_for(actor_id: str, *, second_factor: bool = False) -> Viewer:
    """Return the viewer for an active actor with the roles that hold now; the public when there is none."""
    actor = Actor.objects.filter(pk=Viewer(id=actor_id).uuid or UUID(int=0), is_active=True).first()
    if actor is None:
        return Viewer.public()
    now = timezone.now()
    grants = Grant.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), actor_id=actor.pk, starts_at__lte=now
    ).values_list("role", "force")
    return Viewer(id=str(actor.pk), name=actor.name, roles=frozenset(grants), second_factor=second_factor)


def viewer_named(username: str) -> Viewer:
    """Return the viewer for an active actor by user name, for the command line; the public when there is none."""
    actor = Actor.objects.filter(username__iexact=username, is_active=True).first()
    return viewer_for(str(actor.pk)) if actor is not None else Viewer.public()


def names_of(ids: set[str]) -> dict[str, str]:
    """Return the shown name of each actor id; those that stand for nobody in particular are included."""
    shown = {
        "public": "A member of the public",
        "clock": "The clock",
        "defence": "The defence",
        "recipient": "A named recipient",
    }
    real = [i for i in ids if Viewer(id=i).signed_in]
    shown.update({str(pk): name for pk, name in Actor.objects.filter(pk__in=real).values_list("pk", "name")})
    return shown


def actor_card(viewer: Viewer, actor_id: str) -> dict[str, str] | None:
    """Return name, user name and initials of an actor for signed-in staff; None for anyone else."""
    if not viewer.signed_in:
        return None
    actor = Actor.objects.filter(pk=Viewer(id=actor_id).uuid or UUID(int=0)).first()
    if actor is None:
        return None
    return {"id": str(actor.pk), "name": actor.name, "username": actor.username, "initials": actor.initials}


def colleagues(viewer: Viewer, role: str, force: str = "") -> list[dict[str, str]]:
    """Return the active actors holding `role` (in `force`), for choosing one; empty for the public."""
    if not viewer.signed_in:
        return []
    now = timezone.now()
    grants = Grant.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), role=role, starts_at__lte=now, actor__is_active=True
    ).select_related("actor")
    if force:
        grants = grants.filter(force=force)
    seen = {str(g.actor.pk): g.actor.name for g in grants}
    return [{"id": k, "name": n} for k, n in sorted(seen.items(), key=lambda kv: kv[1])]


def anybody() -> bool:
    """Say whether there is any account yet."""
    return Actor.objects.exists()
