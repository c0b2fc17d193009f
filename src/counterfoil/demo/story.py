"""One invented burglary, told through the real pages: from a report with evidence to a bundle that verifies."""

import base64
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django_otp.oath import TOTP

from counterfoil.demo.browser import Browser, Form, Page, PageProblem
from counterfoil.demo.town import Player
from counterfoil.reference.kinds import Kind, kind_on

LONDON = ZoneInfo("Europe/London")
STATEMENT = (
    "I live at the house with the green door on Sample Street. On the evening of {day} I went out at about "
    "eight o'clock and locked the back door and the side gate.\n\n"
    "When I came home at half past ten the kitchen window was open and its catch was broken. My blue bicycle, which I "
    "keep in the hall, was gone. I had bought it in the spring for 640 pounds.\n\n"
    "My camera above the side gate had recorded a person walking through the gate. I sent that recording and a photo "
    "of the window with my report on the same night. I do not know the person. I would go to court."
)
WORDING = (
    "On {day}, having entered as a trespasser a building, namely a dwelling on Sample Street, stole therein a "
    "bicycle belonging to Sam Okoro, contrary to section 9(1)(b) of the Theft Act 1968."
)


@dataclass(frozen=True)
class Step:
    """One row of the table: what was done, the reference it got, and when (seconds since the story began)."""

    step: str
    reference: str
    seconds: float


