"""Hotspots on the desk: off until an inspector has looked at who lives where they point; places only; patrols."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone
from tests import published
from tests.cast import HOME, Cast
from tests.desk.signing import signed_in

from counterfoil.accounts.rules import Viewer
from counterfoil.config import promises
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger import queries as ledger
from counterfoil.measures import hotspots
from counterfoil.measures.actions import import_crimes
from counterfoil.places import actions as places

pytestmark = pytest.mark.django_db
WHY = "Reports of robbery cluster by the two stations; the ward panel has seen this and agrees."
AREAS = 75


def months(first: int, many: int) -> list[str]:
    """Return months as published, from a number of months after January 2021."""
    return [f"{2021 + (first + m) // 12}-{(first + m) % 12 + 1:02}" for m in range(many)]


def code(i: int) -> str:
    """Return an invented area's code."""
    return f"E0100{i:04}"


def publish(folder: Path, these: list[str], *, quieter: tuple[str, ...] = ()) -> Path:
    """Write months of an invented force: a few areas have most of the robberies; some kinds come of looking."""
    for month in these:
        rng = np.random.default_rng(int(month.replace("-", "")))
        rows = []
        for i in range(AREAS):
            place = {
                "area": code(i), "area_name": f"Moorside 00{i}A", "month": month,
                "lon": f"{-1.3 + 0.01 * (i % 10):.6f}", "lat": f"{54.5 + 0.01 * (i // 10):.6f}",
            }  # fmt: skip
            rate = (9.0 if i < 4 else 0.4) * (0.3 if place["area"] in quieter else 1.0)
            for kind, mean in (
                ("Robbery", rate),
                ("Burglary", 0.6),
                ("Drugs", 1.0),
                ("Possession of weapons", 0.3),
            ):
                rows += [published.crime(kind=kind, **place) for _ in range(rng.poisson(mean))]
        published.write(folder, month, "cleveland", rows)
    return folder


def people(folder: Path) -> Path:
    """Write who lives in each area: the areas with most robberies are among the most deprived."""
    file = folder / "people.csv"
    lines = ["LSOA code,Decile,Population"] + [f"{code(i)},{1 + (i // 4) % 10},1500" for i in range(AREAS)]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def town(cast: Cast, home: Path, tmp_path: Path) -> Cast:
    """Return the cast, whose home force has fourteen published months and the people of its areas held."""
    cast.queue()
    places.load_force(HOME, "cleveland", "Moorside Constabulary", by=Viewer.clock())
    import_crimes([publish(tmp_path / "site", months(0, 14))], by=Viewer.clock())
    hotspots.import_people(people(tmp_path), by=Viewer.clock())
    return cast


def on(cast: Cast, kind: str = "Robbery") -> hotspots.Hotspots:
    """Switch a type on as an inspector should, and return what staff then see."""
    seen = hotspots.look(cast.ines, kind)
    assert seen is not None
    assert seen.equality is not None
    hotspots.switch_on(kind, seen=seen.equality.digest, looked=True, reason=WHY, by=cast.ines)
    found = hotspots.look(cast.alice, kind)
    assert found is not None
    return found


def test_it_points_nowhere_until_an_inspector_has_looked_and_given_a_reason(town: Cast) -> None:
    before = hotspots.look(town.alice, "Robbery")
    assert before is not None
    assert (before.on, before.surface, before.equality) == (False, None, None)
    assert "Moorside 00" not in signed_in(town, "alice").get("/desk/hotspots").content.decode()
    seen = hotspots.look(town.ines, "Robbery")
    assert seen is not None
    assert seen.equality is not None
    assert seen.surface is None
    digest = seen.equality.digest
    for kept, how in (
        ("Only an inspector", {"by": town.alice, "seen": digest, "looked": True, "reason": WHY}),
        ("say that you have", {"by": town.ines, "seen": digest, "looked": False, "reason": WHY}),
        ("at least 20", {"by": town.ines, "seen": digest, "looked": True, "reason": "ok"}),
        ("Look again", {"by": town.ines, "seen": "0" * 64, "looked": True, "reason": WHY}),
    ):
        with pytest.raises((BadInput, NotAllowed), match=kept):
            hotspots.switch_on("Robbery", **how)  # type: ignore[arg-type]
    found = on(town)
    assert found.surface is not None
    assert {s.code for s in found.surface.spots} <= {code(i) for i in range(4)}
    [line] = ledger.entries_of(town.ines, "hotspots", f"{HOME}:Robbery")
    assert line.act == "hotspots.switched_on"
    assert WHY not in json.dumps(line.body)
    assert hotspots.document(line.body["document"])["reason"] == WHY


def test_without_the_people_of_its_areas_it_cannot_be_switched_on(
    cast: Cast, home: Path, tmp_path: Path
) -> None:
    cast.queue()
    places.load_force(HOME, "cleveland", "Moorside Constabulary", by=Viewer.clock())
    import_crimes([publish(tmp_path / "site", months(0, 8))], by=Viewer.clock())
    seen = hotspots.look(cast.ines, "Robbery")
    assert seen is not None
    assert seen.equality is not None
    assert "not held" in seen.equality.why_not
    with pytest.raises(NotAllowed, match="not held"):
        hotspots.switch_on("Robbery", seen=seen.equality.digest, looked=True, reason=WHY, by=cast.ines)


def test_new_months_ask_for_another_look(town: Cast, tmp_path: Path) -> None:
    assert on(town).on
    import_crimes([publish(tmp_path / "more", months(14, 1))], by=Viewer.clock())
    found = hotspots.look(town.alice, "Robbery")
    assert found is not None
    assert (found.on, found.state, found.surface) == (False, "again", None)


