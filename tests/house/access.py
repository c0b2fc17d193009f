"""Who may open which address: one row for every view of the house. A view without a row fails the build.

`tests/house/test_access.py` makes every cell of role × route × own/other/none from this table and the URL
configuration, asks for it, and compares the answer byte for byte with that for a thing that does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Everybody who looks, and what of the three stories they have a part in. `own` is Alice's case with its bundle, sent
# to Petra; `other` is a case of the other force, its bundle sent to nobody.
CASES: dict[str, frozenset[str]] = {
    "own": frozenset({"alice", "ines"}),
    "other": frozenset({"charlie", "gwen"}),
    "none": frozenset(),
}
BUNDLES: dict[str, frozenset[str]] = {
    "own": frozenset({"petra"}),
    "other": frozenset(),
    "none": frozenset(),
}
OFFICERS = frozenset({"alice", "bruno", "dilys", "ines", "charlie", "gwen"})
INSPECTORS = frozenset({"ines", "gwen"})
# An audit sample is its force's inspectors' business; the public sees what follows, on the board.
SAMPLES: dict[str, frozenset[str]] = {
    "own": frozenset({"ines"}),
    "other": frozenset({"gwen"}),
    "none": frozenset(),
}
# A patrol plan is its force's staff's business, posted or not.
PATROLS: dict[str, frozenset[str]] = {
    "own": frozenset({"alice", "bruno", "dilys", "ines"}),
    "other": frozenset({"charlie", "gwen"}),
    "none": frozenset(),
}
FORGETTERS = frozenset({"ines", "gwen", "iona"})
PROSECUTORS = frozenset({"petra", "piers"})
# Signed in with both factors, and neither: an administrator. Looks like nobody: a visitor, a suspended officer whose
# session is still open, and an officer who gave only the password.
ADMINISTRATORS = frozenset({"ada"})
DATA_PROTECTION = frozenset({"iona"})
NOBODY = frozenset({"visitor", "sam", "half_alice"})
EVERYBODY = OFFICERS | PROSECUTORS | ADMINISTRATORS | DATA_PROTECTION | NOBODY


@dataclass(frozen=True)
class Row:
    """One view's rule.

    `who` may pass the door: the others are sent to sign in (nobody) or told which role is needed. `sees` says, for a
    view of one thing, who has a part in which story; empty for a view of no thing. `methods` are those it answers.
    `shown` are the statuses of a good answer to GET.
    """

    who: frozenset[str]
    sees: Mapping[str, frozenset[str]] = field(default_factory=dict)
    methods: tuple[str, ...] = ("GET", "POST")
    shown: tuple[int, ...] = (200,)
    why: str = ""


READ = ("GET",)
ACT = ("POST",)


def everybody(*, methods: tuple[str, ...] = READ, shown: tuple[int, ...] = (200,), why: str = "") -> Row:
    """Open to all; holds nothing about anybody."""
    return Row(EVERYBODY, {}, methods, shown, why)


def session(
    *, methods: tuple[str, ...] = ("GET", "POST"), shown: tuple[int, ...] = (404,), why: str = ""
) -> Row:
    """About what this browser itself began: names no thing, so nothing else can be asked for. Empty for the rest."""
    return Row(
        EVERYBODY, {}, methods, shown, why or "what this browser began; the neutral page for every other"
    )


def officers(*, methods: tuple[str, ...] = READ) -> Row:
    """A list of one's own, for officers and inspectors."""
    return Row(OFFICERS, {}, methods)


def of_case(*, methods: tuple[str, ...] = ("GET", "POST")) -> Row:
    """About one case, for those with a part in it."""
    return Row(OFFICERS, CASES, methods)


def of_bundle(*, methods: tuple[str, ...] = ("GET", "POST")) -> Row:
    """About one bundle, for the prosecutor it was sent to."""
    return Row(PROSECUTORS, BUNDLES, methods)