@dataclass
class Story:
    """Tells the story once and keeps its table. `say` prints progress."""

    origin: str
    players: dict[str, Player]
    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    reference: str = ""
    passphrase: str = ""
    receipt: bytes = b""
    bundle: bytes = b""
    bundle_name: str = ""
    link: str = ""
    code: str = ""

    def done(self, step: str, reference: str = "") -> None:
        """Note a step and say it."""
        row = Step(step, reference, round(time.monotonic() - self.began, 1))
        self.steps.append(row)
        self.say(f"{row.seconds:6.1f} s  {step:<44} {reference}")

    # ------------------------------------------------------------------ the public

    def answer(self, files: Sequence[Path]) -> tuple[Browser, Page]:
        """Answer every question about a burglary, with files, and stop at the page that shows the answers."""
        visitor = Browser(self.origin)
        page = visitor.get("/")
        page = visitor.send(page, page.form_with("kind"), button="burglary")
        page = visitor.get(page.link_with("/safe"))
        page = visitor.get(page.link_with("/fit"))
        page = visitor.send(page, page.form_with("answer"), {"answer": "no"})
        kind = kind_on("burglary", datetime.now(LONDON).date())
        if kind is None:
            raise PageProblem("Burglary is not a kind of report today.")
        for _ in range(60):
            if "/q/" not in page.url:
                break
            page = self._answer(visitor, page, kind, files)
        if not page.url.endswith("/check"):
            raise PageProblem(f"The report did not reach its check page: {page.url}")
        return visitor, page

    def report(self, files: Sequence[Path]) -> None:
        """Report a burglary with files, and keep reference, passphrase and receipt."""
        visitor, page = self.answer(files)
        page = visitor.send(page, next(f for f in page.forms if f.method == "post"))
        self.reference = _found(
            r"\b([0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){3}-.)(?=\s|$)", page, "reference"
        )
        words = page.by_id.get("passphrase") or page.by_id.get("words") or ""
        self.passphrase = words.strip()
        self.receipt = visitor.get(page.link_with("receipt")).body
        self.done("Report sent, with evidence", self.reference)

    def _answer(self, visitor: Browser, page: Page, kind: Kind, files: Sequence[Path]) -> Page:
        yesterday = datetime.now(LONDON) - timedelta(days=1)
        answers: dict[str, object] = {
            "place_type": "home",
            "where": "Sample Street, the house with the green door",
            "time": "22:15",
            "what": "I came home and the kitchen window was forced. My bicycle was gone from the hall.",
            "taken": "A blue bicycle, frame number DEMO-4471",
            "know_who": "no",
            "seen": "camera",
            "name": "Sam Okoro",
            "contact_channels": "email",
            "contact_email": "sam.okoro@example.com",
            "contact_discreet": "no",
        }
        form = next(f for f in page.forms if f.method == "post")
        heading = next((q for q in kind.questions if _plain(q.title["en"]) in page.text), None)
        asked = next((q for q in kind.questions if q.type == "files"), None) if form.files else heading
        if asked is None:
            raise PageProblem(f"A question on {page.url} is not among the kind's: {page.text[:200]}")
        values: dict[str, object] = {}
        sent: dict[str, Sequence[Path]] = {}
        if form.files:
            field_name = min(form.files)
            if page.text.count(files[0].name) == 0:
                page = visitor.send(
                    page, form, files={field_name: files}, button=_button(form, "upload", "add", "Send")
                )
                self.done("Files taken into quarantine", f"{len(files)} file{'s' if len(files) != 1 else ''}")
                form = next(f for f in page.forms if f.files)
        elif asked.type == "date":
            values = {"day": yesterday.day, "month": yesterday.month, "year": yesterday.year}
        elif asked.id in answers:
            values = {"answer": answers[asked.id]}
        following = visitor.send(page, form, values, files=sent, button=_button(form, "next", "Continue"))
        if following.url == page.url:
            raise PageProblem(f"{page.url} did not take the answer: {following.text[:400]}")
        return following

    def follow(self) -> str:
        """Track the report as its sender and return what the page says."""
        visitor = Browser(self.origin)
        page = visitor.get("/track")
        form = page.form_with("reference")
        other = next(n for n in form.names if n not in ("reference", "csrfmiddlewaretoken"))
        page = visitor.send(page, form, {"reference": self.reference, other: self.passphrase})
        self.done("The sender sees what happened", self.reference)
        return page.text

    # ------------------------------------------------------------------ staff

    def sign_in(self, player: Player) -> Browser:
        """Sign a player in with password and second factor, setting the factor up the first time."""
        staff = Browser(self.origin)
        page = staff.get("/staff/sign-in")
        page = staff.send(
            page, page.form_with("username"), {"username": player.username, "password": player.password}
        )
        if "secret" in page.by_id:
            player.key = page.by_id["secret"].replace(" ", "")
        page = staff.send(page, page.form_with("code"), {"code": one_time_code(player.key)})
        if "/staff/" in page.url and "second-step" in page.url:
            raise PageProblem(f"{player.name} could not sign in: {page.text[:300]}")
        self.done(f"{player.name} signs in with a second factor", player.what)
        return staff

    def work(self, staff: Browser, prosecutor: Player) -> None:
        """Take the case from triage to a bundle that is sent to the prosecutor."""
        page = staff.get("/desk/queue")
        case = page.link_with("/desk/cases/").split("?")[0]
        page = self._fill(
            staff,
            f"{case}/triage",
            {
                "grade": "scheduled",
                "reason": "Burglary of a home, nobody hurt, CCTV sent. Visit tomorrow morning.",
            },
        )
        self.done("Triaged by a person, reason kept")
        page = self._fill(staff, f"{case}/record", {"how": "ours"})
        number = _found(r"\b(\w{2}/\w{2}/\d{5}/\d{2})\b", staff.get(case), "crime number")
        self.done("Crime recorded within 24 hours", number)
        for n, title in enumerate(self._titles(staff.get(case)), start=1):
            page = staff.get(case)
            page = self._fill(staff, page.link_with("/seal"), {"title": title})
            self.done("Exhibit taken out of quarantine", f"AB/{n}")
        self._statement(staff, case)
        self._fill(
            staff,
            f"{case}/suspects/new",
            {"name": "Rob Vane", "reference_kind": "custody", "reference": "99/CT/01234/26"},
        )
        self.done("Suspect named with custody reference", "99/CT/01234/26")
        self._disclose(staff, case)
        now = datetime.now(LONDON)
        self._fill(
            staff,
            f"{case}/charges/new",
            {
                "decision": "charge",
                "decided_by": "prosecutor",
                "decider": prosecutor.name,
                "decided_on": now.strftime("%Y-%m-%d"),
                "decided_time": now.strftime("%H:%M"),
                "offence_code": "TH68036",
                "wording": WORDING.format(day=_yesterday()),
                "reason": "The recording, the statement and the property found meet the full code test.",
            },
        )
        self.done("Charging decision recorded", "TH68036")
        self._fill(
            staff,
            f"{case}/outcome",
            {"type": "1", "reason": "Charged on the prosecutor's decision of today."},
        )
        self.done("Outcome recorded, case closed, sender told", "outcome 1")
        page = staff.get(f"{case}/bundles/new")
        page = staff.send(
            page, next(f for f in page.forms if f.method == "post" and "sign-out" not in f.action)
        )
        page = self._wait(staff, page)
        self.done(
            "Bundle built, sealed, logged and timestamped", _found(r"\b([0-9]{2}\w{2}\d{7})\b", page, "URN")
        )
        page = staff.send(page, page.form_with("prosecutor"), {"prosecutor": prosecutor.id})
        self.done("Bundle sent to the prosecutor", prosecutor.name)

    def _titles(self, page: Page) -> list[str]:
        takes = [h for h, _ in page.links if h.endswith("/seal") and "/files/" in h]
        names = ["Recording of the side gate by the householder's camera", "Photo of the kitchen window"]
        return [
            names[i] if i < len(names) else f"File {i + 1} sent with the report" for i in range(len(takes))
        ]

    def _statement(self, staff: Browser, case: str) -> None:
        values: dict[str, object] = {
            "role": "victim",
            "name": "Sam Okoro",
            "text": STATEMENT.format(day=_yesterday()),
        }
        page = staff.get(f"{case}/statements/new")
        page = staff.send(page, page.form_with("text"), values, button="check")
        signing = {"signed_name": "Sam Okoro", "declared": "yes"}
        page = staff.send(page, page.form_with("declared"), signing, button="sign")
        if "/statements/new" in page.url:
            raise PageProblem(f"The statement was not taken: {page.text[:500]}")
        self.done("Statement read, declared and signed", "S/1")

    def _disclose(self, staff: Browser, case: str) -> None:
        """Decide what each item is to the case, and sign both schedules as the disclosure officer."""
        page = staff.get(f"{case}/disclosure")
        decisions = [h for h, _ in page.links if "/material/" in h]
        for n, address in enumerate(decisions):
            # The last photo is not needed; the other items and the statement are used.
            unused = 0 < n == len(decisions) - 2
            self._fill(staff, address, {"material": "unused" if unused else "used"})
        signing = f"{case}/schedules/sign"
        name = _found(r"as your account has it: ([^.]+)\.", staff.get(signing), "name to sign with")
        self._fill(staff, signing, {"signed_name": name, "endorse_nil": "yes"})
        self.done("Every item of material decided, MG6C and a nil MG6D signed", f"{len(decisions)} items")

    def _fill(self, staff: Browser, address: str, values: dict[str, object]) -> Page:
        page = staff.get(address)
        form = page.form_with(next(iter(values)))
        following = staff.send(page, form, values)
        if following.url == page.url:
            raise PageProblem(f"{address} did not take the form: {following.text[:500]}")
        return following

    def _wait(self, staff: Browser, page: Page) -> Page:
        last = ""
        deadline = time.monotonic() + 300
        while page.refreshes and time.monotonic() < deadline:
            stage = _stage(page)
            if stage and stage != last:
                self.say(f"          {stage}")
                last = stage
            time.sleep(0.4)
            page = staff.get(page.url)
        if not any("prosecutor" in f.names for f in page.forms):
            raise PageProblem(f"The bundle was not built: {page.text[:500]}")
        return page

    # ------------------------------------------------------------------ the court

    def release(self, bench: Browser) -> None:
        """Receive the bundle as prosecutor, release it to the defence by name, and keep link and code."""
        page = bench.get("/bench/")
        page = bench.get(page.link_with("/bench/bundles/"))
        form = next((f for f in page.forms if "recipient" in f.names), None)
        if form is None:
            page = bench.get(page.link_with("release"))
            form = page.form_with("recipient")
        page = bench.send(
            page,
            form,
            {
                "recipient": "Dee Lawson",
                "firm": "Lawson and Finch",
                "purpose": "Initial details for the first hearing",
            },
        )
        self.link = _found(r"(https?://\S+/bench/open/[\w-]+|/bench/open/[\w-]+)", page, "link")
        self.code = _found(r"\b([0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){3}-.)(?=\s|$)", page, "code")
        self.done("Released to the defence, by name", "Dee Lawson")

    def defend(self) -> None:
        """Open the link with the one-time code and download the bundle as the defence."""
        defence = Browser(self.origin)
        page = defence.get("/bench/open/" + self.link.rsplit("/", 1)[-1])
        page = defence.send(page, page.form_with("code"), {"code": self.code})
        found = defence.get(page.link_with("/bench/opened/file"))
        self.bundle = found.body
        offered = found.headers.get("content-disposition", "")
        name = re.search(r"filename\*?=\"?(?:UTF-8'')?([A-Za-z0-9._-]+[.]zip)", offered)
        if not name:
            raise PageProblem("The bundle came without a name.")
        self.bundle_name = name.group(1)
        self.done("The defence opens it with a one-time code", f"{len(self.bundle):,} bytes")


def one_time_code(key: str) -> str:
    """Return the six digits an authenticator shows now for a base32 key."""
    maker = TOTP(base64.b32decode(key))
    maker.time = time.time()
    return f"{maker.token():06d}"


def _yesterday() -> str:
    return (datetime.now(LONDON) - timedelta(days=1)).strftime("%-d %B %Y")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _button(form: Form, *wanted: str) -> str:
    for want in wanted:
        for name, value, words in form.buttons:
            if name and (want in (name, value) or words.startswith(want)):
                return value
    return ""


def _found(pattern: str, page: Page, what: str) -> str:
    match = re.search(pattern, page.text)
    if not match:
        raise PageProblem(f"No {what} on {page.url}: {page.text[:600]}")
    return match.group(1)


def _stage(page: Page) -> str:
    match = re.search(
        r"((?:Gathering|Reading|Putting|Writing|Checking|Storing)[^.()]{5,90} \(\d of \d\))", page.text
    )
    return match.group(1) if match else ""
