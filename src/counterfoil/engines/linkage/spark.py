"""Keys, blocking and comparing on Apache Spark, with the weights that the one-machine engine learnt.

Records' keys and pairs' bits come from the same Python as elsewhere, given whole Arrow batches; which pairs are worth
comparing comes from the same SQL that an addition asks DuckDB. All sums are exact, so the answers are equal to the bit.
Learning and grouping stay with the driver, which must hold the table.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from counterfoil.engines import spark
from counterfoil.engines.linkage import block, engine
from counterfoil.engines.linkage.engine import Learnt, Weighed
from counterfoil.engines.linkage.model import levels_of

Batches = Iterator[pa.RecordBatch]


def keys_of(batches: Batches) -> Batches:
    """Yield (key, spot) for batches of (spot, row)."""
    for batch in batches:
        spot = batch.column("spot").to_numpy()
        who, key = block.keyed([json.loads(r) for r in batch.column("row").to_pylist()])
        yield pa.RecordBatch.from_arrays([pa.array(key), pa.array(spot[who])], ["key", "spot"])


def bits_of(kept: str) -> Callable[[Batches], Batches]:
    """Return what yields (a, b, w) for batches of (a, b, one row, other row), with what was learnt."""

    def weigh_batches(batches: Batches) -> Batches:
        learnt = Learnt.from_json(json.loads(kept))
        for batch in batches:
            a, b = batch.column("a").to_numpy(), batch.column("b").to_numpy()
            spots, first = np.unique(np.concatenate([a, b]), return_index=True)
            text = pa.concat_arrays([batch.column("one"), batch.column("other")])
            rows = [json.loads(r) for r in text.take(pa.array(first)).to_pylist()]
            comparisons = engine.comparisons_for(rows, learnt)
            left, right = np.searchsorted(spots, a), np.searchsorted(spots, b)
            score = learnt.model.score(levels_of(comparisons, left, right))
            yield pa.RecordBatch.from_arrays([pa.array(a), pa.array(b), pa.array(score)], ["a", "b", "w"])

    return weigh_batches


def weigh(rows: Path, n: int, learnt: Learnt, keys: Path) -> Weighed:
    """Return the pairs of `n` records worth comparing and their bits; write which record has which key to `keys`."""
    with spark.quietly():
        s = spark.session()
        s.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "50000")
        s.read.parquet(str(rows)).select("spot", "row").createOrReplaceTempView("linked")
        made = s.table("linked").repartition(s.sparkContext.defaultParallelism * 2)
        made.mapInArrow(keys_of, "key long, spot int").write.mode("overwrite").parquet(str(keys))
        s.read.parquet(str(keys)).createOrReplaceTempView("linked_keys")
        s.sql(block.rivals("linked_keys", "linked_keys", n)).createOrReplaceTempView("rivals")
        both = s.sql("""SELECT p.a, p.b, x.row AS one, y.row AS other FROM rivals p
            JOIN linked x ON x.spot = p.a JOIN linked y ON y.spot = p.b""")
        found = both.mapInArrow(bits_of(json.dumps(learnt.to_json())), "a int, b int, w double").toArrow()
    a, b, w = (found.column(c).to_numpy() for c in ("a", "b", "w"))
    order = np.argsort(a.astype(np.int64) * n + b)
    return a[order].astype(np.int64), b[order].astype(np.int64), w[order]
