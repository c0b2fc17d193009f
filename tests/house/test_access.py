"""Role × route × own/other/none, made from the URL configuration: refused reads exactly like absent.

Every cell is asked for in a transaction that is undone. A view without a row in `access.py` fails, and so does a row
without a view.
"""

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests import scenes
from tests.appeals import test_appeals as appeals
from tests.cast import JONAH, NESTA, RHYS, Cast
from tests.homes import a_home
from tests.house.access import (
    ADMINISTRATORS,
    CASES,
    DATA_PROTECTION,
    EVERYBODY,
    FORGETTERS,
    INSPECTORS,
    NOBODY,
    OFFICERS,
    PROSECUTORS,
    TABLE,
    Row,
)
from tests.places.test_cameras import SAID

from counterfoil.accounts.models import Actor
from counterfoil.cases import queries as case_queries
from counterfoil.config import urls
from counterfoil.courts import actions as courts
from counterfoil.courts.models import Release
from counterfoil.evidence.models import Schedule
from counterfoil.ledger.models import Entry

KINDS = ("own", "other", "none")


@dataclass(frozen=True)
class Route:
    """One view in the URL configuration."""

    name: str
    holes: tuple[str, ...]
    view: Any


def routes(patterns: Any = None, space: str = "") -> Iterator[Route]:
    """Yield every view that an address leads to."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            assert pattern.name, f"the view at {pattern.pattern} has no name, so no row can name it"
            yield Route(f"{space}{pattern.name}", tuple(pattern.pattern.converters), pattern.callback)


ROUTES = {r.name: r for r in routes()}


def test_every_view_has_a_row_and_every_row_a_view() -> None:
    assert sorted(set(ROUTES) - set(TABLE)) == [], "views without a rule in tests/house/access.py"
    assert sorted(set(TABLE) - set(ROUTES)) == [], "rules without a view"
    assert len(list(routes())) == len(ROUTES), "two views share a name"


def test_a_view_without_a_row_is_noticed() -> None:
    from django.urls import path

    def new(request: HttpRequest) -> HttpResponseBase: ...

    found = {r.name for r in routes([*urls.urlpatterns, path("new", new, name="brand-new")])}
    assert found - set(TABLE) == {"brand-new"}
    with pytest.raises(AssertionError, match="has no name"):
        list(routes([path("new", new)]))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_the_door_of_each_view_asks_for_the_roles_that_its_row_says(name: str) -> None:
    """The guard on the view itself, so that a row and a door cannot disagree unseen."""
    asks = getattr(ROUTES[name].view, "staff_roles", None)
    who = TABLE[name].who
    if name in ("desk-erasures", "desk-erase"):
        assert (asks, who) == (("data-protection", "inspector"), FORGETTERS)
    elif name.startswith("desk-sample"):
        assert (asks, who) == (("inspector",), INSPECTORS)
    elif name.startswith("desk-"):
        assert (asks, who) == (("officer", "inspector"), OFFICERS)
    elif name.startswith("bench-") and who == PROSECUTORS:
        assert asks == ("prosecutor",)
    else:
        assert asks is None
        assert who == EVERYBODY or name == "staff-home"


class Stories:
    """Alice's case with everything in it, the other force's, a second one of Alice's, and ids of nothing at all."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.own = self.fill(scenes.bundled(cast, session="own"), "petra")
        self.second = self.fill(scenes.stated(cast, session="second"), "")
        self.other = self.fill(self.away(), "")
        self.none = {hole: uuid4() for hole in self.own} | {"copy": 999_999_999}
        self.release = courts.release_to_defence(
            self.own["bundle"], "Lena Marshgate", "Marsh and Hythe", "first hearing", by=cast.petra
        )
        self.own["release"] = Release.objects.get(kind="defence").pk

    def fill(self, scene: scenes.Scene, to: str) -> dict[str, UUID]:
        """Return the ids that the holes of an address take for this story."""
        found = {
            "case": scene.case,
            "upload": self.upload(scene),
            "exhibit": scene.exhibit,
            "statement": scene.statement,
            "bundle": scene.bundle,
            "release": uuid4(),
            "item": scene.exhibit,
            "share": uuid4(),
            "copy": self.copy(scene.exhibit),
            "redaction": self.redaction(scene),
            "extract": self.extract(scene),
            "sample": self.sample(scene),
            "patrols": self.patrols(scene),
            **self.appeal(scene),
            "schedule": Schedule.objects.filter(case_id=scene.case, form="MG6C")
            .values_list("pk", flat=True)
            .first(),
        }
        return {hole: pk or uuid4() for hole, pk in found.items()}

    def upload(self, scene: scenes.Scene) -> UUID:
        """Return a file that an officer added and nobody has taken as an exhibit yet."""
        import io

        from counterfoil.reports import receiving

        [card] = case_queries.cards([scene.case]).values()
        by = self.cast.charlie if card.force == "98" else self.cast.alice
        return receiving.add_file(f"case:{scene.case}", "yard.jpg", io.BytesIO(scenes.photo(77)), by=by)

    def appeal(self, scene: scenes.Scene) -> dict[str, UUID]:
        """Return an appeal on the case, a camera asked for its recording, and a report that answered it."""
        from counterfoil.cases import actions as cases
        from counterfoil.duties import actions as duties
        from counterfoil.places import actions as places
        from counterfoil.places.models import Camera
        from counterfoil.reports import actions as reports
        from counterfoil.reports import queries as report_queries

        [card] = case_queries.cards([scene.case]).values()
        by = self.cast.charlie if card.force == "98" else self.cast.alice
        appeal = cases.open_appeal(scene.case, appeals.typed(), by=by)
        places.register_camera({**SAID, "force": card.force}, key=str(scene.case))
        camera = Camera.objects.filter(force__code=card.force).order_by("registered_at").last()
        assert camera
        duties.ask_for_footage(scene.case, appeal, [str(camera.pk)], by=by)
        [found] = report_queries.appeals([appeal])
        answer = reports.start_draft("appeal-answer", "en", f"answer {scene.case}", appeal=found)
        for question, value in scenes.answers("appeal-answer", card.force).items():
            reports.save_answer(answer, question, value)
        report = reports.submit(answer).report_id
        return {"appeal": appeal, "camera": camera.pk, "report": report}

    def copy(self, exhibit: UUID | None) -> Any:
        """Return a working copy of an exhibit, made by the very task that the work process runs."""
        from counterfoil.evidence import copies

        assert exhibit
        copies.ask(str(exhibit))
        copies.make_copies(exhibit)
        return next(c.id for c in copies.copies_of(exhibit) if c.state == "made")

    def extract(self, scene: scenes.Scene) -> UUID:
        """Return a still that was asked for and could not be made, as the sandbox says of this file."""
        from counterfoil.evidence import extracts

        assert scene.exhibit
        asked = {"at": "0"}
        made = extracts.ask(
            scene.case, scene.exhibit, kind="still", settings=asked, title="The gate", by=scene.by
        )
        extracts.make_extract(made)
        return made

    def sample(self, scene: scenes.Scene) -> UUID:
        """Return an audit sample of the scene's one report, drawn already."""
        from datetime import timedelta
        from hashlib import sha256

        from django.utils import timezone

        from counterfoil.cases.models import Case
        from counterfoil.engines import disk, sampling
        from counterfoil.measures import samples
        from counterfoil.measures.models import Sample, SampleItem

        now, case = timezone.now(), Case.objects.get(pk=scene.case)
        day = (now - timedelta(days=Sample.objects.count() + 1)).date()
        data = sampling.frame_of([(sampling.token(str(scene.report)), "nothing decided")])
        digest = sha256(data).hexdigest()
        samples._folder().mkdir(parents=True, exist_ok=True)
        disk.replace(samples._folder() / f"{digest}.csv", data)
        made = Sample.objects.create(
            force_id=case.force_id, first=day, last=day, size=1, frame_sha256=digest, announced_at=now,
            announced_by_id=scene.by.uuid, note="drawn", drawn_sha256="0" * 64, drawn_at=now,
        )  # fmt: skip
        SampleItem.objects.create(
            sample=made, number=1, report_id=scene.report, case=case, stratum="nothing decided", recorded=False,
            in_time=False,
        )  # fmt: skip
        return made.pk

    def patrols(self, scene: scenes.Scene) -> UUID:
        """Return a patrol plan of the scene's force: one visit to one place."""
        from counterfoil.cases.models import Case
        from counterfoil.ledger.actions import record
        from counterfoil.measures import hotspots

        visit = {"unit": "Pair 1", "spot": "E01011954", "starts": 0, "minutes": 15}
        force = Case.objects.select_related("force").get(pk=scene.case).force.code
        kept = hotspots._keep(
            {"kind": "Burglary", "force": force, "month": "2022-02", "visits": [visit], "minutes": 15, "gap": "0",
             "names": {"E01011954": "Hartlepool 001A"}, "compared": []}
        )  # fmt: skip
        made = uuid4()
        with transaction.atomic():
            record("patrols.planned", by=scene.by, on=("patrols", force), plan=str(made), document=kept)
        return made

    def redaction(self, scene: scenes.Scene) -> UUID:
        """Return a redaction under review with two frames, at which everybody on the case has sat down already."""
        import io

        from django.utils import timezone

        from counterfoil.evidence.models import Redaction
        from counterfoil.plugs.stores import vault

        frame = b"\xff\xd8\xff\xd9"
        stored = vault().add(io.BytesIO(frame * 2))
        now = timezone.now()
        places = [[0, 4], [4, 4]]
        found = {
            "kind": "film",
            "frames": 2,
            "width": 16,
            "height": 16,
            "places": places,
            "times": [0, 40],
            "sizes": [],
        }
        found |= {"tracks": [], "bars": [], "letters": 0, "length_ms": 0, "detector": ""}
        row = Redaction.objects.create(
            case_id=scene.case, exhibit_id=scene.exhibit, kind="film", state="reviewing", found=found,
            asked_by_id=self.cast.id("alice"), asked_at=now, sheets_sha256=stored.sha256, sheets_size=stored.size,
            sittings={self.cast.id(who): now.isoformat() for whole in CASES.values() for who in whole},
        )  # fmt: skip
        return row.pk

    def away(self) -> scenes.Scene:
        """Return a case of the other force that came as far as a bundle, by Charlie."""
        from counterfoil.duties import actions as duties
        from counterfoil.evidence import actions as evidence
        from counterfoil.evidence import material

        charlie = self.cast.charlie
        self.cast.id("gwen")
        scene = scenes.reported(self.cast, force="98", session="other")
        duties.triage(scene.case, "scheduled", scenes.REASON, by=charlie)
        duties.record_crime(scene.case, by=charlie)
        scene.exhibit = evidence.seal(scene.case, scene.files[0], "Photo of a door", by=charlie)
        scene.statement = evidence.take_statement(scene.case, scenes.statement(), by=charlie)
        scene.by = charlie
        material.decide(scene.case, "exhibit", scene.exhibit, "used", by=charlie)
        material.decide(scene.case, "statement", scene.statement, "used", by=charlie)
        for upload in scene.files[1:]:
            other = evidence.seal(scene.case, upload, "Recording of the street", by=charlie)
            scenes.unused(scene, other, "Recording of the street, which shows nobody")
        scenes.signed(scene)
        scene.bundle = courts.ask_bundle(scene.case, by=charlie)
        courts.build_bundle(scene.bundle)
        return scene

    def ids(self, kind: str) -> dict[str, UUID]:
        """Return the ids of one story."""
        found: dict[str, UUID] = getattr(self, kind)
        return found


