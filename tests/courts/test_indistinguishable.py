"""The defence's bundle is a function of what is disclosed: cases alike but for what is sensitive give the same bytes.

Each history below is told twice. Once the second photo, the second statement and all that is done with them belong to
the case and are sensitive; once they belong to another case of the same officer. Identifiers, times, indexes and salts
are numbered as they appear, because they differ by design; then every file must be byte-equal.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from tests import scenes
from tests.cast import Cast
from tests.scenes import Scene

from counterfoil.courts import actions as courts
from counterfoil.courts.disclosure import contents
from counterfoil.courts.gather import gather
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import material
from counterfoil.ledger.models import Entry
from counterfoil.reports.models import Report

pytestmark = pytest.mark.django_db
FIXED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
# Digests of what holds a time or an identifier; those of files and titles stay as they are.
DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


@dataclasses.dataclass
class Told:
    """A story with the case that goes to court, and the case to which the second photo and statement belong."""

    ours: Scene
    theirs: Scene
    secret: bool
    photo: UUID | None = None
    statement: UUID | None = None
    third: UUID | None = None

    @property
    def home(self) -> Scene:
        return self.ours if self.secret else self.theirs


def story(secret: bool) -> Told:
    """Alice works on two burglaries at once. The second photo and the second statement are of one or the other."""
    cast = Cast()
    files = tuple((f"IMG_{n}.jpg", scenes.photo(n)) for n in (1, 2, 3)[: 3 if secret else 2])
    ours = scenes.suspected(
        cast, files=(files[0], ("third.jpg", scenes.photo(9)), *files[1:2][: int(secret)])
    )
    theirs = scenes.recorded(cast, session="2", files=(("IMG_2.jpg", scenes.photo(2)),))
    told = Told(ours, theirs, secret)
    home = told.home
    upload = home.files[-1] if secret else home.files[0]
    told.photo = evidence.seal(home.case, upload, "Photo that a neighbour took from the window", by=home.by)
    told.statement = evidence.take_statement(home.case, scenes.statement("Wilf Arkwright"), by=home.by)
    evidence.take_statement(ours.case, scenes.statement("Nerys Oldacre"), by=ours.by)
    told.third = evidence.seal(ours.case, ours.files[1], "Photo of the back door", by=ours.by)
    material.decide(ours.case, "exhibit", ours.exhibit, "used", by=ours.by)  # type: ignore[arg-type]
    for i in material.items_of(ours.by, ours.case):
        if i.kind == "statement" and i.id != told.statement:
            material.decide(ours.case, "statement", i.id, "used", by=ours.by)
    scenes.unused(ours, told.third, "Photo of the back door, on which nobody is seen")
    return told


def hide(told: Told) -> None:
    """Both are sensitive from the first decision on."""
    scenes.sensitive(told.home, told.photo, "Photo of the gate by a neighbour who is afraid")  # type: ignore[arg-type]
    material.decide(
        told.home.case,
        "statement",
        told.statement,  # type: ignore[arg-type]
        "sensitive",
        description="Statement of a neighbour who is afraid",
        location="Safe of the intelligence unit",
        reason="It names somebody at risk.",
        by=told.home.by,
    )


def hidden_later(told: Told) -> None:
    """The photo stood on a signed MG6C that was built into a bundle; then it turned out to be sensitive."""
    scenes.unused(told.home, told.photo, "Photo of the gate taken from a window")  # type: ignore[arg-type]
    material.decide(told.home.case, "statement", told.statement, "used", by=told.home.by)  # type: ignore[arg-type]
    if told.secret:
        scenes.signed(told.ours)
        built(courts.ask_bundle(told.ours.case, by=told.ours.by))
    hide(told)


def used_then_hidden(told: Told) -> None:
    """The photo was used at first, viewed and handed over, and a bundle for the defence was built with it."""
    material.decide(told.home.case, "exhibit", told.photo, "used", by=told.home.by)  # type: ignore[arg-type]
    material.decide(told.home.case, "statement", told.statement, "used", by=told.home.by)  # type: ignore[arg-type]
    evidence.retitle(told.home.case, told.photo, "Photo by Wilf Arkwright", by=told.home.by)  # type: ignore[arg-type]
    evidence.hand_over(told.home.case, told.photo, told.home.cast.id("bruno"), scenes.REASON, by=told.home.by)  # type: ignore[arg-type]
    if told.secret:
        scenes.signed(told.ours)
        built(courts.ask_bundle(told.ours.case, by=told.ours.by))
    hide(told)


def built(bundle: UUID) -> None:
    """Keep both bundles of a pair as built, with what they hold, without making their archives."""
    for row in (Bundle.objects.get(pk=bundle), *Bundle.objects.filter(source_id=bundle)):
        row = Bundle.objects.select_related("source").get(pk=row.pk)
        holds = contents(row)
        Bundle.objects.filter(pk=row.pk).update(
            state="built",
            sha256="0" * 64,
            size=1,
            built_at=timezone.now(),
            holds=sorted(holds.keys),
            mg6c_id=holds.mg6c,
            mg6d_id=holds.mg6d,
            served=holds.served,
        )


@contextmanager
def world() -> Iterator[None]:
    """Let something happen and take it all back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def defence(history: Callable[[Told], None], secret: bool) -> dict[str, bytes]:
    """Return every file of the defence's bundle that is made from facts, after a history."""
    with world():
        told = story(secret)
        history(told)
        scenes.signed(told.ours)
        source = courts.ask_bundle(told.ours.case, by=told.ours.by)
        built(source)
        Report.objects.update(received_at=FIXED, reported_at=FIXED)
        for n, e in enumerate(Entry.objects.order_by("at", "id")):
            Entry.objects.filter(pk=e.pk).update(index=n)
        row = Bundle.objects.select_related("source").get(source_id=source)
        made = engine.payload(plain(gather(row, FIXED)), None, reseal=lambda pdf, _: pdf)  # type: ignore[arg-type]
        files = {}
        for m in made.members:
            with m.open() as f:
                files[m.path] = f.read()
        return files | dict(made.annex)


