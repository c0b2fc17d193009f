"""Hotspots on rolling origins: Portland through 2016, and three crimes of data.police.uk at the top 1 % of areas.

Every figure is of spans that were not seen when the places were chosen. Gains are paired, on the same spans, with 95 %
intervals from a block bootstrap over spans and places. A gain whose interval holds 0 is no gain.
"""

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.numbers import DATA
from counterfoil.engines.hotspots import MODELS, Events, caught, earlier, forecast, gain
from counterfoil.engines.hotspots.fair import feedback
from counterfoil.engines.hotspots.load import Loaded, load
from counterfoil.engines.rows import minute_of
from counterfoil.numbers import plane

STREET = DATA / "police_uk" / "street_2021-03_2022-02.parquet"
CRIMES = {"robbery": "Robbery", "weapons": "Possession of weapons", "burglary": "Burglary"}
CEILING = {"robbery": 0.68, "weapons": 0.60, "burglary": 0.75}
FEET, CELL, CITY_SQ_MI, MOST_SQ_MI = 0.3048, 600.0, 147.71, 0.75
CELLS = int(MOST_SQ_MI * 5280**2 / CELL**2)
"""As many cells of 360,000 square feet as NIJ allowed: 0.75 square miles."""


def line(what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    """Print one line of the report; without a goal it is only said."""
    print(
        f"hotspots | {what} | {figure} | {goal} | {'said' if met is None else 'met' if met else 'not met'}",
        flush=True,
    )


def day(month: str) -> float:
    """Return a month's first day."""
    return minute_of(month, "month") / 1440


def read(
    path: Path, time_: str, *, area: str = "", x: str = "", y: str = "", crs: str = "", where: str = ""
) -> Loaded:
    """Read a file as the command does."""
    return load(path, time=time_, area=area, x=x, y=y, crs=crs, cell=CELL, where=where, plane=plane)


def said(events: Events, origins: Sequence[float], ahead: float, share: float, model: str, over: str) -> str:
    """Return a paired gain in the words of the page."""
    found = gain(events, origins, ahead, share, model, over=over)
    numbers = (
        f"{100 * found.mean:+.2f} in 100 crimes (95 % {100 * found.low:+.2f} to {100 * found.high:+.2f})"
    )
    return numbers if found.sure else f"{numbers}: no gain"


def share_of_best(
    events: Events, origins: Sequence[float], ahead: float, share: float, model: str
) -> tuple[float, float]:
    """Return over spans the events caught of all, and of the best that as many places could have caught."""
    hits, n, best = caught(events, origins, ahead, share, model)
    return hits / n, hits / best


def portland() -> None:
    """Roll through 2014-2016 in spans of a month."""
    for name, file in (("theft of cars", "veh"), ("burglary", "bur")):
        path = DATA / "nij_portland" / f"crimes_{file}_to_2017-02.csv"
        events = read(path, "occ_date", x="x_coordina", y="y_coordina", crs="2913").events
        ahead = 30.0
        origins = [day("2017-01") - ahead * k for k in range(36, 0, -1)]
        share = CELLS / events.seen(day("2016-01")).sum()
        where = f"Portland {name}, {len(origins)} spans of 30 days to 2016, {CELLS} cells of 600 ft"
        for model in MODELS:
            caught, pei = share_of_best(events, origins, ahead, share, model)
            pai = caught / (MOST_SQ_MI / CITY_SQ_MI)
            line(f"{where}: {model}", f"PAI {pai:.1f}, PEI* {pei:.3f}")
        for model in ("kernel", "regression", "selfexciting"):
            if model != "kernel":
                line(
                    f"{where}: {model} over the recency kernel",
                    said(events, origins, ahead, share, model, "kernel"),
                )
            line(
                f"{where}: {model} over the 12-month count",
                said(events, origins, ahead, share, model, "baseline"),
            )
        for span, months in (("1 month", 30.0), ("2 months", 61.0)):
            found = forecast(
                events, train_until=day("2017-01"), test_until=day("2017-01") + min(months, 59), share=share
            )
            line(
                f"Portland {name}, {span} from January 2017: what the command uses",
                f"{found.model}. {found.why}",
            )


def street() -> None:
    """Roll over the months of data.police.uk."""
    for name, kind in CRIMES.items():
        began, busy = time.monotonic(), time.process_time()
        loaded = read(STREET, "month", area="lsoa_code", where=f"crime_type = '{kind}'")
        events, months = loaded.events, np.unique(loaded.events.days)
        origins, ahead, share = [float(m) for m in months[6:]], 28.0, 0.01
        where = f"{name}, top 1 % of areas, {len(origins)} months from September 2021"
        for model in ("baseline", "regression"):
            _, best = share_of_best(events, origins, ahead, share, model)
            line(
                f"{where}: {model}",
                f"{best:.3f} of the best possible",
                f"(a knower of true rates: {CEILING[name]:.2f})",
            )
        line(
            f"{where}: regression over the 12-month count",
            said(events, origins, ahead, share, "regression", "baseline"),
        )
        late = origins[-3:]
        line(
            f"{name}, its last {len(late)} months alone",
            said(events, late, ahead, share, "regression", "baseline"),
        )
        found = forecast(events, train_until=origins[-1], test_until=origins[-1] + 28, share=share)
        line(f"{name}, February 2022: what the command uses", f"{found.model}. {found.why}")
        covered(name, events, loaded.names, [o for o in origins if len(earlier(events, o, ahead)) >= 3])
        line(
            f"{name}: all of this",
            f"{time.process_time() - busy:.0f} s of processor, {time.monotonic() - began:.0f} s on the wall",
        )


def covered(name: str, events: Events, names: Sequence[str], origins: Sequence[float]) -> None:
    """Say how many counts of the areas pointed to lay within their 90 % intervals, in months not yet seen."""
    force = forces(names)
    held: list[tuple[int, bool]] = []
    for at in origins:
        found = forecast(events, train_until=at, test_until=at + 28, share=0.01, model="regression")
        happened = events.counts(at, at + 28)[found.chosen]
        inside = (happened >= found.low) & (happened <= found.high)
        held += [(int(force[i]), bool(good)) for i, good in zip(found.chosen, inside, strict=True)]
    good = np.array([h for _, h in held])
    share = float(good.mean())
    line(
        f"{name}: 90 % intervals of the areas pointed to, {len(origins)} months not seen",
        f"{share:.1%} of {len(good):,} held",
        "88-92 %",
        0.88 <= share <= 0.92,
    )
    of = np.array([f for f, _ in held])
    far = judged = 0
    for f in np.unique(of):
        n = int((of == f).sum())
        if n >= 30:
            judged += 1
            far += abs(float(good[of == f].mean()) - 0.9) > 0.02 + 1.96 * (0.09 / n) ** 0.5
    line(f"{name}: of {judged} forces with 30 such areas or more, farther than chance from 88-92 %", f"{far}")


def fair() -> None:
    """Drive patrols by the models for a hundred rounds, and count who lives where robberies of London point."""
    for model in ("baseline", "regression"):
        kept = feedback(MODELS[model], public=True)
        line(
            f"100 rounds of patrols by {model}: patrol over true risk by fifth of deprivation, reports by the public",
            f"{kept.min():.2f} to {kept.max():.2f}",
            "0.9-1.1",
            bool(((kept >= 0.9) & (kept <= 1.1)).all()),
        )
    gone = feedback(MODELS["baseline"], public=False)
    line(
        "the same with what officers found as input (must run away)", f"{gone.min():.2f} to {gone.max():.2f}"
    )


def forces(names: Sequence[str]) -> np.ndarray:
    """Return for each area the force that most of its rows come from, as a number."""
    import duckdb

    with duckdb.connect() as db:
        asked = f"SELECT lsoa_code, mode(force_slug) FROM '{STREET}' WHERE lsoa_code IS NOT NULL GROUP BY 1"
        found = dict(db.execute(asked).fetchall())
    known = {slug: i for i, slug in enumerate(sorted({s for s in found.values() if s}))}
    return np.array([known[found[n]] for n in names])


def main() -> None:
    """Measure, or say that there is nothing to measure on."""
    if not STREET.is_file():
        print(f"There is no {STREET}: nothing measured. Set COUNTERFOIL_DATA.")
        sys.exit(1)
    portland()
    street()
    fair()
    line("memory at most", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
