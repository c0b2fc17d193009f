"""Work out figures of the board again from published CSVs alone. Imports nothing of the product.

python again.py FOLDER ADDRESS …     prints one value a line, percent with one decimal or a count
"""

import csv
import re
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

FOLDER, ADDRESSES = Path(sys.argv[1]), sys.argv[2:]
FILES: dict[tuple[str, str, str], list[dict[str, str]]] = {}
for path in sorted(FOLDER.rglob("*.csv")):
    name = re.match(r"(\d{4}-\d\d)-(.+)-(street|outcomes)\.csv", path.name)
    if name:
        with path.open(encoding="utf-8", newline="") as lines:
            FILES[name[3], name[2], name[1]] = list(csv.DictReader(lines))


def slug(text: str) -> str:
    return (
        re.sub(r"[^a-z0-9]+", "-", text.lower())
        .strip("-")
        .replace("violence-and-sexual-offences", "violent-crime")
    )


def type_of(row: dict[str, str]) -> str:
    return slug(row["Crime type"]).replace("and-arson", "arson")


def rows(kind: str, force: str, first: str, last: str) -> list[tuple[str, dict[str, str]]]:
    return [
        (m, r)
        for (k, f, m), body in FILES.items()
        if (k, f) == (kind, force) and first <= m <= last
        for r in body
    ]


def percent(part: int, whole: int) -> str:
    return str((Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_EVEN))


for address in ADDRESSES:
    measure, force, months, kind, *area = address.split(".")
    first, last = months.split("_")
    street, ended = rows("street", force, first, last), rows("outcomes", force, first, last)
    if measure == "crimes":
        wanted = [r for _, r in street if kind in ("all", type_of(r))]
        print(sum(not area or (r["LSOA code"] or "none") == area[0] for r in wanted))
    elif measure == "outcomes":
        print(sum(kind in ("all", slug(r["Outcome type"])) for _, r in ended))
    elif measure == "charged-of-outcomes":
        print(percent(sum(r["Outcome type"] == "Suspect charged" for _, r in ended), len(ended)))
    else:
        charges: dict[str, str] = {}
        for month, row in rows("outcomes", force, first, "9999-99"):
            if row["Outcome type"] == "Suspect charged":
                charges[row["Crime ID"]] = max(month, charges.get(row["Crime ID"], ""))
        counted = [(m, r) for m, r in street if r["Crime ID"] and kind in ("all", type_of(r))]
        crimes = [(m, r["Crime ID"]) for m, r in counted if type_of(r) != "anti-social-behaviour"]
        print(percent(sum(charges.get(id, "") >= month for month, id in crimes), len(crimes)))
