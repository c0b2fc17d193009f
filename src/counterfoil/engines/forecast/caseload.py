"""Forecast how many cases a court will have open: the last value and the net flow, and how far that may go wrong.

Models stand on a ladder. `walk` repeats the last value; `drift` adds the mean net flow of the last four quarters each
quarter; `fading` weighs newer quarters more and lets the flow fade. `fading` is used only where it beat `drift` from
earlier origins, looking at nothing after the origin.

>>> flow = [-300, -200, -250, -250, 100, 400, 500, 450, 500, 480, 520, 500]
>>> cases = [40_000 + sum(flow[: i + 1]) for i in range(12)]
>>> found = forecast(cases, receipts=[25_000 + f for f in flow], disposals=[25_000] * 12, ahead=2)
>>> found.model, [round(a.middle) for a in found.ahead], found.ahead[0].low < 42_900 < found.ahead[0].high
('drift', [42950, 43450], True)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput

Floats = NDArray[np.float64]

AHEAD = 8
RECENT = 4
FIRST = 4  # quarters before the first origin that is tried
NEEDED = 4  # earlier origins before a fancier model may be offered
KEPT = 0.7  # how much of the flow's smoothed value is kept when a quarter is added
FADES = 0.8  # of the flow is left a quarter later
T4 = 2.1318  # 95 % point of Student's t with four degrees of freedom


@dataclass(frozen=True)
class Ahead:
    """So many quarters ahead: the 90 % interval and the middle, in cases."""

    quarters: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Tried:
    """How a model did from earlier origins: mean absolute error in percent over all its forecasts, and how many."""

    model: str
    mape: float
    forecasts: int


@dataclass(frozen=True)
class Caseload:
    """A forecast of open cases, the model it uses and how each model did before."""

    model: str
    ahead: tuple[Ahead, ...]
    tried: tuple[Tried, ...]


def _walk(cases: Floats, flow: Floats, ahead: int) -> Floats:
    return np.full(ahead, cases[-1])


def _drift(cases: Floats, flow: Floats, ahead: int) -> Floats:
    result: Floats = cases[-1] + np.arange(1, ahead + 1) * flow[-RECENT:].mean()
    return result


def _fading(cases: Floats, flow: Floats, ahead: int) -> Floats:
    weights = KEPT ** np.arange(len(flow) - 1, -1, -1)
    weights[1:] *= 1 - KEPT
    result: Floats = cases[-1] + float(weights @ flow) * np.cumsum(FADES ** np.arange(1, ahead + 1))
    return result


MODELS = {"walk": _walk, "drift": _drift, "fading": _fading}


def forecast(
    cases: Sequence[float],
    receipts: Sequence[float],
    disposals: Sequence[float],
    ahead: int = AHEAD,
    model: str = "",
) -> Caseload:
    """Return the open cases of the coming quarters with 90 % intervals.

    cases: open at the end of each quarter, oldest first, without gaps; receipts, disposals: during it. `model` forces
    one of `walk`, `drift`, `fading`. The interval takes the net flow for a random walk, whatever model gives the
    middle: after h quarters its error has the standard deviation s * sqrt(1 + 4 + ... + h * h), s being 1.4826 times
    the median change of net flow from quarter to quarter, at least what counting alone makes of it, with the tails of
    Student's t of 4 degrees (Harvey 1989, 2.3, on integrated walks). It is wide when flow has been restless; were the
    flow a pure walk with such tails, some eight in ten would hold, not nine. Raises BadInput for fewer than 8
    quarters, gaps or negative numbers.
    """
    open_, flow = _checked(cases, receipts, disposals)
    if model and model not in MODELS:
        raise BadInput("model", f"There is no model {model}. Choose walk, drift or fading.")
    tried = _tried(open_, flow)
    name = model or _offered(open_, flow)
    middle = MODELS[name](open_, flow, ahead)
    counting = math.sqrt(2 * float(np.mean(np.asarray(receipts, float) + np.asarray(disposals, float))))
    typical = max(counting, 1.4826 * float(np.median(np.abs(np.diff(flow)))))
    steps = np.arange(1, ahead + 1)
    half = T4 * typical * np.sqrt(np.cumsum(steps**2))
    fan = tuple(
        Ahead(int(h), max(0.0, float(m - w)), max(0.0, float(m)), float(m + w))
        for h, m, w in zip(steps, middle, half, strict=True)
    )
    return Caseload(name, fan, tried)


def _checked(
    cases: Sequence[float], receipts: Sequence[float], disposals: Sequence[float]
) -> tuple[Floats, Floats]:
    if not len(cases) == len(receipts) == len(disposals):
        raise BadInput("cases", "Open cases, receipts and disposals must cover the same quarters.")
    if len(cases) < 2 * RECENT:
        raise BadInput("cases", f"A forecast needs {2 * RECENT} quarters in a row; {len(cases)} are held.")
    open_ = np.asarray(cases, float)
    flow = np.asarray(receipts, float) - np.asarray(disposals, float)
    if not (np.isfinite(open_).all() and np.isfinite(flow).all() and (open_ > 0).all()):
        raise BadInput(
            "cases", "A quarter is missing or not above 0. Forecast from the quarters after the gap."
        )
    return open_, flow


def _errors(open_: Floats, flow: Floats, name: str) -> list[Floats]:
    """Return percent errors for each earlier origin, over the quarters since that are known."""
    found = []
    for origin in range(FIRST, len(open_)):
        known = open_[origin : origin + AHEAD]
        said = MODELS[name](open_[:origin], flow[:origin], len(known))
        found.append(100 * np.abs(said / known - 1))
    return found


def _tried(open_: Floats, flow: Floats) -> tuple[Tried, ...]:
    found = []
    for name in MODELS:
        errors = _errors(open_, flow, name)
        every = np.concatenate(errors) if errors else np.zeros(0)
        found.append(Tried(name, float(every.mean()) if len(every) else math.nan, len(every)))
    return tuple(found)


def _offered(open_: Floats, flow: Floats) -> str:
    """Return `fading` where it erred less from earlier origins, on the mean and from half of them; else `drift`."""
    simple, fancy = (np.array([e.mean() for e in _errors(open_, flow, n)]) for n in ("drift", "fading"))
    gain = simple - fancy
    return "fading" if len(gain) >= NEEDED and gain.mean() > 0 and np.median(gain) >= 0 else "drift"


@dataclass(frozen=True)
class Origin:
    """What was forecast after so many quarters, and what came: one row for each quarter ahead that is known."""

    quarters: int
    model: str
    errors: dict[str, tuple[float, ...]]
    inside: tuple[bool, ...]
    inside_drift: tuple[bool, ...]


def origins(
    cases: Sequence[float], receipts: Sequence[float], disposals: Sequence[float], first: int, last: int
) -> tuple[Origin, ...]:
    """Forecast from each origin (after `first` to `last` quarters) with what was known then, and compare.

    errors: absolute percent by model, with `offered` for the one that would have been used.
    """
    found = []
    for origin in range(first, min(last, len(cases) - 1) + 1):
        known = [float(c) for c in cases[origin : origin + AHEAD]]
        errors = {}
        kept = {}
        for name in ("", *MODELS):
            said = forecast(cases[:origin], receipts[:origin], disposals[:origin], AHEAD, name)
            kept[name or "offered"] = said
            errors[name or "offered"] = tuple(
                100 * abs(a.middle / c - 1) for a, c in zip(said.ahead, known, strict=False)
            )
        inside = {
            name: tuple(a.low <= c <= a.high for a, c in zip(said.ahead, known, strict=False))
            for name, said in kept.items()
        }
        found.append(Origin(origin, kept["offered"].model, errors, inside["offered"], inside["drift"]))
    return tuple(found)
