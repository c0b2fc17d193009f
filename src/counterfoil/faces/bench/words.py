"""What a verification says, in both languages."""

from counterfoil.courts.queries import BundleCard
from counterfoil.engines.bundle.words import NOT_PROVED, PROVED
from counterfoil.faces.kit.language import gettext as _

# What `courts.actions.release_to_defence` and `end_release` may answer.
REFUSALS = (
    "Give the name of the person the bundle is for.",
    "Give the firm's name in 120 letters or fewer.",
    "Say what it is released for, for example: initial details for the first hearing.",
    "There is no such bundle among those sent to you.",
    "There is no such open release of yours.",
    "The defence's bundle is not made yet. Make it, then release it.",
    "A newer bundle was made for the defence. Release that one.",
    "You marked the schedule after the defence's bundle was made. Make it again first.",
    "Choose one of the marks.",
    "Comment in 400 letters or fewer.",
)


def verdicts() -> dict[str, str]:
    """Return the plain sentence of each verdict, in the language of the request."""
    return {
        "VERIFIED-WITNESSED": _(
            "Unchanged since it was sealed, custody record complete, in a log that independent witnesses saw."
        ),
        "VERIFIED-UNWITNESSED": _(
            "Unchanged since it was sealed, custody record complete, but no independent witness that counts "
            "saw the log."
        ),
        "INTEGRITY-ONLY": _(
            "The files agree with one another, but nothing from outside shows who made them: use the court's policy."
        ),
        "NOT-VERIFIABLE": _(
            "A check could not be run on this machine, so nothing is concluded. This is not a pass."
        ),
        "INVALID": _(
            "Do not rely on this bundle: a check failed. It was changed, is incomplete, or not made as it should be."
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


def marks() -> dict[str, str]:
    """Return what each mark of a prosecutor on a schedule means, in the language of the request."""
    return {
        "D": _("Disclose it"),
        "ND": _("Do not disclose it"),
        "Inspect": _("The defence may inspect it"),
        "Y": _("Agreed: it is sensitive"),
        "N": _("Not agreed: it is not sensitive"),
    }


def refusals() -> dict[str, str]:
    """Return what a release may be refused with, by its English sentence, in the language of the request."""
    spoken = (
        _("Give the name of the person the bundle is for."),
        _("Give the firm's name in 120 letters or fewer."),
        _("Say what it is released for, for example: initial details for the first hearing."),
        _("There is no such bundle among those sent to you."),
        _("There is no such open release of yours."),
        _("The defence's bundle is not made yet. Make it, then release it."),
        _("A newer bundle was made for the defence. Release that one."),
        _("You marked the schedule after the defence's bundle was made. Make it again first."),
        _("Choose one of the marks."),
        _("Comment in 400 letters or fewer."),
    )
    return dict(zip(REFUSALS, spoken, strict=True))


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