# What the holes take that name nothing anybody owns.
PLAIN: dict[str, Any] = {
    "n": 1,
    "kind": "exhibit",
    "form": "MG6C",
    "number": 1,
    "slug": "cleveland",
    "table": "crimes",
    "chart": "crimes",
    "measure": "crimes",
    "place": "cleveland",
    "period": "2021-03_2021-04",
    "target": "knife-crime",
    "sha256": "0" * 64,
    "address": "crimes.cleveland.2021-03",
    "link": "a-link-that-nobody-was-given",
    "name": "verify.html",
    "code": "nobody",
}


def address(route: Route, ids: dict[str, UUID]) -> str:
    """Return the address of a view for the ids of a story."""
    values = {hole: ids[hole] if hole in ids else PLAIN[hole] for hole in route.holes}
    return reverse(route.name, kwargs=values)


@dataclass(frozen=True)
class Answer:
    """What came back, without what differs each time: the date, cookies and the ids that were asked for."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|copies(?:/|%2F)[0-9]+")


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that is rolled back, and in which blocks that must commit at once may stand."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


def ask(client: Client, method: str, path: str, data: dict[str, str] | None = None) -> Answer:
    """Ask for an address and undo whatever that did, a lost cookie included."""
    cookies = copy.deepcopy(client.cookies)
    with undone():
        response = client.post(path, data or {}) if method == "POST" else client.generic(method, path)
        body = b"".join(response) if response.streaming else response.content  # type: ignore[arg-type]
    client.cookies = cookies
    said = IDS.sub("ID", body.decode(errors="replace")).encode()
    # Ids of one kind differ in length (a number has more digits), and so would the length of a page that names them.
    lengths = {"Content-Length": str(len(said))}
    headers = tuple(
        sorted(
            (k, lengths.get(k) or IDS.sub("ID", v))
            for k, v in response.headers.items()
            if k not in ("Date", "Set-Cookie")
        )
    )
    return Answer(response.status_code, headers, said)


def browser(cast: Cast, who: str) -> Client:
    """Return the browser of somebody: signed in with both factors, with one, or not at all."""
    client = Client(raise_request_exception=True)
    if who == "visitor":
        return client
    name = who.removeprefix("half_")
    actor = Actor.objects.get(pk=cast.id(name))
    client.force_login(actor)
    session = client.session
    if not who.startswith("half_"):
        device, _ = TOTPDevice.objects.get_or_create(user=actor, name="Authenticator", confirmed=True)
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    from django.utils import timezone

    session["began_at"] = session["seen_at"] = timezone.now().timestamp()
    session.save()
    return client


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Open the database for all the tests here at once; in the end nothing has happened in it."""
    with django_db_blocker.unblock(), a_home(), undone():
        yield


