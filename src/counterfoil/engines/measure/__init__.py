"""Numbers from published tables: keep the file, count its rows, and lead every figure back to them.

>>> import tempfile
>>> from datetime import UTC, datetime
>>> from pathlib import Path
>>> head = ",".join(COLUMNS["street"])
>>> line = "ab12,2021-03,Cleveland Police,Cleveland Police,-1.2,54.7,On or near A,E01,Area 1,Burglary,,"
>>> with tempfile.TemporaryDirectory() as folder:
...     tables = Tables(Path(folder))
...     one, new = tables.add(
...         "2021-03-cleveland-street.csv",
...         f"{head}\\n{line}\\n".encode(),
...         now=datetime(2026, 11, 21, tzinfo=UTC),
...         by="importer",
...     )
...     found = counts(parts(str(tables.path(one))))
...     place = rows(parts(str(tables.path(one))), Slice("2021-03", "2021-03"), skip=0, take=1)[0]
...     published = tables.published_rows(place.file, [(place.offset, place.length)])
>>> found
(('2021-03', 'Burglary', 1),)
>>> published[0].decode() == line
True
"""

from counterfoil.engines.measure.extract import COLUMNS as EXTRACT_COLUMNS
from counterfoil.engines.measure.figures import (
    ALL,
    AreaCount,
    Followed,
    Part,
    Parts,
    Place,
    Slice,
    areas,
    charged_rows,
    counts,
    crimes_with_ids,
    followed,
    outcome_counts,
    outcome_rows,
    parts,
    prepare,
    prime,
    repeated,
    rows,
)
from counterfoil.engines.measure.interval import Share, percent, share, wilson
from counterfoil.engines.measure.policeuk import COLUMNS, FileName, Parsed, file_name, read, records
from counterfoil.engines.measure.tables import Held, Tables

__all__ = [
    "ALL",
    "COLUMNS",
    "EXTRACT_COLUMNS",
    "AreaCount",
    "FileName",
    "Followed",
    "Held",
    "Parsed",
    "Part",
    "Parts",
    "Place",
    "Share",
    "Slice",
    "Tables",
    "areas",
    "charged_rows",
    "counts",
    "crimes_with_ids",
    "file_name",
    "followed",
    "outcome_counts",
    "outcome_rows",
    "parts",
    "percent",
    "prepare",
    "prime",
    "read",
    "records",
    "repeated",
    "rows",
    "share",
    "wilson",
]
