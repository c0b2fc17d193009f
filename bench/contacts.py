"""Invented contacts with police, the truth known: families, twins, namesakes, nicknames, slips, refuges, incidents.

>>> rows, guarded = make(200, seed=1)
>>> sorted(rows[0]) == sorted(COLUMNS), len(guarded) > 10
(True, True)
"""

import csv
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

from counterfoil.engines.linkage import guards

COLUMNS = (
    "id", "given_name", "family_name", "born", "sex", "address", "postcode", "town", "phone", "email", "vehicle",
    "incident", "part", "refuge", "truth",
)  # fmt: skip


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


MALE = words("""
oliver george harry noah jack leo oscar charlie muhammad arthur william james thomas henry joshua freddie
daniel samuel joseph edward robert peter andrew michael david richard stephen christopher anthony matthew paul
mark kevin gareth rhys dylan owen ivan piotr sergei ahmed yusuf omar ali imran rajesh amit kwame tunde wei
carl earl tim
""")
FEMALE = words("""
olivia amelia isla ava emily sophie grace lily freya ella charlotte jessica alice ruby elizabeth margaret
katherine susan patricia deborah jennifer victoria rebecca sarah emma hannah bethan megan cerys sian anna
maria svetlana fatima aisha zainab priya anjali abena ngozi mei amy amie jane june mary marie kim carol carole
""")
SHORT = {
    "william": "bill", "robert": "bob", "elizabeth": "liz", "margaret": "maggie", "katherine": "kate", "thomas": "tom",
    "james": "jim", "joseph": "joe", "richard": "dick", "edward": "ted", "michael": "mick", "stephen": "steve",
    "patricia": "pat", "deborah": "debbie", "jennifer": "jenny", "susan": "sue", "rebecca": "becky",
    "muhammad": "mohammed",
    "samuel": "sam", "daniel": "dan", "andrew": "andy", "anthony": "tony", "matthew": "matt", "yusuf": "yousef",
}  # fmt: skip
HEADS = words("""
ash bar black brad bur cart clay cole dal el fair gar good hal har hol hum kirk lang mar mor nor old pem pres
red rock sand shel stan thorn wal wes whit win wood york
""")
TAILS = words("""
bourne bridge by combe croft den dale field ford gate ham hurst land ley man more ner shaw side son stone ton
wall ward well wick worth
""")
STREETS = words("""
mill church station high park queens kings victoria albert green chapel north south orchard meadow
""")
KINDS = words("""
road street lane close avenue drive
""")
TOWNS = words("""
aberwen brackford carstow dunmere eastleigh fenwick garstone holmby
""")

A_TOWN = 5000


def too_like(given: str, used: set[str]) -> bool:
    """Return whether a name could be a short form of one in the family: nobody could tell the two apart by name."""
    mine = guards.SAME.get(given, set())
    return any(given == u or mine & guards.SAME.get(u, set()) for u in used)


def slip(word: str, rng: random.Random) -> str:
    """Return a word with one slip of the pen."""
    if len(word) < 4:
        return word
    k = rng.randrange(1, len(word) - 1)
    return rng.choice(
        (
            word[:k] + word[k + 1 :],
            word[:k] + word[k + 1] + word[k] + word[k + 2 :],
            word[:k] + "e" + word[k + 1 :],
        )
    )