@pytest.fixture(scope="module")
def stories(db: None) -> Stories:
    """The stories, told once; each test undoes whatever it does."""
    return Stories(Cast())


def expected(row: Row, who: str, kind: str, method: str) -> str:
    """Return what a cell of the table should be."""
    if row.who != EVERYBODY and who in NOBODY:
        return "sign in"
    if who not in row.who:
        return "role"
    if method not in row.methods:
        return "method"
    if row.sees and who not in row.sees[kind]:
        return "absent"
    return "shown"


def judge(what: str, answer: Answer, absent: Answer, row: Row, method: str) -> str:
    """Return what is wrong with an answer, or nothing."""
    headers = dict(answer.headers)
    match what:
        case "sign in":
            if (
                answer != absent
                or answer.status != 302
                or not headers["Location"].startswith("/staff/sign-in?")
            ):
                return f"should be sent to sign in like everybody else, got {answer.status}"
        case "role":
            if answer != absent or answer.status != 403:
                return f"should be told which role is needed, got {answer.status}"
        case "method":
            if answer.status != 405:
                return f"should not answer {method}, got {answer.status}"
        case "absent":
            if answer != absent or answer.status != 404:
                return f"should read like what is absent, got {answer.status} (absent is {absent.status})"
        case "shown":
            good = row.shown if method == "GET" else (200, 302, 303, 400, 403, 404, 405, 409, 412)
            if answer.status not in good:
                return f"should be shown, got {answer.status}"
            if row.sees and (
                answer.status == 404 or headers.get("Location", "").startswith("/staff/sign-in")
            ):
                return f"should be shown, got {answer.status}"
    return ""


