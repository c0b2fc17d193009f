"""What a verification says, in both languages, and bytes handed out as a download."""

from typing import BinaryIO
from urllib.parse import quote

from django.http import FileResponse

from counterfoil.courts.queries import BundleCard
from counterfoil.engines.bundle.words import NOT_PROVED, PROVED
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.page import NO_STORE


def verdicts() -> dict[str, str]:
    """Return the plain sentence of each verdict, in the language of the request."""
    return {
        "VERIFIED-WITNESSED": _(
            "Nothing in this bundle has changed since it was sealed, its custody record is complete, and independent "
            "witnesses saw the log that holds it."
        ),
        "VERIFIED-UNWITNESSED": _(
            "Nothing in this bundle has changed since it was sealed and its custody record is complete, but no "
            "independent witness that counts vouches for the log: the force itself could still have kept two logs."
        ),
        "INTEGRITY-ONLY": _(
            "The files agree with one another, but no keys from outside the bundle were given, so this does not show "
            "who made it or that it was not replaced as a whole. Ask for the court's policy file and check again."
        ),
        "NOT-VERIFIABLE": _(
            "A check could not be run on this machine, so nothing is concluded. This is not a pass."
        ),
        "INVALID": _(
            "Do not rely on this bundle: a check failed. It was changed, is incomplete, or was not made as it claims."
        ),
    }


def sentences() -> dict[str, str]:
    """Return what the verifier may say is proved or not, by its English sentence, in the language of the request."""
    # In the order of the engine's own list; a test holds the English of both together.
    spoken = (
        _("No byte of any file in this bundle has changed since it was sealed."),
        _(
            "Each exhibit is, byte for byte, the file that was received and sealed; its digest stands in the "
            "force's log."
        ),
        _(
            "Every custody event listed for an exhibit is in the log, unaltered, none left out of the list that "
            "was sealed."
        ),
        _("The log as it stood existed no later than the time in the timestamp."),
        _("The report was not altered after it was sealed."),
        _("That what an exhibit shows is true, or that it was not altered before it was received."),
        _("Who stood behind an account when an act was recorded: the log proves the account, not the hand."),
        _("That the force holds no other material: unused material is not in this bundle."),
        _("That a camera's or a phone's own clock was right."),
        _("PDF/A and PDF/UA conformance as made by typst, not independently checked after sealing."),
    )
    return dict(zip((*PROVED, *NOT_PROVED), spoken, strict=True))


def said(card: BundleCard) -> dict[str, object]:
    """Return a bundle's verdict and claims as a page shows them; a sentence without Welsh is marked as English."""
    known = sentences()

    def lines(given: tuple[str, ...]) -> list[tuple[str, bool]]:
        return [(known.get(s, s), s in known and known[s] != s) for s in given]

    return {
        "sentence": verdicts().get(card.verdict, ""),
        "proved": lines(card.proved),
        "not_proved": lines(card.not_proved),
        "demonstration": card.name.startswith("DEMONSTRATION-"),
    }


def as_download(stream: BinaryIO, card: BundleCard) -> FileResponse:
    """Return a bundle's bytes as a download that a browser will neither show, run nor keep."""
    response = FileResponse(stream, content_type="application/zip")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(card.name, safe='')}.zip"
    if card.size is not None:
        response.headers["Content-Length"] = str(card.size)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = NO_STORE
    return response
