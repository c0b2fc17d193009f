"""Linkage: errors are seen through, guarded people never joined, identifiers last, a joining can be taken back."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench.contacts import make, write
from bench.numbers_linkage import DATA, MAPS, column, febrl, scores
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.linkage import Map, Store, columns, engine, guess, read, read_map
from counterfoil.engines.linkage.cluster import average
from counterfoil.engines.linkage.compare import Codes, Dates, Words
from counterfoil.engines.linkage.guards import Names, commons, forbids, may_be_one_name, used
from counterfoil.engines.linkage.identifiers import rename
from counterfoil.numbers import main

ALL = Map({"name": ("name",)}, frozenset(("household", "generations", "parts")))


def answer(store: Store) -> dict[Any, str]:
    ids, clusters = store.result()
    return dict(zip(ids.to_pylist(), clusters, strict=True))


@pytest.fixture(scope="module")
def contacts(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[dict[str, Any]], set[tuple[int, int]], Path]:
    rows, guarded = make(700, seed=3)
    path = tmp_path_factory.mktemp("contacts") / "contacts.csv"
    write(rows, path)
    return rows, guarded, path


@pytest.fixture(scope="module")
def linked(contacts: Any, tmp_path_factory: pytest.TempPathFactory) -> Store:
    _, _, path = contacts
    store = Store(tmp_path_factory.mktemp("linked") / "out.parquet")
    store.link(path, "id", read_map(MAPS / "contacts.toml", columns(path)))
    return store


def test_people_are_found_through_errors_and_no_guarded_pair_is_joined(contacts: Any, linked: Store) -> None:
    rows, guarded, _ = contacts
    found = answer(linked)
    p, r, _ = scores([found[x["id"]] for x in rows], [x["truth"] for x in rows])
    assert p > 0.97
    assert r > 0.9
    assert len(guarded) > 2000
    assert [(a, b) for a, b in guarded if found[a] == found[b]] == []


def test_without_guards_the_same_table_joins_people_of_one_home(contacts: Any, tmp_path: Path) -> None:
    _, guarded, path = contacts
    m = read_map(MAPS / "contacts.toml", columns(path))
    store = Store(tmp_path / "out.parquet")
    store.link(path, "id", Map(m.roles, frozenset(), m.bar))
    found = answer(store)
    assert any(found[a] == found[b] for a, b in guarded)


def hay(given: str, born: str = "") -> dict[str, Any]:
    return {"given": [given], "family": ["hay"], "born": born}


@pytest.mark.parametrize(
    ("a", "b", "guard"),
    [
        ({"incident": "i1", "part": "victim"}, {"incident": "i1", "part": "suspect"}, "parts"),
        ({"incident": "i1", "part": "victim"}, {"incident": "i2", "part": "suspect"}, ""),
        (hay("amy", "20010203"), hay("amie", "20010203"), "household"),
        (hay("robert"), hay("bob"), ""),
        (hay("robert"), hay("r"), ""),
        (hay("robert"), hay("rpbert"), ""),
        (
            {"given": ["robert"], "postcode": "ab11aa"},
            {"given": ["susan"], "postcode": "ab11aa"},
            "household",
        ),
        (hay("robert", "19600101"), hay("robert", "19880212"), "generations"),
        (hay("robert", "19600101"), hay("robert", "19060101"), ""),
        (hay("robert"), {"given": ["susan"], "family": ["morwood"]}, ""),
        (
            {"given": ["andrew"], "family": ["winhrust"], "born": "19920127", "place": ["garstone"]},
            {"given": ["rajesh"], "family": ["winhuest"], "born": "19920127", "place": ["garstone"]},
            "household",
        ),
        ({**hay("carl", "19670420"), "sex": ["male"]}, {**hay("carl"), "sex": ["female"]}, "household"),
        ({**hay("carl", "19670420"), "sex": ["male"]}, {**hay("carl", "19672004"), "sex": ["female"]}, ""),
    ],
)
def test_each_guard_speaks_when_it_should_and_only_then(
    a: dict[str, Any], b: dict[str, Any], guard: str
) -> None:
    assert (
        forbids(a, b, ALL, commons(used([a, b]), 2)) == guard == forbids(b, a, ALL, commons(used([a, b]), 2))
    )
    assert forbids(a, b, Map({}), commons(used([a, b]), 2)) == ""


def test_an_address_of_a_refuge_is_no_evidence_about_anybody(contacts: Any, linked: Store) -> None:
    rows, _, _ = contacts
    inside = [r["id"] for r in rows if r["refuge"]]
    assert len(inside) > 5
    kept = duckdb.connect().execute(f"SELECT id, row FROM '{linked.state}/rows-*.parquet'").fetchall()
    assert all(
        "haven" not in row and not json.loads(row).get("postcode", "").startswith("zz") for _, row in kept
    )


@pytest.fixture
def topped(contacts: Any, tmp_path: Path) -> tuple[Store, Path, list[dict[str, Any]]]:
    """Return a result of nine tenths of the contacts and the file of the rest."""
    rows, _, _ = contacts
    most, rest = rows[: len(rows) * 9 // 10], rows[len(rows) * 9 // 10 :]
    write(most, tmp_path / "most.csv")
    write(rest, tmp_path / "rest.csv")
    store = Store(tmp_path / "out.parquet")
    store.link(
        tmp_path / "most.csv", "id", read_map(MAPS / "contacts.toml", columns(tmp_path / "most.csv")), at="T0"
    )
    return store, tmp_path / "rest.csv", rows


def pair_agreement(a: dict[Any, str], b: dict[Any, str]) -> float:
    """Return the share of pairs together in either that are together in both."""
    ids = list(a)
    p, r, _ = scores([a[i] for i in ids], [b[i] for i in ids])
    return 1 / (1 / p + 1 / r - 1)


def test_new_records_join_much_as_in_a_full_run_and_no_identifier_moves_without_an_event(
    contacts: Any, linked: Store, topped: tuple[Store, Path, list[dict[str, Any]]]
) -> None:
    store, rest, rows = topped
    before = answer(store)
    told = store.add(rest, "id", at="T1")
    after = answer(store)
    assert len(after) == len(rows) == told["records"]
    assert pair_agreement(answer(linked), after) > 0.97
    events = [e for e in store.past() if e["run"] == 2]
    moves = {(v, e["from"], e["to"]) for e in events if "to" in e for v in e["records"]}
    assert moves == {(v, before.get(v), c) for v, c in after.items() if before.get(v) != c}
    assert {e["at"] for e in events} == {"T1"}
    _, guarded, _ = contacts
    assert not any(after[a] == after[b] for a, b in guarded)


def test_taking_back_the_last_addition_restores_every_identifier(topped: Any) -> None:
    store, rest, _ = topped
    before = answer(store)
    store.add(rest, "id")
    store.undo("last")
    assert answer(store) == before
    store.add(rest, "id")
    again = answer(store)
    store.undo("last")
    store.add(rest, "id")
    assert answer(store) == again
    store.undo("last")
    with pytest.raises(NotAllowed, match="Nothing was added"):
        store.undo("last")


def test_one_joining_taken_back_stays_taken_back(topped: Any, tmp_path: Path) -> None:
    store, rest, _ = topped
    store.add(rest, "id")
    event = next(e for e in store.past() if e["kind"] == "joined")
    store.undo(str(event["n"]))
    found = answer(store)
    one = event["records"][0]
    rest_of = [v for v, c in found.items() if c == event["to"]]
    assert found[one] != event["to"]
    assert rest_of
    with pytest.raises(NotAllowed, match="Nothing of event"):
        store.undo(str(event["n"]))
    every = tmp_path / "every.csv"
    with rest.open() as a, (tmp_path / "most.csv").open() as b:
        every.write_text(b.read() + "".join(a.readlines()[1:]))
    store.link(every, "id", read_map(MAPS / "contacts.toml", columns(every)))
    found = answer(store)
    assert all(found[one] != found[v] for v in rest_of)
    assert store.past()[-1]["run"] == 3


def test_names_common_in_the_whole_table_are_two_names_in_an_addition_too(tmp_path: Path) -> None:
    rows, _ = make(300, seed=6)
    for row in rows:
        row["given_name"] = {"carl": "zorin", "tim": "zorin", "earl": "zorim", "kwame": "zorim"}.get(
            row["given_name"], row["given_name"]
        )
    same = {
        **rows[0],
        "family_name": "ashbourne",
        "born": "",
        "sex": "",
        "phone": "07700900123",
        "email": "",
        "vehicle": "",
    }
    new = [
        {**same, "id": 900_001 + k, "given_name": name, "incident": f"x{k}", "part": "victim", "refuge": ""}
        for k, name in enumerate(("zorin", "zorim", "zorin"))
    ]
    write(rows, tmp_path / "most.csv")
    write(new, tmp_path / "new.csv")
    store = Store(tmp_path / "out.parquet")
    store.link(tmp_path / "most.csv", "id", read_map(MAPS / "contacts.toml", columns(tmp_path / "most.csv")))
    store.add(tmp_path / "new.csv", "id")
    found = answer(store)
    assert found[900_001] == found[900_003] != found[900_002]


def test_a_joining_taken_back_works_numbers_out_again_and_flags_those_that_changed(topped: Any) -> None:
    store, rest, _ = topped
    store.add(rest, "id")
    sizes = Counter(answer(store).values())
    event = next(e for e in store.past() if e["kind"] == "joined" and sizes[e["to"]] > len(e["records"]))
    told = store.undo(str(event["n"]))
    now = Counter(answer(store).values())
    assert told["numbers_changed"]["people"] == (len(sizes), len(now))
    flagged = [e for e in store.past() if e["kind"] == "number" and e["name"] == "people"][-1]
    undone = next(e for e in store.past() if e["n"] == flagged["because"])
    assert (flagged["was"], flagged["is"]) == (len(sizes), len(now))
    assert (undone["kind"], undone["of"]) == ("undone", event["n"])


def test_records_that_are_there_already_are_passed_over(topped: Any, contacts: Any) -> None:
    store, rest, rows = topped
    said: list[str] = []
    _, _, every = contacts
    assert store.add(every, "id", say=said.append)["added"] == len(rows) - len(rows) * 9 // 10
    assert "were there already" in said[0]
    assert store.add(rest, "id")["added"] == 0


def test_a_second_full_run_keeps_every_identifier(contacts: Any, tmp_path: Path) -> None:
    _, _, path = contacts
    store = Store(tmp_path / "out.parquet")
    m = read_map(MAPS / "contacts.toml", columns(path))
    store.link(path, "id", m)
    first = answer(store)
    store.link(path, "id", m)
    assert answer(store) == first
    assert [e["kind"] for e in store.past()] == ["full run", "full run"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", "D", None]), st.integers(0, 4)), min_size=1, max_size=30
    )
)
def test_identifiers_follow_groups_one_to_one_and_stay_with_most_of_their_records(
    rows: list[tuple[str | None, int]],
) -> None:
    before, groups = [b for b, _ in rows], np.array([g for _, g in rows])
    after = rename(list(range(len(rows))), before, groups, {b for b in before if b})
    assert len(set(zip(after, groups.tolist(), strict=True))) == len(set(after)) == len(set(groups.tolist()))
    for old in {b for b in before if b} & set(after):
        g = groups[after.index(old)]
        mine = sum(b == old and k == g for b, k in zip(before, groups, strict=True))
        assert all(
            mine >= sum(b == old and k == h for b, k in zip(before, groups, strict=True)) for h in groups
        )


def test_one_false_pair_chains_no_two_groups_together() -> None:
    pairs = [(a, b, 9.0) for block in (range(4), range(4, 8)) for a in block for b in block if a < b] + [
        (3, 4, 9.0)
    ]
    left, right, weight = (np.array(x) for x in zip(*pairs, strict=True))
    assert len(set(average(8, left, right, weight).tolist())) == 2
    held = np.where((left == 0) & (right == 1), -1e7, weight)
    assert len(set(average(2, np.array([0]), np.array([1]), np.array([9.0])).tolist())) == 1
    assert len(set(average(8, left, right, held).tolist())) > 2


def test_words_dates_and_codes_are_compared_as_people_would() -> None:
    names = Words("name")
    names.fit(
        [
            ["robert", "davidson"],
            ["r", "davidson"],
            ["davidson", "robert"],
            ["robret", "davison"],
            ["susan", "hay"],
            [],
        ]
    )
    names.weave()
    one = np.zeros(5, np.int64)
    bits, clash = names.shared(one, np.arange(1, 6))
    assert bits[1] > bits[0] > 0
    assert bits[2] > 0
    assert bits[3] == 0
    assert clash.tolist()[:4] == [0, 0, 0, 2]
    assert names.level(one, np.arange(1, 6))[4] == 0
    dates = Dates("born")
    dates.fit(["18460509", "18460509", "18460905", "18480509", "18460501", "17010203", ""])
    said = [dates.tell(int(v)) for v in dates.level(np.zeros(6, np.int64), np.arange(1, 7))]
    assert said == [
        "same year, same day", "same year, day and month swapped", "year off by one digit, same day",
        "same year, day or month off by one digit", "other year, other day", "blank on one side",
    ]  # fmt: skip
    codes = Codes("postcode")
    codes.fit(["st72sp", "st72sp", "st72sq", "st78nb", "st18nb", "cw15un", ""])
    assert codes.level(np.zeros(6, np.int64), np.arange(1, 7)).tolist() == [1, 3, 5, 6, 7, 0]


def test_why_two_records_are_together_or_not_is_said_in_bits(contacts: Any, linked: Store) -> None:
    _, guarded, _ = contacts
    found = answer(linked)
    by: dict[str, list[Any]] = {}
    for v, c in found.items():
        by.setdefault(c, []).append(v)
    one, other, *_ = next(v for v in by.values() if len(v) > 2)
    told = linked.explain(str(one), str(other))
    bits = [float(line.split()[0]) for line in told if line[:8].strip().startswith(("+", "-"))]
    assert abs(sum(bits[:-1]) - bits[-1]) < 0.1 * len(bits)
    assert told[-1].startswith("Together")
    a, b = min(guarded)
    assert any("guard" in line for line in linked.explain(str(a), str(b)))
    with pytest.raises(BadInput, match="no record 'nobody'"):
        linked.explain("nobody", str(a))


def test_the_command_writes_id_and_cluster_for_every_row_and_says_what_it_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, _ = make(120, seed=5)
    table = pa.table({"key": [f"r{x['id']}" for x in rows], "First Name": [x["given_name"] for x in rows],
                      "surname": [x["family_name"] for x in rows], "dob": [x["born"] for x in rows]})  # fmt: skip
    pq.write_table(table, tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    assert main(["link", str(tmp_path / "in.parquet"), "--id", "key", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "Guessed: given = First Name; family = surname; born = dob." in said.err
    got = pq.read_table(out)
    assert got.column_names == ["id", "cluster"]
    assert got.column("id").equals(table.column("key"))
    assert main(["link", "--out", str(out), "--explain", "r0", "r1"]) == 0
    assert "any two records drawn by chance" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "ident", "sentence"),
    [
        ("a,name\n1,x\n1,y\n", "a", "is not unique"),
        ("a,name\n1,x\n,y\n", "a", "1 rows have no a"),
        ("a,name\n1,x\n", "b", "no column 'b'"),
        ("a,name\n", "a", "no rows"),
        ("a,zz\n1,x\n", "a", "cannot be guessed"),
    ],
)
def test_what_cannot_be_linked_is_refused_in_a_sentence(
    tmp_path: Path, text: str, ident: str, sentence: str
) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=sentence):
        Store(tmp_path / "out.parquet").link(path, ident, guess(columns(path), but=ident))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[roles", "is not TOML"),
        ("about = 'x'", "has no .roles."),
        ("[roles]\nwho = ['a']", "'who' is no role"),
        ("[roles]\nname = 'a'", "takes a list"),
        ("[roles]\nname = ['elsewhere']", "None of the columns"),
        ("[roles]\nname = ['a']\n[guards]\nodd = true", "'odd' is no guard"),
    ],
)
def test_a_map_that_cannot_serve_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=sentence):
        read_map(path, ["a"])


def test_adding_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,name\n1,x\n")
    with pytest.raises(NotAllowed, match="There is no earlier result"):
        Store(tmp_path / "out.parquet").add(tmp_path / "in.csv", "id")


def test_new_records_may_lack_columns_but_not_all_that_are_compared(topped: Any, tmp_path: Path) -> None:
    store, _, _ = topped
    (tmp_path / "few.csv").write_text("id,given_name,family_name\n900001,quentin,ashbourne\n")
    assert store.add(tmp_path / "few.csv", "id")["added"] == 1
    (tmp_path / "none.csv").write_text("id,colour\n900002,red\n")
    with pytest.raises(BadInput, match="None of the columns that are compared"):
        store.add(tmp_path / "none.csv", "id")


def test_a_run_killed_while_writing_is_seen_and_mended(topped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, rest, _ = topped
    before = answer(store)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    for verb in ("_write", "_settle"):
        with monkeypatch.context() as patched:
            patched.setattr(store, verb, killed)
            with pytest.raises(KeyboardInterrupt):
                store.add(rest, "id")
        if verb == "_write":
            assert answer(store) == before
    with pytest.raises(NotAllowed, match="did not finish writing"):
        store.add(rest, "id")
    named = {v for e in store.past() if "to" in e for v in e["records"]}
    assert {v for v, c in answer(store).items() if before.get(v) != c} <= named
    numbers = [e["n"] for e in store.past()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_order_of_rows_and_the_run_make_no_difference(tmp_path: Path) -> None:
    rows, _ = make(150, seed=9)
    write(rows, tmp_path / "a.csv")
    answers = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.parquet"
        subprocess.run(
            [sys.executable, "-m", "counterfoil.cli", "link", str(tmp_path / "a.csv"), "--id", "id", "--map",
             str(MAPS / "contacts.toml"), "--out", str(out)],
            check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        answers.append(out.read_bytes())
    assert answers[0] == answers[1]


def test_every_map_names_only_known_roles_and_fits_its_table() -> None:
    for path in sorted(MAPS.glob("*.toml")):
        import tomllib

        roles = tomllib.loads(path.read_text())["roles"]
        names = [c for cs in roles.values() for c in cs]
        assert read_map(path, names).roles
    assert len(list(MAPS.glob("*.toml"))) >= 4


needs_data = pytest.mark.skipif(
    not DATA.is_dir(),
    reason=f"the real tables are not at {DATA}: linkage is NOT measured on them (set COUNTERFOIL_DATA)",
)


@needs_data
def test_invented_australians_are_all_found(tmp_path: Path) -> None:
    path = DATA / "dataset3.csv"
    store = Store(tmp_path / "out.parquet")
    store.link(path, "rec_id", read_map(MAPS / "febrl.toml", columns(path)))
    found = answer(store)
    assert scores(list(found.values()), febrl(list(found)))[2] >= 0.997


@needs_data
@pytest.mark.skipif(
    os.environ.get("COUNTERFOIL_DEPTH") != "full", reason="half a minute: COUNTERFOIL_DEPTH=full"
)
def test_half_of_the_historical_people_at_precision_97(tmp_path: Path) -> None:
    path = DATA / "historical_50k_half.parquet"
    store = Store(tmp_path / "out.parquet")
    store.link(path, "unique_id", read_map(MAPS / "historical_50k.toml", columns(path)))
    found, truth = answer(store), column(path, "unique_id", "cluster")
    p, _, f = scores(list(found.values()), [truth[v] for v in found])
    assert p >= 0.97
    assert f >= 0.90


def test_of_sure_pairs_the_surest_joins_first_where_one_stands_in_the_way_of_the_other() -> None:
    left, right = np.array([0, 0]), np.array([1, 2])
    held = np.array([1]), np.array([2])
    cluster = engine.group(3, left, right, np.array([13.0, 37.0]), held, bar=0.0)
    assert cluster.tolist() == [0, 1, 0]


def test_a_table_with_a_few_more_records_is_grouped_alike(contacts: Any) -> None:
    _, _, path = contacts
    m = read_map(MAPS / "contacts.toml", columns(path))
    _, rows = read.read(path, "id", m)
    few = len(rows) * 99 // 100
    before, after = engine.link(rows[:few], m), engine.link(rows, m)
    precision, recall, _ = scores(before.cluster.tolist(), after.cluster[:few].tolist())
    assert min(precision, recall) > 0.99
    most = [np.abs(before.learnt.model.weights[r] - w).max() for r, w in after.learnt.model.weights.items()]
    assert np.median(most) < 0.5


def test_people_of_one_home_teach_nothing_about_being_the_same() -> None:
    rng, rows, truth = np.random.default_rng(5), [], []
    given = ("oliver", "amelia", "george", "isla", "harry", "freya", "leo", "ruby")
    for home in range(600):
        family = "".join(rng.choice(list("bcdfglmnprst"), 7))
        shared = {
            "family": [family], "address": [str(home), "mill", "road"],
            "postcode": f"ab{home % 90}1xy", "phone": f"7700{home:06}",
        }  # fmt: skip
        for first in rng.choice(given, 4, replace=False).tolist():
            person = {**shared, "given": [first], "name": [first, family]}
            person["born"] = f"{rng.integers(1950, 2010)}{rng.integers(1, 13):02}{rng.integers(1, 29):02}"
            for _ in range(2 if rng.random() < 0.1 else 1):
                rows.append(person)
                truth.append((home, first))
    found = engine.link(rows, Map({"name": ("name",)}))
    assert found.learnt.model.weights["born"][-1] < -4
    precision, recall, _ = scores(found.cluster.tolist(), [str(t) for t in truth])
    assert min(precision, recall) > 0.9


@pytest.mark.parametrize(
    ("a", "b", "may"),
    [
        ("maggie", "margaret", True),
        ("mararet", "maegaret", True),
        ("suean", "sue", True),
        ("mck", "michael", True),
        ("svetalna", "sevtlana", True),
        ("amy", "amie", False),
        ("carl", "earl", False),
        ("oliver", "amelia", False),
        ("tim", "jim", False),
        ("m", "margaret", True),
    ],
)
def test_first_names_may_be_one_through_slips_and_short_forms_never_when_both_are_in_use(
    a: str, b: str, may: bool
) -> None:
    names = Names(("svetlana", "amy", "amie", "carl", "earl", "oliver", "amelia", "tim", "jim", "margaret"))
    assert may_be_one_name(a, b, names) == may_be_one_name(b, a, names) == may
