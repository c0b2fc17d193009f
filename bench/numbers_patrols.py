"""Patrol plans within a budget and how far from the best; trials: what they need, and how often they are wrong."""

import time

import numpy as np

from counterfoil.engines.patrols import Spot, Unit, assign, days_needed, plan, wdd
from counterfoil.engines.patrols.trial import Floats, ratios

TRIALS, PLACES, PAIRS, A_DAY = 20_000, 20, 60, 0.5


def line(what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    """Print one line of the report; without a goal it is only said."""
    print(
        f"patrols | {what} | {figure} | {goal} | {'said' if met is None else 'met' if met else 'not met'}",
        flush=True,
    )


def plans() -> None:
    """Plan towns of three sizes, on foot, in shifts of four hours."""
    rng = np.random.default_rng(20261121)
    for places, units in ((12, 3), (20, 6), (40, 14)):
        spots = [
            Spot(f"p{i}", rng.uniform(0, 2500), rng.uniform(0, 2500), rng.gamma(2, 2)) for i in range(places)
        ]
        busy = time.process_time()
        made = plan(spots, [Unit(f"u{k}", 240) for k in range(units)], seconds=5)
        busy = time.process_time() - busy
        again = plan(spots, [Unit(f"u{k}", 240) for k in range(units)], seconds=5)
        least = min(made.dosage().get(s.name, 0) for s in spots)
        line(
            f"{places} places, {units} units of 240 minutes",
            f"{len(made.visits)} visits, {made.minutes:,} of {units * 240:,} minutes, gap at most {made.gap:.1%}, "
            f"{busy:.0f} s of processor",
        )
        line("its place with least", f"{least} minutes", "15 or more", least >= 15)
        line("its second run", "the same" if made == again else "different", "the same", made == again)


def rejected(fall: float, a_day: float, pairs: int, trials: int) -> float:
    """Return the share of simulated trials that find a difference, in a town of uneven days and places."""
    rng = np.random.default_rng(7)
    many, wrong = 0, 0
    while many < trials:
        patrolled = assign(PLACES, pairs, seed=many)
        batch = min(500, trials - many)
        town: Floats = rng.gamma(16, 1 / 16, (batch, 1, 2 * pairs))
        place: Floats = rng.gamma(4, 1 / 4, (batch, PLACES, 1))
        counts = rng.poisson(a_day * town * place * np.where(patrolled, 1 - fall, 1.0))
        wrong += int((ratios(counts, patrolled)[3] < 0.05).sum())
        many += batch
    return wrong / trials


def trials() -> None:
    """Count false alarms and power of crossover trials, and the coverage of the displacement difference."""
    false = rejected(0.0, A_DAY, PAIRS, TRIALS)
    line(
        f"crossover, {PLACES} places x {2 * PAIRS} days, no effect: trials that say there is one ({TRIALS:,})",
        f"{false:.2%}",
        "5 % ± 0.5",
        0.045 <= false <= 0.055,
    )
    need = days_needed(A_DAY)
    pairs = -(-need // PLACES)
    power = rejected(0.1, A_DAY, pairs, 4000)
    line(
        f"a fall of 10 % at {A_DAY} crimes a place and day: {need:,} patrol-days ({PLACES} places, {2 * pairs} days)",
        f"found in {power:.1%} of 4,000",
        "80 %",
        power >= 0.8,
    )
    for a_day in (0.1, 1.0):
        line(f"patrol-days to see a fall of 10 % at {a_day} a day", f"{days_needed(a_day):,}")
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(4000):
        a, b, c, d, e, f = rng.poisson([120, 100, 130, 125, 60, 62])
        found = wdd(before=a, after=b, control_before=c, control_after=d, near_before=e, near_after=f)
        held += found.low <= (100 - 120) - (125 - 130) + (62 - 60) <= found.high
    line(
        "displacement difference: its 95 % intervals hold the truth",
        f"{held / 4000:.1%}",
        "94-96 %",
        3760 <= held <= 3840,
    )


def main() -> None:
    """Measure plans, then trials; no data are needed."""
    plans()
    trials()


if __name__ == "__main__":
    main()
