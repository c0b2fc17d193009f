"""The words of a bundle: what each check says, what each verdict means, what is proved and what is not.

`standalone/verify.py` says the same words; a test compares them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

WITNESSED, UNWITNESSED, INTEGRITY, CANNOT, INVALID = (
    "VERIFIED-WITNESSED",
    "VERIFIED-UNWITNESSED",
    "INTEGRITY-ONLY",
    "NOT-VERIFIABLE",
    "INVALID",
)
EXIT = {WITNESSED: 0, UNWITNESSED: 3, INTEGRITY: 4, CANNOT: 5, INVALID: 6}

SENTENCES = {
    WITNESSED: "Unchanged since it was sealed, custody record complete, in a log that independent witnesses saw.",
    UNWITNESSED: "Unchanged since it was sealed, custody record complete, but no independent witness that counts "
    "saw the log.",
    INTEGRITY: "The files agree with one another, but nothing from outside shows who made them: use the court's "
    "policy.",
    CANNOT: "A check could not be run on this machine, so nothing is concluded. This is not a pass.",
    INVALID: "Do not rely on this bundle: a check failed. It was changed, is incomplete, or not made as it should be.",
}

# (name, what it establishes) in the order in which they run.
CHECKS = (
    ("container", "The archive or folder is safe to read and holds nothing of its own."),
    ("manifest", "The list of files is written in the one form allowed."),
    ("files", "Every file listed is there unaltered, and no other."),
    ("bag", "The BagIt manifests are exactly those the files give."),
    ("exhibits", "Exhibits, statements and papers are those the exhibit list names."),
    ("custody", "Every custody event is there, in order, unaltered."),
    ("derivations", "Each thing that was made from another names what it was made from, and how."),
    ("schedules", "The schedules of material are numbered without a gap, and fit the exhibits."),
    ("policy", "The policy from outside the bundle can be read and names whom to trust."),
    ("manifest-note", "The list of files is signed by the key it should be."),
    ("checkpoint", "The log's statement is signed by the log's key."),
    ("inclusion", "Every custody event is in the log."),
    ("payload", "What was sealed in the log is exactly this payload."),
    ("witnesses", "Independent witnesses cosigned the log's statement."),
    ("timestamp", "A timestamp authority fixed the log's statement in time, after every event in it."),
    ("key-history", "The keys that signed were in use at that time, and neither ended nor revoked."),
    (
        "report",
        "The report is whole: its last timestamp covers every byte and nothing was altered after sealing.",
    ),
    ("attachment", "The exhibit list inside the report is byte for byte the one in the bundle."),
    ("seal", "The report's seal is valid and made under a sealing authority that is trusted."),
)

PROVED = (
    "No byte of any file in this bundle has changed since it was sealed.",
    "Each exhibit is, byte for byte, the file that was received and sealed; its digest stands in the force's log.",
    "Every custody event listed for an exhibit is in the log, unaltered, none left out of the list that was sealed.",
    "The log as it stood existed no later than the time in the timestamp.",
    "The report was not altered after it was sealed.",
)
NOT_PROVED = (
    "That what an exhibit shows is true, or that it was not altered before it was received.",
    "Who stood behind an account when an act was recorded: the log proves the account, not the hand.",
    "That the force holds no other material: unused material is not in this bundle.",
    "That a camera's or a phone's own clock was right.",
    "PDF/A and PDF/UA conformance as made by typst, not independently checked after sealing.",
)


@dataclass(frozen=True)
class Check:
    """One check: `state` is ok, failed, not-proved (nothing outside to check against) or not-run (could not run)."""

    name: str
    state: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of a verification; `failed` names the first check that failed."""

    word: str
    exit_code: int
    sentence: str
    checks: tuple[Check, ...]
    failed: str | None
    proved: tuple[str, ...] = field(default=())
    not_proved: tuple[str, ...] = field(default=())


def conclude(checks: Sequence[Check], *, policy: bool, witnessed: bool) -> Verdict:
    """Turn the states of the checks into one verdict; fails closed.

    A failed check is INVALID. A check that could not run is NOT-VERIFIABLE. Without a policy from outside the best is
    INTEGRITY-ONLY. VERIFIED-WITNESSED needs every check proved and `witnessed`: a quorum without development keys.
    """
    failed = next((c.name for c in checks if c.state == "failed"), None)
    names = [c.name for c in checks]
    complete = names == [name for name, _ in CHECKS]
    if failed:
        word = INVALID
    elif not complete or any(c.state not in ("ok", "not-proved") for c in checks):
        word = CANNOT
    elif not policy:
        word = INTEGRITY
    elif witnessed and all(c.state == "ok" for c in checks):
        word = WITNESSED
    else:
        word = UNWITNESSED
    open_points = tuple(c.sentence for c in checks if c.state == "not-proved")
    good = word in (WITNESSED, UNWITNESSED)
    return Verdict(
        word,
        EXIT[word],
        SENTENCES[word],
        tuple(checks),
        failed,
        PROVED if good else (),
        (*open_points, *NOT_PROVED) if good else open_points,
    )


def render(verdict: Verdict) -> str:
    """Return the verdict as text for a terminal: word, sentence, the failed check, all checks in order."""
    lines = [verdict.word, "", verdict.sentence]
    if verdict.failed:
        why = next(c.sentence for c in verdict.checks if c.name == verdict.failed)
        lines += ["", f"Failed check: {verdict.failed}", why]
    lines += ["", "Checks, in order:"]
    for number, check in enumerate(verdict.checks, 1):
        lines.append(f"{number:3}. {check.state:<10} {check.name:<14} {check.sentence}")
    for title, points in (("Proved:", verdict.proved), ("Not proved:", verdict.not_proved)):
        if points:
            lines += ["", title, *(f"  - {point}" for point in points)]
    return "\n".join(lines) + "\n"