SECRETS = (
    RHYS.name,
    RHYS.email,
    RHYS.phone,
    RHYS.address,
    JONAH.name,
    NESTA.name,
    "doorbell.mp4",
    scenes.STATEMENT,
)


def test_every_cell_of_the_table(stories: Stories, capsys: pytest.CaptureFixture[str]) -> None:
    wrong: list[str] = []
    counted: Counter[str] = Counter()
    for who in sorted(EVERYBODY):
        client = browser(stories.cast, who)
        for name, row in TABLE.items():
            route = ROUTES[name]
            kinds = KINDS if row.sees else ("none",)
            for method in ("GET", "POST"):
                absent = ask(client, method, address(route, stories.none))
                for kind in kinds:
                    what = expected(row, who, kind, method)
                    before = Entry.objects.count()
                    answer = (
                        absent if kind == "none" else ask(client, method, address(route, stories.ids(kind)))
                    )
                    assert Entry.objects.count() == before
                    counted[what] += 1
                    said = judge(what, answer, absent, row, method)
                    if said:
                        wrong.append(f"{who} {method} {name} ({kind}): {said}")
                    if what != "shown":
                        wrong += [
                            f"{who} {method} {name} ({kind}): says {s}"
                            for s in SECRETS
                            if s.encode() in answer.body
                        ]
    with capsys.disabled():
        print(f"\naccess: {sum(counted.values())} cells, {dict(sorted(counted.items()))}")
    assert wrong == []
    assert min(counted[k] for k in ("shown", "absent", "role", "sign in", "method")) > 50


