"""How good a forecast was: hits, PAI, PEI*; whether a model earned its place; how sure its counts are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput
from counterfoil.engines.hotspots.learned import MODELS, rates
from counterfoil.engines.hotspots.models import Events, Floats

ORIGINS = 24
"""Earlier spans on which models are compared at most, each as long as the one asked for."""
LEVEL = 0.9
"""The share of counts that an interval is to hold."""


@dataclass(frozen=True)
class Forecast:
    """The places chosen and how they did in the test.

    `areas` places were chosen of those seen in training; `hits` of the `n` test events fell into them; no choice of as
    many places could have had more than `best_possible`. PAI = (hits/n) / (areas/places seen); PEI* = hits /
    best_possible (Hunt 2016; NIJ 2017). Both are None where nothing happened. `chosen` are the places' indexes, best
    first; each is expected to have `expected` events, and between `low` and `high` with 90 %.
    """

    model: str
    areas: int
    seen: int
    hits: int
    n: int
    best_possible: int
    pai: float | None
    pei: float | None
    chosen: NDArray[np.int64]
    expected: Floats
    low: Floats
    high: Floats
    why: str = ""


@dataclass(frozen=True)
class Gain:
    """How much larger a share of events one model caught than another, with its 95 % interval, over `origins` spans."""

    mean: float
    low: float
    high: float
    origins: int

    @property
    def sure(self) -> bool:
        """Say whether the interval leaves out every loss and no gain at all."""
        return self.low > 0


def pick(scores: Floats, seen: NDArray[np.bool_], share: float) -> NDArray[np.int64]:
    """Return the places with the highest scores, of those seen; ties go to the lower index, so it is repeatable."""
    known = np.flatnonzero(seen)
    many = max(1, int(share * len(known) + 0.5))
    return known[np.argsort(-scores[known], kind="stable")[:many]]


def picked(events: Events, model: str, until: float, ahead: float, share: float) -> NDArray[np.int64]:
    """Return the places a model picks on a day, best first."""
    return events.kept(
        ("picked", model, until, ahead, share),
        lambda: pick(MODELS[model](events, until, ahead), events.seen(until), share),
    )


def forecast(
    events: Events, *, train_until: float, test_until: float, share: float, model: str = ""
) -> Forecast:
    """Choose places from events before `train_until` and score them on train_until ≤ day < test_until.

    Without `model` the highest rung is taken that beat the rungs below it on earlier origins; the answer says why.
    """
    if not 0 < share <= 1:
        raise BadInput("--share", "Give a share of the places between 0 and 1, for example 0.01.")
    if not test_until > train_until:
        raise BadInput("--test-until", "The test must end after the training does.")
    training = events.days < train_until
    if not (training & events.target).any():
        raise BadInput("--train-until", "There is no event before that day to learn from.")
    ahead, why = test_until - train_until, ""
    if not model:
        model, why = choose(events, train_until, ahead, share)
    if model not in MODELS:
        raise BadInput("--model", f"There is no model {model!r}. There are: {', '.join(MODELS)}.")
    seen = events.seen(train_until)
    chosen = picked(events, model, train_until, ahead, share)
    happened = events.counts(train_until, test_until)
    hits, n = int(happened[chosen].sum()), int(happened.sum())
    best = int(np.sort(happened)[::-1][: len(chosen)].sum())
    expected, low, high = intervals(events, train_until, ahead, chosen, share)
    return Forecast(
        model=model,
        areas=len(chosen),
        seen=int(seen.sum()),
        hits=hits,
        n=n,
        best_possible=best,
        pai=(hits / n) / (len(chosen) / seen.sum()) if n else None,
        pei=hits / best if best else None,
        chosen=chosen,
        expected=expected,
        low=low,
        high=high,
        why=why,
    )


def earlier(events: Events, until: float, ahead: float) -> list[float]:
    """Return the days on which earlier spans of the same length began, latest first.

    Each has at least half of the history before it: with little of it every model beats a count, which says nothing of
    the day asked for.
    """
    first = float(events.days.min())
    begun = (until - ahead * k for k in range(1, ORIGINS + 1))
    if events.step:
        # Months are told by their first day: a span begins on one, whatever the lengths of the months between.
        months = np.unique(events.days[events.days < until])
        whole = max(1, round(ahead / events.step))
        begun = (float(months[-whole * k]) for k in range(1, ORIGINS + 1) if whole * k <= len(months))
    return [at for at in begun if at - first >= max(2 * ahead, 60, (until - first) / 2)]


def simple(events: Events) -> str:
    """Return the model that all others are measured by: over areas the count of twelve months, over cells the kernel.

    A cell of a street block has too few events of its own to count; the recency-weighted kernel is what practice uses.
    """
    return "baseline" if events.points is None else "kernel"


def choose(events: Events, until: float, ahead: float, share: float) -> tuple[str, str]:
    """Return the highest rung of the ladder that beat the rungs below it before `until`, and the sentence that says so.

    Going up, each model must catch more than the best so far with an interval that leaves out 0; else it is not used.
    """
    origins, first = earlier(events, until, ahead), simple(events)
    called = "the simple count" if first == "baseline" else "the simple kernel"
    if len(origins) < 3:
        return first, f"Too little history to compare models on earlier spans: {called} is used."
    best = first
    for name in list(MODELS)[list(MODELS).index(first) + 1 :]:
        if gain(events, origins, ahead, share, name, over=best).sure:
            best = name
    if best == first:
        return best, f"No gain over {called} on {len(origins)} earlier spans: {called} is used."
    found = gain(events, origins, ahead, share, best, over=first)
    return best, (
        f"On {found.origins} earlier spans {best} caught {100 * found.mean:.1f} in 100 crimes more than {called} "
        f"(95 % interval {100 * found.low:.1f} to {100 * found.high:.1f})."
    )


def gain(
    events: Events,
    origins: Sequence[float],
    ahead: float,
    share: float,
    model: str,
    *,
    over: str = "baseline",
    draws: int = 2000,
) -> Gain:
    """Return the paired gain of a model over another in the share of events caught, with its 95 % interval.

    A block bootstrap: spans are drawn anew, and within each the places that one model chose and the other did not, for
    only they tell the two apart. A span counts by its number of events.
    """
    rng = np.random.default_rng(20261121)
    gained, totals, drawn = [], [], []
    for at in origins:
        until = _after(events, at, ahead)
        happened = events.counts(at, until)
        if not events.seen(at).any() or not happened.sum():
            continue
        mine, theirs = (picked(events, name, at, ahead, share) for name in (model, over))
        only = np.concatenate((happened[np.setdiff1d(mine, theirs)], -happened[np.setdiff1d(theirs, mine)]))
        gained.append(only.sum())
        totals.append(happened.sum())
        drawn.append(rng.poisson(1.0, size=(draws, len(only))) @ only if len(only) else np.zeros(draws))
    if not gained:
        return Gain(0.0, 0.0, 0.0, 0)
    blocks = rng.integers(0, len(gained), size=(draws, len(gained)))
    sums = np.column_stack(drawn)[np.arange(draws)[:, None], blocks].sum(axis=1)
    low, high = np.quantile(sums / np.asarray(totals)[blocks].sum(axis=1), (0.025, 0.975))
    return Gain(float(sum(gained) / sum(totals)), float(low), float(high), len(gained))


def caught(
    events: Events, origins: Sequence[float], ahead: float, share: float, model: str
) -> tuple[int, int, int]:
    """Return over spans how many events a model's choice caught, of how many, and the most it could have had."""
    hits = n = best = 0
    for at in origins:
        chosen, happened = (
            picked(events, model, at, ahead, share),
            events.counts(at, _after(events, at, ahead)),
        )
        hits += int(happened[chosen].sum())
        n += int(happened.sum())
        best += int(np.sort(happened)[::-1][: len(chosen)].sum())
    return hits, n, best


