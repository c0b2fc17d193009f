"""Signing in through the real pages: password, then the code."""

import binascii
import time
from typing import Any

from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests.cast import PASSWORD, Cast


def code(key: str, steps: int = 0) -> str:
    """Return the code an authenticator with this key shows `steps` half minutes from now."""
    maker = TOTP(binascii.unhexlify(key))
    maker.time = time.time() + 30 * steps
    return f"{maker.token():06d}"


def signed_in(cast: Cast, who: str, *, at: str = "") -> Client:
    """Return a browser in which somebody signed in with both factors, setting the second up on the way."""
    client = Client()
    cast.id(who)
    client.get("/staff/sign-in")
    answer = client.post("/staff/sign-in", {"username": who, "password": PASSWORD, "next": at})
    assert answer.status_code == 302, answer.content.decode()
    if TOTPDevice.objects.filter(user_id=cast.id(who)).exists():
        # A code works once, so the next sign-in of a story shows the one after it.
        device: Any = TOTPDevice.objects.get(user_id=cast.id(who))
        TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1)
        answer = client.post("/staff/second-step", {"code": code(device.key)})
    else:
        client.get("/staff/second-step/set-up")
        key = client.session["password_given"]["key"]
        answer = client.post("/staff/second-step/set-up", {"code": code(key)})
    assert answer.status_code == 302, answer.content.decode()
    return client