def test_what_belongs_to_one_case_is_absent_through_another(stories: Stories) -> None:
    """Alice sees both of her cases; an exhibit, a statement, a file or a bundle of one is not there in the other."""
    wrong = []
    client = browser(stories.cast, "alice")
    for name, row in TABLE.items():
        route = ROUTES[name]
        if not row.sees or "case" not in route.holes or len(route.holes) < 2:
            continue
        for method in row.methods:
            absent = ask(client, method, address(route, {**stories.none, "case": stories.own["case"]}))
            for thing in (stories.second, stories.other):
                crossed = {**thing, "case": stories.own["case"]}
                answer = ask(client, method, address(route, crossed))
                if answer != absent or answer.status not in (404, 405):
                    wrong.append(f"{method} {name}: {answer.status}")
    assert wrong == []


def test_a_refused_request_leaves_no_trace(stories: Stories) -> None:
    """Whole forms, sent by those who may not, change nothing and are no entries."""
    whole = {
        "grade": "priority",
        "reason": scenes.REASON,
        "how": "ours",
        "text": "Something that should not be said.",
        "title": "Not mine to name",
        "to": stories.cast.id("bruno"),
        "actor": stories.cast.id("bruno"),
        "prosecutor": stories.cast.id("piers"),
        "name": "Somebody New",
        "reference_kind": "custody",
        "reference": "99/CT/00001/26",
        "type": "18",
        "recipient": "Somebody Else",
        "firm": "Nobody and Sons",
        "purpose": "to find out",
        "token": "t" * 20,
    }
    wrong, sent = [], 0
    for who in sorted(EVERYBODY):
        client = browser(stories.cast, who)
        for name, row in TABLE.items():
            if not row.sees or "POST" not in row.methods or who in row.sees["own"]:
                continue
            with undone():
                before = Entry.objects.count()
                client.post(address(ROUTES[name], stories.own), whole)
                sent += 1
                if Entry.objects.count() != before:
                    wrong.append(f"{who} {name}")
    assert wrong == []
    assert sent > 150


