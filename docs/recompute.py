"""Work out numbers of the board again from data.police.uk's own CSV files, with nothing but Python's standard library.

    python recompute.py FOLDER charged.cleveland.2021-03_2022-02.all crimes.cleveland.2021-03_2021-03.burglary …

FOLDER holds the CSV files as published. Prints one line for each address: the address, its value, part and whole.
"""

import csv
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path

CALLED = {
    "violence-and-sexual-offences": "violent-crime",
    "criminal-damage-and-arson": "criminal-damage-arson",
}


@cache  # each row as (month, identifier, area, type as published, type in addresses)
def rows(folder, force, kind, column):
    found = []
    for path in sorted(Path(folder).rglob(f"[0-9][0-9][0-9][0-9]-[0-9][0-9]-{force}-{kind}.csv")):
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                slug = "-".join("".join(c if c.isalnum() else " " for c in row[column].lower()).split())
                facts = (row["Month"], row["Crime ID"].strip(), row["LSOA code"], row[column])
                found.append((*facts, CALLED.get(slug, slug)))
    return found


def number(folder, address):
    measure, force, period, kind, *area = address.split(".")
    first, last = period.split("_")
    ended = rows(folder, force, "outcomes", "Outcome type")
    table = rows(folder, force, "street", "Crime type") if measure in ("crimes", "charged") else ended
    found = [r for r in table if first <= r[0] <= last and kind in ("all", r[4])]
    if measure in ("crimes", "outcomes"):
        return sum(not area or (r[2] or "none") == area[0] for r in found), None, None
    charged = {}
    for month, crime, _, wording, _ in ended:
        if wording == "Suspect charged":
            charged[crime] = max(month, charged.get(crime, ""))
    if measure == "charged":
        found = [r for r in found if r[1] and r[3] != "Anti-social behaviour"]
        part = sum(charged.get(r[1], "") >= r[0] for r in found)
    else:
        part = sum(r[3] == "Suspect charged" for r in found)
    percent = Decimal(100) * part / len(found) if found else Decimal("nan")
    return percent.quantize(Decimal("0.1"), ROUND_HALF_EVEN), part, len(found)


for address in sys.argv[2:]:
    print(address, *number(sys.argv[1], address))
