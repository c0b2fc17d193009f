"""Actors and the roles granted to them."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from counterfoil.accounts.rules import ROLES


class ActorManager(BaseUserManager["Actor"]):
    """Looks actors up by their user name."""

    def get_by_natural_key(self, username: str | None) -> "Actor":
        """Return the actor with this user name, in any letter case."""
        return self.get(username__iexact=username)


class Actor(AbstractBaseUser):
    """A person with an account. The id is what the ledger names; the name is kept only here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=120)
    initials = models.CharField(max_length=4)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ActorManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.username


class Grant(models.Model):
    """One role of one actor, in one force (code) or, for prosecutors, in none, for a time."""

    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20)
    force = models.CharField(max_length=2, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=list(ROLES)),
                name="grant_role_known",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=models.F("starts_at")),
                name="grant_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["actor", "role", "force"],
                condition=Q(ends_at__isnull=True),
                name="grant_once_while_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.force}"


class Pass(models.Model):
    """What somebody without an account opens one thing with: a link and a code, each kept only as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.CharField(max_length=64, unique=True)
    code_hash = models.CharField(max_length=200)
    tries = models.PositiveSmallIntegerField(default=0)
    uses_left = models.PositiveSmallIntegerField(default=1)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.link[:8]


class SignInFailure(models.Model):
    """One failed sign-in, so that guessing is slowed. Holds a keyed hash, never the name that was typed."""

    key = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key[:8]