def test_a_bare_link_opens_nothing_and_says_the_same_as_no_link(stories: Stories) -> None:
    client = Client()

    def answer(method: str, link: str, code: str = "") -> Answer:
        found = ask(client, method, reverse("bench-open", args=[link]), {"code": code})
        return replace(found, body=CSRF.sub(b"", found.body.replace(link.encode(), b"LINK")))

    real, none, wrong = stories.release.link, "x" * 32, "00000-00000-00000-00000-0"
    assert answer("GET", real) == answer("GET", none)
    assert answer("POST", real, wrong) == answer("POST", none, wrong)
    assert answer("POST", none, stories.release.code) == answer("POST", none, wrong)


def test_the_code_opens_once_in_one_browser_and_nothing_for_another(stories: Stories) -> None:
    path, code = reverse("bench-open", args=[stories.release.link]), {"code": stories.release.code}
    first, second = Client(), Client()
    with undone():
        assert first.post(path, code).status_code == 303
        assert first.get("/bench/opened").status_code == 200
        assert ask(second, "POST", path, code).status == 400
        assert second.get("/bench/opened").status_code == 404
        assert Entry.objects.filter(act="release.opened").count() == 1


def test_tracking_with_wrong_words_reads_like_a_reference_that_does_not_exist(stories: Stories) -> None:
    from counterfoil.reports.models import Report

    real = Report.objects.order_by("received_at").first()
    assert real is not None

    def follow(reference: str) -> Answer:
        client = Client()
        with undone():
            client.post("/track", {"reference": reference, "words": "four wrong words here"})
            shown = ask(client, "GET", "/track")
        return replace(shown, body=CSRF.sub(b"", shown.body.replace(reference.encode(), b"REFERENCE")))

    from counterfoil.engines.refs import new_reference

    assert follow(real.reference) == follow(new_reference())


def test_one_visitors_draft_and_report_are_nothing_to_another(stories: Stories) -> None:
    mine = Client()
    with undone():
        scenes.draft(said=scenes.reachable(), session="theirs")
        mine.get("/")
        for name in (n for n in TABLE if n.startswith("portal:")):
            path = address(ROUTES[name], stories.none)
            for method in TABLE[name].methods:
                body = ask(mine, method, path).body
                for secret in (RHYS.name, RHYS.email, RHYS.phone, "IMG_0042"):
                    assert secret.encode() not in body, (name, method)


@pytest.mark.parametrize("sabotage", ["no case check", "another status", "another sentence"])
def test_a_door_left_open_is_noticed(
    stories: Stories, monkeypatch: pytest.MonkeyPatch, sabotage: str
) -> None:
    """The gate itself is tried: three ways of getting one view wrong, each of which the comparison must find."""
    from counterfoil.cases import queries
    from counterfoil.faces.desk.views import acting

    really: Callable[..., Any] = queries.case_for
    if sabotage == "no case check":
        monkeypatch.setattr(acting.cases, "case_for", lambda viewer, case: really(stories.cast.alice, case))
    elif sabotage == "another status":
        gone = acting.gone

        def refused(request: HttpRequest) -> HttpResponseBase:
            response = gone(request)
            response.status_code = 403 if str(stories.own["case"]) in request.path else 404
            return response

        monkeypatch.setattr(acting, "gone", refused)
    else:
        gone = acting.gone

        def talkative(request: HttpRequest) -> HttpResponseBase:
            response = gone(request)
            if str(stories.own["case"]) in request.path:
                response["X-Why"] = "it exists"
            return response

        monkeypatch.setattr(acting, "gone", talkative)
    client, route, row = browser(stories.cast, "charlie"), ROUTES["desk-case"], TABLE["desk-case"]
    absent = ask(client, "GET", address(route, stories.none))
    answer = ask(client, "GET", address(route, stories.own))
    assert judge("absent", answer, absent, row, "GET")


def test_the_table_names_everybody_and_nobody_twice() -> None:
    groups = (OFFICERS, PROSECUTORS, ADMINISTRATORS, DATA_PROTECTION, NOBODY)
    assert sum(map(len, groups)) == len(EVERYBODY)
