"""The models that learn: how much a place borrows from its like, and how much one event brings on the next.

`rates` is empirical Bayes. A place's rate is drawn from a gamma distribution around what its neighbours and other kinds
of report there lead one to expect (a Poisson regression with a ridge); how wide it is drawn is fitted too (the count is
then negative binomial); its own fading count then says how far it differs. From the same distribution come the
intervals of how many will happen (Clayton & Kaldor 1987, Biometrics 43; Marshall 1991, Applied Statistics 40).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize, minimize_scalar
from scipy.special import gammaln
from scipy.stats import nbinom

from counterfoil.engines.hotspots.models import SIMPLE, Events, Floats, Ints, kernel

HALF_LIFE, SLOW, EVER = 183.0, 365.0, 36_525.0
NEAR_DAYS = (7.0, 30.0, 365.0, 3000.0)


@dataclass(frozen=True)
class Rates:
    """Each place's rate a day: a gamma distribution of a `shape` and a `scale` (days), so its mean is shape/scale."""

    shape: Floats
    scale: Floats

    def mean(self, ahead: float) -> Floats:
        """Return how many events are expected in so many days."""
        return self.shape / self.scale * ahead

    def between(self, there: Ints, ahead: float, level: float) -> tuple[Floats, Floats]:
        """Return the lowest and highest count that so many days bring to some places, the tails being equal."""
        shape, p, tail = self.shape[there], (self.scale / (self.scale + ahead))[there], (1 - level) / 2
        return nbinom.ppf(tail, shape, p), nbinom.ppf(1 - tail, shape, p)


def rates(events: Events, until: float) -> Rates:
    """Return every place's rate as known before a day."""
    return events.kept(("rates", until), lambda: _rates(events, until))


def _rates(events: Events, until: float) -> Rates:
    seen = events.seen(until)
    own, watched = events.faded(until, EVER), events.exposure(until, EVER)
    fit = seen & (watched > 0)
    told = _surroundings(events, until, own, watched)
    told = (told - told[fit].mean(axis=0)) / (told[fit].std(axis=0) + 1e-9)
    full = np.column_stack((np.ones(len(told)), told))
    weights = _poisson(full[fit], own[fit], np.log(watched[fit]))
    expected = np.exp(np.clip(full @ weights, -30, 5))
    width, level = _width(own[fit], (expected * watched)[fit])
    expected = expected * level
    # The more history there is, the slower it fades: years of a place that has few events are most of what is known.
    half_life = max(HALF_LIFE, (until - float(events.days.min())) / 2)
    recent, lately = events.faded(until, half_life), events.exposure(until, half_life)
    return Rates(recent + width, lately + width / expected)


def _surroundings(events: Events, until: float, own: Floats, watched: Floats) -> Floats:
    """Return what is known of each place but its own count of the target, each as the logarithm of a rate a day."""
    near = [_others(events, wide) for wide in (1.0, 3.0)] if events.xy.any() else []
    level = max(own.sum(), 1.0) / max(watched.sum(), 1e-9)
    columns = [np.log((s @ own + 0.05) / (s @ watched + 0.05 / level)) for s in near]
    if events.kinds is not None:
        lately = events.exposure(until, SLOW)
        wanted = np.unique(events.kinds[events.target])
        for kind in np.unique(events.kinds):
            # A kind that the target is made of would tell the place's own count over again.
            if kind in wanted:
                continue
            count = events.faded(until, SLOW, int(kind))
            level = max(count.sum(), 1.0) / max(lately.sum(), 1e-9)
            columns.append(np.log((count + 0.3) / (lately + 0.3 / level)))
            columns += [np.log((s @ count + 0.1) / (s @ lately + 0.1 / level)) for s in near[:1]]
    return np.column_stack(columns) if columns else np.zeros((events.places, 1))


def _others(events: Events, wide: float) -> sparse.csr_matrix:
    """Return the neighbours' matrix without the place itself."""

    def made() -> sparse.csr_matrix:
        spread = events.neighbours(wide * events.apart()).tolil()
        spread.setdiag(0)
        spread = spread.tocsr()
        total = np.asarray(spread.sum(axis=1)).ravel()
        return sparse.csr_matrix(sparse.diags(1 / np.maximum(total, 1e-12)) @ spread)

    return events.kept(("others", wide), made)