def test_switched_off_it_points_nowhere_again(town: Cast) -> None:
    on(town)
    with pytest.raises(NotAllowed):
        hotspots.switch_off("Robbery", reason="The panel asked for it.", by=town.gwen)
    hotspots.switch_off("Robbery", reason="The panel asked for it.", by=town.ines)
    found = hotspots.look(town.alice, "Robbery")
    assert found is not None
    assert (found.on, found.surface) == (False, None)
    with pytest.raises(NotAllowed, match="off already"):
        hotspots.switch_off("Robbery", reason="The panel asked for it.", by=town.ines)


def test_what_officers_find_is_no_input(town: Cast) -> None:
    found = hotspots.look(town.ines)
    assert found is not None
    assert found.kinds == ("Burglary", "Robbery")
    for kind in ("Drugs", "Possession of weapons"):
        assert hotspots.look(town.ines, kind) is None
        with pytest.raises(NotAllowed):
            hotspots.switch_on(kind, seen="", looked=True, reason=WHY, by=town.ines)


def test_patrols_are_planned_where_it_is_on_logged_and_judged(town: Cast, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="off"):
        hotspots.make_plan("Robbery", spots=1, units=1, minutes=120, by=town.ines)
    on(town)
    with pytest.raises(NotAllowed, match="inspector"):
        hotspots.make_plan("Robbery", spots=1, units=1, minutes=120, by=town.alice)
    made = hotspots.make_plan("Robbery", spots=2, units=2, minutes=120, by=town.ines)
    card = hotspots.plan_for(town.alice, made)
    assert card is not None
    assert min(card.planned.values()) >= 15
    assert card.minutes <= 240
    assert "No month since" in card.trial
    area, today = next(iter(card.names)), timezone.localdate()
    for kept, how in (
        ("place of the plan", {"area": "E01999999", "minutes": 15, "day": today}),
        ("from 1 to 240", {"area": area, "minutes": 0, "day": today}),
        ("until today", {"area": area, "minutes": 15, "day": today + timedelta(days=1)}),
    ):
        with pytest.raises(BadInput, match=kept):
            hotspots.log_visit(made, by=town.alice, **how)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        hotspots.log_visit(made, area, 15, today, by=town.charlie)
    hotspots.log_visit(made, area, 15, today, by=town.alice)
    hotspots.log_visit(made, area, 10, today, by=town.bruno)
    card = hotspots.plan_for(town.ines, made)
    assert card is not None
    assert card.logged[area] == 25
    import_crimes([publish(tmp_path / "after", months(14, 6), quieter=tuple(card.names))], by=Viewer.clock())
    card = hotspots.plan_for(town.ines, made)
    assert card is not None
    assert card.trial.startswith("It worked: -")
    assert "6 months since" in card.trial
    assert hotspots.plan_for(town.gwen, made) is None
    assert [said for said in promises.broken() if "patrol" in said or "name, an address" in said] == []


def test_an_inspector_walks_the_pages_from_looking_to_logging(town: Cast) -> None:
    client = signed_in(town, "ines")
    page = client.get("/desk/hotspots?kind=Robbery").content.decode()
    assert "Who lives where it points" in page
    assert "Near repeats need the day" in page
    digest = page.partition('name="seen" value="')[2][:64]
    asked = {"kind": "Robbery", "seen": digest, "on": "yes", "looked": "", "reason": WHY}
    refused = client.post("/desk/hotspots", asked)
    assert refused.status_code == 400
    assert WHY.split(";", maxsplit=1)[0] in refused.content.decode()
    done = client.post("/desk/hotspots", {**asked, "looked": "yes"}, follow=True).content.decode()
    assert "<svg viewBox" in done
    assert "in 100)" in done
    assert "Moorside 00" in done
    made = client.post(
        "/desk/patrols/new", {"kind": "Robbery", "spots": "2", "units": "1", "minutes": "120", "token": "a"}
    )
    assert made.status_code == 303
    path = made["Location"]
    again = client.post(
        "/desk/patrols/new", {"kind": "Robbery", "spots": "2", "units": "1", "minutes": "120", "token": "a"}
    )
    assert again["Location"] == path
    assert client.post("/desk/patrols/new", {"kind": "Robbery", "spots": "x"}).status_code == 400
    officer = signed_in(town, "alice")
    card = hotspots.plan_for(town.alice, UUID(path.rsplit("/", 1)[1]))
    assert card is not None
    visit = {"area": next(iter(card.names)), "minutes": "15", "day": str(timezone.localdate())}
    assert officer.post(path, visit).status_code == 303
    assert officer.post(path, {**visit, "day": "soon"}).status_code == 400
    assert "15</td></tr>" in officer.get(path).content.decode()


def test_a_document_that_was_changed_is_not_believed(town: Cast, home: Path) -> None:
    on(town)
    made = hotspots.make_plan("Robbery", spots=1, units=1, minutes=60, by=town.ines)
    for file in (home / "tables" / "hotspots").glob("*.json"):
        file.write_text(file.read_text().replace("Pair", "Pear"))
    with pytest.raises(Exception, match="no longer has the bytes"):
        hotspots.plan_for(town.ines, made)


def test_a_table_of_people_needs_its_headings(cast: Cast, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("LSOA code,Name\nE01000001,A\n")
    with pytest.raises(BadInput, match="area code, decile and population"):
        hotspots.import_people(file, by=Viewer.clock())
    with pytest.raises(NotAllowed, match="administrator"):
        hotspots.import_people(file, by=cast.ines)