def make(people: int, *, seed: int = 1) -> tuple[list[dict[str, Any]], set[tuple[int, int]]]:
    """Return rows for at least so many people, and the pairs of ids that must never be together."""
    rng = random.Random(seed)
    towns = [(town, town[:2]) for town in TOWNS]
    if people > 8 * A_TOWN:  # as many towns as people need, each with postcodes of its own
        names = [f"{h}{t}" for t in TAILS for h in HEADS]
        areas = [a + b for a in "bcdfghjklmnprstvwy" for b in "abcdefghklmnoprst"]
        towns = list(zip(names, areas, strict=False))[: max(8, people // A_TOWN)]
    persons: list[dict[str, Any]] = []
    homes: list[list[int]] = []
    while len(persons) < people:
        family = (
            rng.choice(HEADS) + rng.choice(TAILS)
            if rng.random() < 0.93
            else rng.choice(("smith", "jones", "khan", "patel"))
        )
        town, area = towns[rng.randrange(len(towns))]
        end = "".join(rng.choices("abdefghjlnpqrstuwxy", k=2))
        post = f"{area}{rng.randrange(1, 30)} {rng.randrange(1, 10)}{end}"
        place = {
            "family_name": family, "address": f"{rng.randrange(1, 200)} {rng.choice(STREETS)} {rng.choice(KINDS)}",
            "postcode": post, "town": town, "home_phone": f"01{rng.randrange(10**8, 10**9)}",
        }  # fmt: skip
        home: list[int] = []

        def someone(
            given: str,
            born: tuple[int, int, int],
            sex: str,
            place: dict[str, Any] = place,
            home: list[int] = home,
        ) -> None:
            home.append(len(persons))
            persons.append(
                {
                    **place, "given_name": given, "born": f"{born[0]:04}-{born[1]:02}-{born[2]:02}", "sex": sex,
                    "phone": f"07{rng.randrange(10**8, 10**9)}", "year": born[0],
                    "email": f"{given}.{place['family_name']}{rng.randrange(100)}@mail.example",
                    "vehicle": f"{rng.choice('ABCDEFGH')}K{rng.randrange(10, 70)} {rng.randrange(10**3)}XY",
                }
            )  # fmt: skip

        def day(low: int, high: int) -> tuple[int, int, int]:
            return rng.randrange(low, high), rng.randrange(1, 13), rng.randrange(1, 29)

        father = rng.choice(MALE)
        someone(father, day(1950, 1985), "male")
        if rng.random() < 0.6:
            someone(rng.choice(FEMALE), day(1950, 1985), "female")
        used = {persons[p]["given_name"] for p in home}
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            sex = rng.choice(("male", "female"))
            given = rng.choice(MALE if sex == "male" else FEMALE)
            if given in used or too_like(given, used):
                continue
            used.add(given)
            someone(given, day(1990, 2010), sex)
        if rng.random() < 0.06:  # twins
            born, sex = day(1990, 2008), rng.choice(("male", "female"))
            pair = [g for g in rng.sample(MALE if sex == "male" else FEMALE, 6) if not too_like(g, used)][:2]
            for given in pair:
                used.add(given)
                someone(given, born, sex)
        if rng.random() < 0.04:  # a son with his father's name
            early = persons[home[0]]["year"] + 17
            someone(father, day(max(1990, early), max(2008, early + 5)), "male")
        homes.append(home)
    refuges = [(f"{n} haven house", f"zz{n} 1aa", f"0209{n:06}") for n in range(1, 4)]
    rows: list[dict[str, Any]] = []
    of: dict[int, list[int]] = defaultdict(list)

    def contact(p: int, incident: str, part: str) -> None:
        who = persons[p]
        given, family, born = who["given_name"], who["family_name"], who["born"]
        if rng.random() < 0.15:
            given = SHORT.get(given, given)
        if rng.random() < 0.08:
            given = slip(given, rng)
        if rng.random() < 0.08:
            family = slip(family, rng)
        if rng.random() < 0.05:
            born = (
                born[:5] + born[8:] + "-" + born[5:7]
                if int(born[8:]) <= 12
                else born[:9] + str(rng.randrange(10))
            )
        refuge = rng.random() < 0.02 and who["sex"] == "female"
        address, post, phone = (
            rng.choice(refuges) if refuge else (who["address"], who["postcode"], who["phone"])
        )
        if not refuge and rng.random() < 0.3:
            phone = who["home_phone"]

        def maybe(value: str, chance: float) -> str:
            return "" if rng.random() < chance else value

        of[p].append(len(rows))
        rows.append(
            {
                "id": len(rows), "given_name": given, "family_name": family, "born": maybe(born, 0.12),
                "sex": maybe(who["sex"], 0.1), "address": maybe(address, 0.1), "postcode": maybe(post, 0.15),
                "town": who["town"], "phone": maybe(phone, 0.35), "email": maybe(who["email"], 0.6),
                "vehicle": maybe(who["vehicle"], 0.8), "incident": incident, "part": part,
                "refuge": "yes" if refuge else "", "truth": p,
            }
        )  # fmt: skip

    number = 0
    for home in homes:
        for p in home:
            for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
                number += 1
                contact(p, f"i{number}", rng.choice(("victim", "witness", "suspect", "reporter")))
        if len(home) > 1 and rng.random() < 0.4:
            number += 1
            one, other = rng.sample(home, 2)
            contact(one, f"i{number}", "victim")
            contact(other, f"i{number}", "suspect")
    guarded: set[tuple[int, int]] = set()
    by_incident: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_incident[row["incident"]].append(row["id"])
    for group in by_incident.values():
        guarded |= {(a, b) for a in group for b in group if a < b}
    for home in homes:
        for i, p in enumerate(home):
            for q in home[i + 1 :]:
                namesakes = persons[p]["given_name"] == persons[q]["given_name"]
                for a in of[p]:
                    for b in of[q]:
                        if not namesakes or (rows[a]["born"] and rows[b]["born"]):
                            guarded.add((min(a, b), max(a, b)))
    order = list(range(len(rows)))
    rng.shuffle(order)
    return [rows[i] for i in order], guarded


def write(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, COLUMNS)
        out.writeheader()
        out.writerows(rows)
