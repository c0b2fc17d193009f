"""How good a forecast was: hits, PAI, PEI*; and whether a model earned its place on rolling origins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput
from counterfoil.engines.hotspots.models import MODELS, Events

Floats = NDArray[np.float64]
ORIGINS = 6


@dataclass(frozen=True)
class Forecast:
    """The places chosen and how they did in the test.

    `areas` places were chosen of those seen in training; `hits` of the `n` test events fell into them; no choice of as
    many places could have had more than `best_possible`. PAI = (hits/n) / (areas/places seen); PEI* = hits /
    best_possible (Hunt 2016; NIJ 2017). Both are None where nothing happened. `chosen` are the places' indexes, best
    first.
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
    why: str = ""


def pick(scores: Floats, seen: NDArray[np.bool_], share: float) -> NDArray[np.int64]:
    """Return the places with the highest scores, of those seen; ties go to the lower index, so it is repeatable."""
    known = np.flatnonzero(seen)
    many = max(1, int(share * len(known) + 0.5))
    return known[np.argsort(-scores[known], kind="stable")[:many]]


def forecast(
    events: Events, *, train_until: float, test_until: float, share: float, model: str = ""
) -> Forecast:
    """Choose places from events before `train_until` and score them on train_until ≤ day < test_until.

    Without `model` the highest rung is taken that beat the baseline on earlier origins; the answer says why.
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
    seen = np.zeros(events.places, dtype=bool)
    seen[events.place[training]] = True
    chosen = pick(MODELS[model](events, train_until, ahead), seen, share)
    happened = events.counts(train_until, test_until)
    hits, n = int(happened[chosen].sum()), int(happened.sum())
    best = int(np.sort(happened)[::-1][: len(chosen)].sum())
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
        why=why,
    )


def choose(events: Events, until: float, ahead: float, share: float) -> tuple[str, str]:
    """Return the model that beat the baseline on origins before `until`, and the sentence that says so."""
    first = float(events.days.min())
    origins = [
        until - ahead * k for k in range(1, ORIGINS + 1) if until - ahead * k - first >= max(2 * ahead, 60)
    ]
    if len(origins) < 3:
        return "baseline", "Too little history to compare models on earlier spans: the simple count is used."
    best, said, most = (
        "baseline",
        "No gain over the simple count on earlier spans: the simple count is used.",
        0.0,
    )
    for name in [m for m in MODELS if m != "baseline"]:
        mean, low, high = gain(events, origins, ahead, share, name)
        if low > 0 and mean > most:
            best, most = name, mean
            said = (
                f"On {len(origins)} earlier spans {name} caught {mean:+.1%} of the crimes more "
                f"(95 % {low:+.1%} to {high:+.1%})."
            )
    return best, said


def gain(
    events: Events, origins: Sequence[float], ahead: float, share: float, model: str, *, draws: int = 2000
) -> tuple[float, float, float]:
    """Return the paired gain of a model over the baseline in share of events caught, with its 95 % interval.

    The interval is a bootstrap over places within each origin, so that it is honest with few origins: whether a place
    that one model chose and the other did not was hit is what varies.
    """
    rng = np.random.default_rng(20261121)
    means, spread = [], np.zeros(draws)
    for at in origins:
        seen = np.zeros(events.places, dtype=bool)
        seen[events.place[events.days < at]] = True
        happened = events.counts(at, at + ahead)
        total = happened.sum()
        if not seen.any() or not total:
            continue
        mine = pick(MODELS[model](events, at, ahead), seen, share)
        theirs = pick(MODELS["baseline"](events, at, ahead), seen, share)
        only = np.concatenate((happened[np.setdiff1d(mine, theirs)], -happened[np.setdiff1d(theirs, mine)]))
        means.append(only.sum() / total)
        if len(only):
            counts = np.abs(only)
            spread += (rng.poisson(counts, size=(draws, len(only))) * np.sign(only)).sum(axis=1) / total
    if not means:
        return 0.0, 0.0, 0.0
    low, high = np.quantile(spread / len(means), (0.025, 0.975))
    return float(np.mean(means)), float(low), float(high)
