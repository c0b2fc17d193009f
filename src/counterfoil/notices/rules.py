"""Pure rules of notices: which channel is safe, and neutral words that never say what the report is about."""

from collections.abc import Mapping
from typing import Any

MOST_ATTEMPTS = 5

# Neutral on purpose: whoever else reads the phone or the mailbox learns nothing. Draft Welsh.
SUBJECT = {"en": "An update is ready", "cy": "Mae diweddariad yn barod"}
TEXT = {
    "en": (
        "You asked us to let you know when there is an update.\n\n"
        "Use your reference and your four words to read it:\n{link}\n\n"
        "We never ask for your four words by e-mail or phone."
    ),
    "cy": (
        "Gofynnoch i ni roi gwybod i chi pan fydd diweddariad.\n\n"
        "Defnyddiwch eich cyfeirnod a'ch pedwar gair i'w ddarllen:\n{link}\n\n"
        "Ni fyddwn byth yn gofyn am eich pedwar gair drwy e-bost na ffôn."
    ),
}


def channel_for(contact: Mapping[str, Any], *, device_safe: bool) -> tuple[str, str, str]:
    """Return (channel, address, reason held) for a sender's contact choices.

    E-mail is used only when the sender said that it is safe; otherwise the notice is held and a person decides.
    """
    email = contact.get("email") or {}
    address = str(email.get("address") or "")
    if not address:
        return "none", "", "no_email"
    if not email.get("safe") or not device_safe:
        return "email", "", "unsafe"
    if any(c in address for c in "\r\n\x00") or address.count("@") != 1:
        return "email", "", "bad_address"
    return "email", address, ""