def plain(facts: engine.BundleFacts) -> engine.BundleFacts:
    """Number identifiers, times, indexes and salts as they appear."""
    ids: dict[str, str] = {}
    times: dict[str, int] = {}
    digests: dict[str, str] = {d: d for d in [x.sha256 for x in facts.exhibits] + list(facts.titles)}

    def text(t: str) -> str:
        t = ID.sub(lambda m: ids.setdefault(m[0], f"00000000-0000-4000-8000-{len(ids):012}"), t)
        t = DIGEST.sub(lambda m: digests.setdefault(m[0], f"{len(digests):064}"), t)
        return TIME.sub(lambda m: moment(times.setdefault(m[0], len(times))), t)

    def moment(n: int) -> str:
        return (FIXED + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def walk(v: Any, n: list[int]) -> Any:
        if isinstance(v, str):
            return text(v)
        if isinstance(v, datetime):
            return datetime.fromisoformat(text(v.astimezone(UTC).isoformat()))
        if isinstance(v, engine.EventFacts):
            n[0] += 1
            # A queue's number goes on where another story was undone (PostgreSQL); it is the same queue in both.
            queue = {"queue": "1"} if "queue" in v.body else {}
            return dataclasses.replace(
                v, index=n[0], salt=bytes(32), body=walk(dict(sorted({**v.body, **queue}.items())), n)
            )
        if dataclasses.is_dataclass(v) and not isinstance(v, type):
            return dataclasses.replace(
                v, **{f.name: walk(getattr(v, f.name), n) for f in dataclasses.fields(v)}
            )
        if isinstance(v, dict):
            return {walk(k, n): walk(x, n) for k, x in v.items()}
        if isinstance(v, list | tuple):
            return [walk(x, n) for x in v]
        return v

    return walk(facts, [0])  # type: ignore[no-any-return]


@pytest.mark.parametrize("history", [hide, hidden_later, used_then_hidden], ids=lambda h: h.__name__)
def test_two_cases_alike_but_for_what_is_sensitive_give_the_defence_the_same_bytes(
    history: Callable[[Told], None],
) -> None:
    with_secrets, without = defence(history, secret=True), defence(history, secret=False)
    assert sorted(with_secrets) == sorted(without)
    assert "data/report.pdf" in without
    assert "data/exhibits/AB-3/master" not in str(sorted(without)), "what is unused is listed, not copied"
    annex = [json.loads(told["data/exhibits.json"])["annex"] for told in (with_secrets, without)]
    assert annex[0] == annex[1]
    for name, content in without.items():
        assert with_secrets[name] == content, name
    (issue,) = json.loads(without["data/schedules/MG6C.json"])["issues"]
    assert [i["number"] for i in issue["items"]] == [1]


def test_the_comparison_sees_what_it_should() -> None:
    """A thing that is disclosed does make a difference, so equality above means something."""

    def told_openly(told: Told) -> None:
        material.decide(told.home.case, "statement", told.statement, "used", by=told.home.by)  # type: ignore[arg-type]
        scenes.unused(told.home, told.photo, "Photo of the gate taken from a window")  # type: ignore[arg-type]

    one, other = defence(told_openly, secret=True), defence(told_openly, secret=False)
    differing = {n for n in set(one) | set(other) if one.get(n) != other.get(n)}
    assert {"data/schedules/MG6C.json", "data/report.pdf", "data/exhibits.json"} <= differing
