"""The Crown Court: forecasts from every origin against drift and a walk, and the simulation against what came."""

import sys
import time

import numpy as np

from bench.calibrate_courts import CHECK, FOLDER, LONG, published, together, window
from bench.numbers_nowcast import line as _line
from counterfoil.engines.forecast import caseload
from counterfoil.engines.forecast.caseload import Origin
from counterfoil.engines.forecast.courtroom import CALIBRATED, GROUPS, simulate, variation


def line(what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    """Print one line of the report; without a goal it is only said."""
    _line(what, figure, goal, met, topic="courts")


def _at_eight(found: tuple[Origin, ...], model: str) -> float:
    return float(
        np.mean([o.errors[model][LONG - 1] for o in found if len(o.errors[model]) == LONG] or [np.nan])
    )


def forecasts() -> None:
    """Forecast from every origin with what was known then."""
    held = published()
    first = held.quarters.index("2019-03-31") + 1
    every = caseload.origins(held.open, held.receipts, held.disposals, first, len(held.open) - 1)
    spans = {
        "2019": (0, 4),
        "2020": (4, 8),
        "2021": (8, 12),
        "2019-2021": (0, 12),
        "2022": (12, 16),
        "2023": (16, 19),
    }
    for year, (a, z) in spans.items():
        found = every[a:z]
        means = {
            m: np.mean(np.concatenate([o.errors[m] for o in found])) for m in ("offered", "drift", "walk")
        }
        eight = {m: _at_eight(found, m) for m in means}
        known = not np.isnan(eight["drift"])
        drift, offered = (eight if known else means)["drift"], (eight if known else means)["offered"]
        all_ = f"drift {means['drift']:.1f}, walk {means['walk']:.1f}"
        last = (
            f"8 ahead {offered:.1f} % (drift {drift:.1f}, walk {eight['walk']:.1f})"
            if known
            else "8 not yet known"
        )
        line(
            f"origins of {year}: error of the forecast offered ({', '.join(sorted({o.model for o in found}))})",
            f"mean {means['offered']:.1f} % over all quarters ahead ({all_}); {last}",
            "less than drift",
            bool(offered < drift),
        )
    for span, found in (("2019-2021, COVID included", every[:12]), ("2019-2023", every)):
        held_in = np.mean([i for o in found for i in o.inside])
        line(
            f"90 % intervals that held, origins of {span}",
            f"{held_in:.1%} (drift with the same intervals {np.mean([i for o in found for i in o.inside_drift]):.1%})",
            "85 %",
            bool(held_in >= 0.85),
        )
    better = sum(np.mean(o.errors["offered"]) < np.mean(o.errors["drift"]) for o in every)
    line("origins from which the forecast offered was nearer than drift", f"{better} of {len(every)}")
    wide = [
        (a.high - a.low) / 2 / a.middle
        for a in caseload.forecast(held.open, held.receipts, held.disposals).ahead
    ]
    line(
        "half the interval's width now, 1, 4 and 8 quarters ahead",
        ", ".join(f"{wide[i]:.0%}" for i in (0, 3, 7)),
    )


def flows() -> None:
    """Hold the simulation against the quarters of 2023, which it was not set with, and those it was set with."""
    held = published()
    for begin, said in (("2020-12-31", "set with, 2022"), (CHECK, "not set with, 2023")):
        at, found = window(begin, CALIBRATED, scale=4)
        whole, waits, groups = [], [], {g: [] for g in GROUPS}
        for k in range(LONG // 2, LONG):
            real = held.bands(held.quarters[at + 1 + k])
            whole.append(variation(together(found.bands[k]), together(real)))
            waits.append(abs(found.waits[k]["all"] - held.waits[at + 1 + k]))
            for g in GROUPS:
                groups[g].append(variation(found.bands[k][g], real[g]))
        for name, found_in in (("all cases", whole), *groups.items()):
            line(
                f"nine age bands of {name}, total variation on the mean of four quarters ({said})",
                f"{np.mean(found_in):.3f}",
                "" if name == "other" else ".05",
                None if name == "other" else bool(np.mean(found_in) <= 0.05),
            )
        line(
            f"median wait, weeks off on the mean of four quarters ({said})",
            f"{np.mean(waits):.1f}",
            "1",
            bool(np.mean(waits) <= 1),
        )
        real_open = sum(map(sum, held.bands(held.quarters[at + LONG]).values()))
        line(
            f"open cases with an age after two years ({said})",
            f"{found.open[-1]:,.0f} against {real_open:,.0f}",
        )
    now = held.quarters[-1]
    year = [sum(x[-4:]) / 4 for x in (held.receipts, held.hours)]
    began = time.process_time()
    for share in (0.9, 1.0, 1.1, 1.2):
        found = simulate([year[0]] * LONG, [share * year[1]] * LONG, held.bands(now))
        line(f"open cases two years on, sitting {share:.0%} of 2023", f"{found.open[-1]:,.0f}")
    line("one simulation of two years", f"{(time.process_time() - began) / 4:.2f} s of processor")


def main() -> None:
    """Measure, or say that there is nothing to measure on."""
    if not FOLDER.is_dir():
        print(f"There is no {FOLDER}: nothing measured. Set COUNTERFOIL_DATA.")
        sys.exit(1)
    forecasts()
    flows()


if __name__ == "__main__":
    main()