TABLE: dict[str, Row] = {
    # The portal: for everybody, and about nobody but the browser's own draft.
    "portal:start": everybody(methods=("GET", "POST")),
    "portal:before": everybody(shown=(200, 404)),
    "portal:safe": session(methods=READ, shown=(200, 404, 303)),
    "portal:fit": session(shown=(404, 303)),
    "portal:now": session(methods=READ),
    "portal:here": session(),
    "portal:question": session(),
    "portal:change": session(),
    "portal:files": session(methods=ACT, shown=()),
    "portal:file": session(methods=(), shown=(), why="this session's uploads; the rest are absent"),
    "portal:check": session(),
    "portal:sent": session(),
    "portal:receipt_file": session(methods=READ),
    "portal:code": session(),
    "portal:appeal": everybody(
        methods=("GET", "POST"), shown=(200, 404), why="an appeal says nothing of its case; a code names it"
    ),
    "portal:cameras": everybody(methods=("GET", "POST")),
    "portal:camera_done": session(methods=READ),
    "portal:camera_withdraw": everybody(methods=("GET", "POST"), why="a code of 100 bits opens one camera"),
    "portal:return": everybody(methods=("GET", "POST"), why="a code of 100 bits opens one draft"),
    "portal:track": everybody(
        methods=("GET", "POST"), why="reference and four words together open one report"
    ),
    "portal:progress": session(methods=READ),
    "portal:receipt": everybody(methods=("GET", "POST"), why="says only what the receipt itself says"),
    "portal:close": session(methods=ACT, shown=()),
    "portal:closed": everybody(),
    "portal:leave": everybody(shown=(303,)),
    "portal:privacy": everybody(),
    "portal:cookies": everybody(),
    "portal:accessibility": everybody(),
    # Signing in.
    "staff-home": Row(
        OFFICERS | PROSECUTORS | ADMINISTRATORS | DATA_PROTECTION, {}, ("GET", "POST"), (200, 302)
    ),
    "staff-sign-in": everybody(methods=("GET", "POST")),
    "staff-second-step": session(shown=(302,), why="whoever gave the right password in this browser"),
    "staff-set-up": session(shown=(302,), why="whoever gave the right password in this browser"),
    "staff-sign-out": everybody(methods=("GET", "POST"), why="GET asks first; POST ends the session"),
    # The desk.
    "desk-home": officers(),
    "desk-queue": officers(),
    "desk-cases": officers(),
    "desk-keys": officers(),
    "desk-number": Row(OFFICERS, {}, READ, (404,), "a number of published files has nothing on the desk"),
    "desk-samples": Row(INSPECTORS, {}, ("GET", "POST")),
    "desk-sample": Row(INSPECTORS, SAMPLES, ("GET",)),
    "desk-sample-item": Row(INSPECTORS, SAMPLES, ("GET", "POST")),
    "desk-hotspots": Row(OFFICERS, {}, ("GET", "POST")),
    "desk-new-patrols": Row(OFFICERS, {}, ("GET", "POST")),
    "desk-patrols": Row(OFFICERS, PATROLS, ("GET", "POST"), why="staff of the force that planned them"),
    "desk-erasures": Row(FORGETTERS, {}, ("GET", "POST")),
    "desk-erase": Row(
        FORGETTERS,
        {"own": frozenset({"ines", "iona"}), "other": frozenset({"gwen"}), "none": frozenset()},
        why="entries only, for the data-protection officer and, as the second person, an inspector of the force",
    ),
    "desk-case": of_case(methods=READ),
    "desk-timeline": of_case(methods=READ),
    "desk-why": of_case(methods=READ),
    "desk-take": of_case(),
    "desk-assign": of_case(),
    "desk-triage": of_case(),
    "desk-record": of_case(),
    "desk-update": of_case(),
    "desk-reopen": of_case(),
    "desk-new-appeal": of_case(),
    "desk-appeal": of_case(),
    "desk-poster": of_case(methods=READ),
    "desk-settle": of_case(),
    "desk-looked": of_case(methods=ACT),
    "desk-add-files": of_case(),
    "desk-files": of_case(methods=ACT),
    "desk-upload": of_case(methods=ACT),
    "desk-seal": of_case(),
    "desk-exhibit": of_case(methods=READ),
    "desk-exhibit-file": of_case(methods=READ),
    "desk-original": of_case(),
    "desk-restrict": of_case(),
    "desk-lift": of_case(),
    "desk-media": of_case(methods=READ),
    "desk-copy": of_case(methods=READ),
    "desk-still": of_case(),
    "desk-clip": of_case(),
    "desk-extract": of_case(methods=READ),
    "desk-clock": of_case(),
    "desk-redact": of_case(),
    "desk-redaction": of_case(),
    "desk-redaction-frame": of_case(methods=READ),
    "desk-watched": of_case(methods=READ),
    "desk-shares": of_case(),
    "desk-end-share": of_case(methods=ACT),
    "desk-copy-out": of_case(),
    "desk-return": of_case(),
    "desk-destruction": of_case(),
    "desk-retitle": of_case(),
    "desk-hand-over": of_case(),
    "desk-new-statement": of_case(),
    "desk-statement": of_case(methods=READ),
    "desk-back-page": of_case(methods=READ),
    "desk-disclosure": of_case(),
    "desk-officers-report": of_case(methods=READ),
    "desk-decide": of_case(),
    "desk-sign-schedules": of_case(),
    "desk-schedule": of_case(methods=READ),
    "desk-new-suspect": of_case(),
    "desk-new-charge": of_case(),
    "desk-outcome": of_case(),
    "desk-new-bundle": of_case(),
    "desk-bundle": of_case(),
    "desk-bundle-file": of_case(methods=READ),
    # The bench.
    "bench-home": Row(PROSECUTORS, {}, READ),
    "bench-bundle": of_bundle(methods=READ),
    "bench-file": of_bundle(methods=READ),
    "bench-schedules": of_bundle(methods=READ),
    "bench-mark": of_bundle(),
    "bench-defence": of_bundle(methods=ACT),
    "bench-release": of_bundle(),
    "bench-end": of_bundle(methods=ACT),
    "bench-check": everybody(methods=READ, why="anybody may check a bundle"),
    "bench-check-file": everybody(methods=READ, why="anybody may check a bundle", shown=(200, 404)),
    "bench-open": everybody(
        methods=("GET", "POST"), why="a link alone opens nothing: every link shows the same form"
    ),
    "bench-opened": session(
        methods=READ, why="whoever opened a release with its one-time code in this browser"
    ),
    "bench-opened-file": session(methods=READ, why="whoever opened a release in this browser"),
    # The board: published figures, for everybody.
    "board:front": everybody(),
    "board:about": everybody(),
    "board:measure": everybody(shown=(200, 404)),
    "board:api": everybody(),
    "board:api_measures": everybody(),
    "board:api_number": everybody(shown=(200, 404)),
    "board:api_series": everybody(shown=(200, 404)),
    "board:api_compare": everybody(shown=(200, 404)),
    "board:api_targets": everybody(),
    "board:api_claims": everybody(),
    "board:api_files": everybody(),
    "board:embed": everybody(shown=(200, 404)),
    "board:everywhere": everybody(),
    "board:everywhere_csv": everybody(shown=(200, 404)),
    "board:series": everybody(shown=(200, 404)),
    "board:series_csv": everybody(shown=(200, 404)),
    "board:series_svg": everybody(shown=(200, 404)),
    "board:samples": everybody(),
    "board:samples_csv": everybody(),
    "board:sample": everybody(shown=(200, 404)),
    "board:sample_frame": everybody(shown=(200, 404)),
    "board:sample_statement": everybody(shown=(200, 404)),
    "board:integrity": everybody(),
    "board:integrity_csv": everybody(),
    "board:integrity_svg": everybody(shown=(200, 404)),
    "board:integrity_force": everybody(shown=(200, 404)),
    "board:compare": everybody(),
    "board:compare_csv": everybody(),
    "board:compare_svg": everybody(shown=(200, 404)),
    "board:prove_it": everybody(),
    "board:prove_it_csv": everybody(),
    "board:targets": everybody(),
    "board:targets_csv": everybody(),
    "board:targets_svg": everybody(shown=(200, 404)),
    "board:files": everybody(),
    "board:files_csv": everybody(),
    "board:file": everybody(shown=(404,), why="only files of the published tables, by their digest"),
    "board:courts": everybody(),
    "board:courts_csv": everybody(shown=(200, 404)),
    "board:courts_svg": everybody(shown=(200, 404)),
    "board:changes": everybody(),
    "board:changes_csv": everybody(),
    "board:changes_svg": everybody(shown=(200, 404)),
    "board:change": everybody(shown=(200, 404)),
    "board:change_csv": everybody(shown=(200, 404)),
    "board:change_svg": everybody(shown=(200, 404)),
    "board:force": everybody(shown=(200, 404)),
    "board:force_csv": everybody(shown=(200, 404)),
    "board:force_svg": everybody(shown=(200, 404)),
    "board:number": everybody(shown=(200, 404)),
    "board:rows": everybody(shown=(200, 404)),
    "board:rows_csv": everybody(shown=(200, 404)),
}