def _poisson(design: Floats, counted: Floats, offset: Floats, ridge: float = 20.0, steps: int = 40) -> Floats:
    """Return the weights of a ridge Poisson regression with a logarithmic link (Newton with step halving)."""
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(max(counted.sum(), 1e-9) / np.exp(offset).sum())

    def loss(w: Floats) -> float:
        reach = np.clip(design @ w + offset, -30, 30)
        return float(np.exp(reach).sum() - counted @ reach + 0.5 * penalty @ (w * w))

    best = loss(weights)
    for _ in range(steps):
        rate = np.exp(np.clip(design @ weights + offset, -30, 30))
        slope = design.T @ (rate - counted) + penalty * weights
        curve = (design * rate[:, None]).T @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while (new := loss(weights - size * step)) >= best and size > 1e-4:
            size /= 2
        if new >= best:
            break
        done = best - new < 1e-7 * abs(best)
        weights, best = weights - size * step, new
        if done:
            break
    return weights


def _width(counted: Floats, expected: Floats) -> tuple[float, float]:
    """Return the gamma's shape under which the counts are likeliest, and what the expectations must be multiplied by.

    Small shapes: places differ much from their like. Where places are known only by an event of their own (cells), none
    has a count of 0, which would look like even rates: then the likelihood is that of counts above 0.
    """
    cut = bool(counted.min() > 0.5)

    def unlikely(log_shape: float, log_level: float) -> float:
        k, mean = float(np.exp(log_shape)), expected * np.exp(log_level)
        likely = (
            gammaln(counted + k)
            - gammaln(k)
            + k * np.log(k / (k + mean))
            + counted * np.log(mean / (k + mean))
        )
        if cut:
            likely = likely - np.log(-np.expm1(k * np.log(k / (k + mean))))
        return float(-np.sum(likely))

    if not cut:
        found = minimize_scalar(lambda at: unlikely(at, 0.0), bounds=(-4, 5), method="bounded")
        return float(np.exp(found.x)), 1.0
    both = minimize(
        lambda at: unlikely(*np.clip(at, (-4, -4), (5, 1))),
        (0.0, -0.5),
        method="Nelder-Mead",
        options={"maxiter": 200},
    ).x
    shape, level = np.exp(np.clip(both, (-4, -4), (5, 1)))
    return float(shape), float(level)


def regression(events: Events, until: float, ahead: float) -> Floats:
    """Give each place the mean of its rate: its own fading count, drawn towards what places like it have."""
    found = rates(events, until)
    return found.shape / found.scale


def selfexciting(events: Events, until: float, ahead: float) -> Floats:
    """Let every event raise the rate around it for a time, on top of a steady rate: for data by the day only.

    The discrete form of a self-exciting point process (Mohler et al. 2011): kernels of four half-lives by three widths
    and a constant, each with a weight that is not negative, fitted by expectation-maximisation to past spans as long.
    Months cannot show what follows within days, so there it gives the kernel's answer.
    """
    history = until - float(events.days.min())
    spans = int(min(12, (history - 180) // max(ahead, 1.0)))
    if events.step or spans < 2 or not events.xy.any():
        return kernel(events, until, ahead)
    known = [until - ahead * k for k in range(1, 1 + spans)]
    seen = [events.seen(at) for at in known]
    design = np.vstack([_raised(events, at)[there] for at, there in zip(known, seen, strict=True)])
    counted = np.concatenate(
        [events.counts(at, at + ahead)[there] for at, there in zip(known, seen, strict=True)]
    )
    total = np.maximum(design.sum(axis=0), 1e-12)
    weights = np.full(design.shape[1], counted.sum() / total.sum())
    hit, many = design[counted > 0], counted[counted > 0]
    for _ in range(200):
        weights = weights * (hit.T @ (many / np.maximum(hit @ weights, 1e-300))) / total
    return np.asarray(_raised(events, until) @ weights)


def _raised(events: Events, until: float) -> Floats:
    def made() -> Floats:
        near = [events.neighbours(events.apart() * wide) for wide in (1.0, 3.0)]
        columns = [np.ones(events.places) * 1e-3]
        for half_life in NEAR_DAYS:
            own = events.faded(until, half_life) / half_life
            columns += [own, *(np.asarray(spread @ own) for spread in near)]
        return np.column_stack(columns)

    return events.kept(("raised", until), made)


MODELS: Mapping[str, Callable[[Events, float, float], Floats]] = {
    **SIMPLE,
    "regression": regression,
    "selfexciting": selfexciting,
}
"""The ladder, simplest first."""