def _after(events: Events, at: float, ahead: float) -> float:
    """Return when a span that began then ended: with data by the month, so many months later."""
    if not events.step:
        return at + ahead
    months = np.unique(events.days)
    later = months[months >= at]
    whole = max(1, round(ahead / events.step))
    return float(later[whole]) if whole < len(later) else at + ahead


def intervals(
    events: Events, until: float, ahead: float, chosen: NDArray[np.int64], share: float
) -> tuple[Floats, Floats, Floats]:
    """Return for each chosen place the count to expect in so many days, and the bounds that hold 90 % of such counts.

    The counts are negative binomial (see `rates`). Their tails are set so that on earlier spans the bounds held 90 % of
    the counts of the places that would have been chosen then: counts are whole, so bounds taken from the tails as they
    come hold more than they say.
    """
    level = _level(events, until, ahead, share)
    found = rates(events, until)
    return found.mean(ahead)[chosen], *found.between(chosen, ahead, level)


def _level(events: Events, until: float, ahead: float, share: float) -> float:
    origins = earlier(events, until, ahead)
    if len(origins) < 3:
        return LEVEL
    levels = np.arange(0.70, 0.9951, 0.005)
    held, many = np.zeros(len(levels)), 0
    for at in origins:
        found, happened = rates(events, at), events.counts(at, _after(events, at, ahead))
        there = picked(events, "regression", at, ahead, share)
        happened, many = happened[there], many + len(there)
        for i, level in enumerate(levels):
            low, high = found.between(there, ahead, float(level))
            held[i] += ((happened >= low) & (happened <= high)).sum()
    return float(levels[np.argmin(np.abs(held / many - LEVEL))])
