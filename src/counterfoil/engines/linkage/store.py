"""What is kept beside a result, so that new records join in seconds and every change of an identifier can be undone.

`OUT.parquet` holds id and cluster. `OUT.events.jsonl` is the log: one line for every run and every identifier that
moved. `OUT.state/` holds what later runs need: `learnt.json`, and for each run the rows, their keys and the pairs
weighed, in Parquet. Deleting the state costs a full run; deleting the events, the past.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.linkage import block, engine, explain, guards, read
from counterfoil.engines.linkage.engine import Learnt
from counterfoil.engines.linkage.identifiers import changed, mint, moves, numbers, rename
from counterfoil.engines.linkage.maps import Map
from counterfoil.engines.linkage.model import levels_of
from counterfoil.engines.rows import database

Ints = NDArray[np.int64]
Row = dict[str, Any]
Say = Callable[[str], None]
FORMAT = 2
REFRESH = 0.1
"""Weights and counts of words are those of the last full run; when this share has been added, another is due."""


class Store:
    """A result and what is kept beside it."""

    def __init__(self, out: Path, events: Path | None = None) -> None:
        self.out = out
        stem = out.with_suffix("") if out.suffix == ".parquet" else out
        self.state = stem.with_name(stem.name + ".state")
        self.events = events or stem.with_name(stem.name + ".events.jsonl")

    # What is there

    def there(self) -> bool:
        """Return whether an earlier result can be added to."""
        return self.out.is_file() and (self.state / "learnt.json").is_file()

    def settings(self) -> dict[str, Any]:
        """Return what was kept about the runs; NotAllowed when there is nothing to go on from."""
        if not self.there():
            raise NotAllowed(
                f"There is no earlier result at {self.out} with {self.state.name} beside it. Link without --add first."
            )
        try:
            kept: dict[str, Any] = json.loads((self.state / "learnt.json").read_text(encoding="utf-8"))
        except ValueError:
            raise NotAllowed(f"{self.state / 'learnt.json'} is damaged. Link again without --add.") from None
        if kept.get("format") != FORMAT:
            raise NotAllowed(f"{self.state} was made by another version. Link again without --add.")
        return kept

    def result(self) -> tuple[Any, list[str]]:
        """Return the ids (an Arrow column) and clusters of the result."""
        t = pq.read_table(self.out)
        return t.column("id").combine_chunks(), t.column("cluster").to_pylist()

    def _whole(self, kept: Mapping[str, Any]) -> tuple[Any, list[str]]:
        """Return the result; NotAllowed when a run was killed between writing it and its state."""
        ids, clusters = self.result()
        if len(ids) != sum(kept["sizes"]):
            raise NotAllowed(
                f"The last run did not finish writing {self.out}. Link all records again without --add."
            )
        return ids, clusters

    def _tidy(self, runs: Sequence[int]) -> None:
        """Remove what other runs than these left."""
        for part in self.state.glob("*-*.parquet"):
            if int(part.stem.rpartition("-")[2]) not in runs:
                part.unlink()

    def past(self) -> list[dict[str, Any]]:
        """Return the events, oldest first."""
        if not self.events.is_file():
            return []
        with self.events.open(encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.strip()]

    def _sql(self, name: str, runs: Sequence[int]) -> str:
        """Return what reads one kind of file of these runs: what a killed run left is passed over."""
        files = (str(self.state / f"{name}-{run:05}.parquet").replace("'", "''") for run in runs)
        return "read_parquet([" + ", ".join(f"'{f}'" for f in files) + "])"

    # Writing

    def _write(self, ids: Any, clusters: Sequence[str]) -> None:
        made = self.out.with_name(self.out.name + ".new")
        pq.write_table(pa.table({"id": ids, "cluster": pa.array(clusters, pa.string())}), made)
        os.replace(made, self.out)

    def _keep(self, name: str, run: int, table: Any) -> None:
        pq.write_table(table, self.state / f"{name}-{run:05}.parquet", compression="zstd")

    def _settle(self, kept: Mapping[str, Any]) -> None:
        made = self.state / "learnt.json.new"
        made.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(made, self.state / "learnt.json")

    def _log(self, lines: Iterable[Mapping[str, Any]], first: int) -> None:
        """Append events, durably, before what they tell of is written; what a killed run left is dropped first."""
        past = self.past()
        standing = [e for e in past if e["n"] < first]
        if len(standing) < len(past):
            made = self.events.with_name(self.events.name + ".new")
            made.write_text("".join(json.dumps(e) + "\n" for e in standing), encoding="utf-8")
            os.replace(made, self.events)
        with self.events.open("a", encoding="utf-8") as f:
            for line in lines:
                f.write(json.dumps(line) + "\n")
            f.flush()
            os.fsync(f.fileno())

    # Verbs

    def link(
        self,
        path: Path,
        ident: str,
        m: Map,
        *,
        at: str = "",
        say: Say = lambda _: None,
        on_spark: bool = False,
    ) -> dict[str, Any]:
        """Group all records of a table; identifiers of an earlier result are kept where their records stay together.

        With `on_spark` pairs are found and weighed by Apache Spark, to the same answer.
        """
        ids, rows = read.read(path, ident, m)
        n, names = len(ids), ids.to_pylist()
        old: dict[Any, str] = {}
        apart: list[list[list[Any]]] = []
        run, number = 1, 1
        if self.there():
            kept = self.settings()
            was, clusters = self.result()
            old = dict(zip(was.to_pylist(), clusters, strict=True))
            apart, run, number = kept["apart"], kept["run"] + 1, kept["next"]
        where = {v: i for i, v in enumerate(names)} if apart else {}
        self.state.mkdir(parents=True, exist_ok=True)
        self._rows(rows, ids, run)
        if on_spark:
            found = self._on_spark(rows, m, run, apart=_places(apart, where), say=say)
        else:
            keyed = block.keyed(rows)
            self._keys(keyed, run, block.largest(n))
            found = engine.link(rows, m, keyed, apart=_places(apart, where), say=say)
            del keyed
        del rows
        before = [old.get(v) for v in names]
        after = rename(names, before, found.cluster, set(old.values()))
        lines: list[dict[str, Any]] = []
        now = numbers(after)
        if old:
            here = set(names)
            gone = [v for v in old if v not in here]
            lines = moves(names, before, after, number + 1, run, at)
            if gone:
                lines.append(
                    {"n": number + 1 + len(lines), "run": run, "at": at, "kind": "left out", "records": gone}
                )
            lines += changed(kept.get("numbers", {}), now, number + 1 + len(lines), run, at, number)
        people = now["people"]
        head = {"n": number, "run": run, "at": at, "kind": "full run", "records": n, "clusters": people}
        lines.insert(0, head)
        self._pairs(found.left, found.right, found.score, run)
        self._log(lines, number)
        self._write(ids, after)
        self._settle(
            {
                "format": FORMAT, "id": ident, "map": m.to_json(), "run": run, "next": number + len(lines),
                "apart": apart, "sizes": [n], "runs": [run], "numbers": now, **found.learnt.to_json(),
            }
        )  # fmt: skip
        self._tidy([run])
        return {"records": n, "clusters": people, "kept_apart": found.kept_apart, "events": len(lines)}

    def _on_spark(self, rows: Sequence[Row], m: Map, run: int, **how: Any) -> engine.Found:
        from counterfoil.engines.linkage import spark

        n, text, made = len(rows), self.state / f"rows-{run:05}.parquet", self.state / "keys.spark"
        found = engine.link(rows, m, elsewhere=lambda learnt: spark.weigh(text, n, learnt, made), **how)
        con, largest = self._database(), block.largest(n)
        con.execute(f"CREATE TEMP VIEW made AS FROM read_parquet('{made}/*.parquet')")
        con.execute(
            f"CREATE TEMP TABLE many AS SELECT key FROM made GROUP BY key HAVING count(*) > {largest} ORDER BY key"  # noqa: S608
        )
        for name, sql in (
            ("many", "many"),
            ("keys", "made WHERE key NOT IN (SELECT key FROM many) ORDER BY key, spot"),
        ):
            con.execute(f"COPY (FROM {sql}) TO '{self.state}/{name}-{run:05}.parquet' (COMPRESSION zstd)")
        shutil.rmtree(made)
        return found

    def _rows(self, rows: Sequence[Row], ids: Any, run: int, start: int = 0) -> None:
        parts, path = 100_000, self.state / f"rows-{run:05}.parquet"
        shape = pa.schema([("spot", pa.int32()), ("id", ids.type), ("row", pa.string())])
        with pq.ParquetWriter(path, shape, compression="zstd") as out:
            for k in range(0, len(rows), parts):
                some = rows[k : k + parts]
                spot = pa.array(np.arange(start + k, start + k + len(some), dtype=np.int32))
                text = pa.array([json.dumps(r, separators=(",", ":")) for r in some], pa.string())
                out.write_table(pa.table([spot, ids.slice(k, len(some)), text], schema=shape))

    def _keys(self, keyed: block.Keyed, run: int, largest: int) -> None:
        """Keep which record has which key; of keys that too many share, only the key itself, in a file of its own."""
        who, key = keyed
        new = np.ones(len(key), bool)
        new[1:] = key[1:] != key[:-1]
        begins = np.nonzero(new)[0]
        df = np.diff(np.append(begins, len(key)))
        crowded = np.repeat(df > largest, df)
        self._keep("many", run, pa.table({"key": key[begins[df > largest]]}))
        self._keep("keys", run, pa.table({"key": key[~crowded], "spot": who[~crowded]}))

    def _pairs(self, left: Ints, right: Ints, score: NDArray[np.float64], run: int) -> None:
        a, b, w = left.astype(np.int32), right.astype(np.int32), score.astype(np.float32)
        self._keep("pairs", run, pa.table({"a": a, "b": b, "w": w}))

    def add(self, path: Path, ident: str, *, at: str = "", say: Say = lambda _: None) -> dict[str, Any]:
        """Group new records with those of the earlier result; nothing far from them is touched."""
        kept = self.settings()
        m, learnt = Map.from_json(kept["map"]), Learnt.from_json(kept)
        new_ids, new_rows = read.read(path, ident, m)
        old_ids, old_clusters = self._whole(kept)
        self._tidy(kept["runs"])
        if new_ids.type != old_ids.type:
            try:
                new_ids = new_ids.cast(old_ids.type)
            except pa.ArrowInvalid:
                raise BadInput(
                    "--id", f"{ident} is {new_ids.type} here and was {old_ids.type} before."
                ) from None
        known = pa.compute.is_in(new_ids, value_set=old_ids).to_numpy(zero_copy_only=False)
        if known.any():
            say(f"{int(known.sum()):,} records were there already and are passed over.")
            fresh = np.nonzero(~known)[0]
            new_ids, new_rows = new_ids.take(pa.array(fresh)), [new_rows[i] for i in fresh.tolist()]
        codes, cluster_names = _codes(old_clusters)
        if not new_rows:
            return {"records": len(old_ids), "clusters": len(cluster_names), "added": 0, "events": 0}
        run, number, start = kept["run"] + 1, kept["next"], len(old_ids)
        self._rows(new_rows, new_ids, run, start)
        keyed = block.keyed(new_rows, start)
        self._keys(keyed, run, len(keyed[0]))
        con = self._database()
        rivals = self._rivals(con, keyed, start + len(new_rows), kept["runs"])
        say(f"{len(new_rows):,} new records; {len(rivals[0]):,} pairs worth comparing.")
        local_old = block.distinct(rivals[0][rivals[0] < start])
        rows = self._fetch(con, local_old, kept["runs"])
        local, rows = np.concatenate([local_old, np.arange(start, start + len(new_rows))]), rows + new_rows
        left, right = np.searchsorted(local, rivals[0]), np.searchsorted(local, rivals[1])
        comparisons = engine.comparisons_for(rows, learnt)
        score = learnt.model.score(levels_of(comparisons, left, right))
        ga, gb, gw = local[left], local[right], score
        # Whose clusters do new records touch? Those are grouped again, with the pairs weighed before.
        touched = np.unique(np.concatenate([ga[gw > m.bar], gb[gw > m.bar]]))
        hit = np.unique(codes[touched[touched < start]])
        members = np.nonzero(np.isin(codes, hit))[0]
        local = np.concatenate([members, np.arange(start, start + len(new_rows))])
        self._pairs(ga, gb, gw, run)
        con.register("local", pa.table({"spot": local}))
        p = con.sql(
            f"""SELECT a, b, w FROM {self._sql("pairs", [*kept["runs"], run])}
            WHERE a IN (FROM local) AND b IN (FROM local) ORDER BY a, b"""  # noqa: S608
        ).fetchnumpy()
        left, right = np.searchsorted(local, p["a"]), np.searchsorted(local, p["b"])
        rows = self._fetch(con, members, kept["runs"]) + new_rows
        every = pa.concat_arrays([old_ids, new_ids])
        names = every.take(pa.array(local)).to_pylist()
        where = {v: i for i, v in enumerate(names)}
        # Guards ask which names are common in the whole table, not in these few rows.
        common = guards.commons(learnt.names, learnt.records)
        held = engine.keep_apart(rows, m, common, _places(kept["apart"], where))
        groups, held = engine.guarded(rows, m, left, right, p["w"].astype(np.float64), held, common)
        before: list[str | None] = [cluster_names[c] for c in codes[members].tolist()] + [None] * len(
            new_rows
        )
        after = rename(names, before, groups, set(cluster_names))
        lines = moves(names, before, after, number + 1, run, at)
        head = {"n": number, "run": run, "at": at, "kind": "added", "records": len(new_rows)}
        clusters: list[Any] = [*old_clusters, *([None] * len(new_rows))]
        for i, name in zip(local.tolist(), after, strict=True):
            clusters[i] = name
        now = numbers(clusters)
        lines += changed(kept.get("numbers", {}), now, number + 1 + len(lines), run, at, number)
        self._log([head, *lines], number)
        self._write(every, clusters)
        sizes = [*kept["sizes"], len(new_rows)]
        runs = [*kept["runs"], run]
        more = {"run": run, "next": number + 1 + len(lines), "sizes": sizes, "runs": runs, "numbers": now}
        self._settle({**kept, **more})
        if sum(sizes[1:]) > REFRESH * sizes[0]:
            say(
                f"{sum(sizes[1:]):,} were added to the {sizes[0]:,} that weights were learnt from: link all again soon."
            )
        return {
            "records": len(every), "clusters": now["people"], "added": len(new_rows), "kept_apart": len(held[0]),
            "events": 1 + len(lines),
        }  # fmt: skip

    def _database(self) -> Any:
        con = database(memory_limit="3GB", temp_directory=str(self.state / "spill"))
        con.execute("SET preserve_insertion_order = false")
        return con

    def _rivals(self, con: Any, keyed: block.Keyed, n: int, runs: Sequence[int]) -> tuple[Ints, Ints]:
        """Return the pairs of new records with others that are worth comparing."""
        con.register("brought", pa.table({"key": keyed[1], "spot": keyed[0]}))
        con.execute(
            f"CREATE TEMP TABLE fresh AS FROM brought WHERE key NOT IN (SELECT key FROM {self._sql('many', runs)})"  # noqa: S608
        )
        con.execute(f"CREATE TEMP VIEW keys AS FROM {self._sql('keys', runs)} UNION ALL FROM fresh")
        got = con.sql(f"FROM ({block.rivals('keys', 'fresh', n)}) ORDER BY a, b").fetchnumpy()
        return got["a"].astype(np.int64), got["b"].astype(np.int64)

    def _fetch(self, con: Any, at: Ints, runs: Sequence[int]) -> list[Row]:
        if not len(at):
            return []
        con.register("wanted", pa.table({"spot": at}))
        got = con.sql(
            f"SELECT row FROM {self._sql('rows', runs)} WHERE spot IN (FROM wanted) ORDER BY spot"  # noqa: S608
        ).fetchall()
        return [json.loads(r[0]) for r in got]

    def undo(self, which: str, *, at: str = "") -> dict[str, Any]:
        """Take back one event (its number) or the whole last addition (`last`); NotAllowed when that cannot be done.

        One merge taken back stays taken back: the records concerned are kept apart in later runs.
        """
        kept = self.settings()
        ids, clusters = self._whole(kept)
        past = self.past()
        number, run = kept["next"], kept["run"]
        if which == "last":
            return self._undo_run(kept, past, ids, clusters, at)
        try:
            event = next(e for e in past if e["n"] == int(which))
        except (ValueError, StopIteration):
            raise BadInput(
                "--undo", f"There is no event {which}. Give a number from {self.events.name}, or last."
            ) from None
        if event["kind"] not in {"merged", "joined", "split"}:
            raise NotAllowed(
                f"Event {which} is {event['kind']!r}: only a merge, a split or a joining is taken back alone."
            )
        names = ids.to_pylist()
        index = {v: i for i, v in enumerate(names)}
        moved = [v for v in event["records"] if v in index and clusters[index[v]] == event["to"]]
        if not moved:
            raise NotAllowed(f"Nothing of event {which} still stands: its records are elsewhere by now.")
        back = event["from"] or mint(moved[0], set(clusters) | {e["from"] for e in past if e.get("from")})
        gone = set(moved)
        rest = [v for v, c in zip(names, clusters, strict=True) if c == event["to"] and v not in gone]
        for v in moved:
            clusters[index[v]] = back
        apart = [*kept["apart"]]
        if event["kind"] == "split":
            apart = [pair for pair in apart if not (set(pair[0]) | set(pair[1])) & gone]
        elif rest:
            apart.append([moved, rest])
        line = {"n": number, "run": run, "at": at, "kind": "undone", "of": event["n"], "from": event["to"], "to": back,
                "records": moved}  # fmt: skip
        now = numbers(clusters)
        flagged = changed(kept.get("numbers", {}), now, number + 1, run, at, number)
        self._log([line, *flagged], number)
        self._write(ids, clusters)
        self._settle({**kept, "next": number + 1 + len(flagged), "apart": apart, "numbers": now})
        return {
            "records": len(ids), "clusters": now["people"], "moved": len(moved), "events": 1 + len(flagged),
            "numbers_changed": {e["name"]: (e["was"], e["is"]) for e in flagged},
        }  # fmt: skip

    def _undo_run(
        self, kept: dict[str, Any], past: list[dict[str, Any]], ids: Any, clusters: list[str], at: str
    ) -> dict[str, Any]:
        run = kept["run"]
        mine = [e for e in past if e["run"] == run]
        if len(kept["sizes"]) < 2 or not any(e["kind"] == "added" for e in mine):
            raise NotAllowed("Nothing was added since the full run, so there is no addition to take back.")
        names = ids.to_pylist()
        index = {v: i for i, v in enumerate(names)}
        restored: dict[Any, str | None] = {}
        for e in reversed(mine):
            if "to" in e:
                for v in e["records"]:
                    restored[v] = e["from"]
        for v, c in restored.items():
            if c is not None:
                clusters[index[v]] = c
        size = len(names) - kept["sizes"][-1]
        gone = names[size:]
        dropped = set(gone)
        apart = [p for p in kept["apart"] if not (set(p[0]) | set(p[1])) & dropped]
        line = {
            "n": kept["next"],
            "run": run - 1,
            "at": at,
            "kind": "addition undone",
            "of": run,
            "records": gone,
        }
        now = numbers(clusters[:size])
        flagged = changed(kept.get("numbers", {}), now, kept["next"] + 1, run - 1, at, kept["next"])
        self._log([line, *flagged], kept["next"])
        self._write(ids.slice(0, size), clusters[:size])
        for name in ("rows", "keys", "many", "pairs"):
            (self.state / f"{name}-{run:05}.parquet").unlink(missing_ok=True)
        self._settle(
            {
                **kept,
                "run": run + 1,
                "next": kept["next"] + 1 + len(flagged),
                "sizes": kept["sizes"][:-1],
                "runs": kept["runs"][:-1],
                "apart": apart,
                "numbers": now,
            }
        )
        return {
            "records": size, "clusters": now["people"], "removed": len(gone), "events": 1 + len(flagged),
            "numbers_changed": {e["name"]: (e["was"], e["is"]) for e in flagged},
        }  # fmt: skip

    def explain(self, one: str, other: str) -> list[str]:
        """Return lines that say why two records are, or are not, together."""
        kept = self.settings()
        ids, clusters = self.result()
        text = [str(v) for v in ids.to_pylist()]
        for v in (one, other):
            if v not in text:
                raise BadInput("--explain", f"There is no record {v!r} in {self.out}.")
        at = np.array([text.index(one), text.index(other)])
        con = self._database()
        codes, _ = _codes(clusters)
        near = np.nonzero(np.isin(codes, codes[at]))[0]
        return explain.lines(
            self._fetch(con, near, kept["runs"]), [text[i] for i in near], [clusters[i] for i in near], one, other,
            Map.from_json(kept["map"]), Learnt.from_json(kept), kept["apart"],
        )  # fmt: skip


def _codes(clusters: Sequence[str]) -> tuple[Ints, list[str]]:
    """Return a number for each record's cluster, and the clusters by number."""
    made = pa.array(clusters, pa.string()).dictionary_encode()
    return made.indices.to_numpy().astype(np.int64), made.dictionary.to_pylist()


def _places(
    apart: Sequence[Sequence[Sequence[Any]]], where: Mapping[Any, int]
) -> list[tuple[list[int], list[int]]]:
    return [([where[v] for v in a if v in where], [where[v] for v in b if v in where]) for a, b in apart]
