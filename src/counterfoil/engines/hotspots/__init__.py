"""Where crime reported by the public will cluster next: places only, never people.

Models stand on a ladder. `baseline` counts each place's events of the last twelve months; `recency` lets events fade
with age; `smoothed` also borrows from neighbours; `kernel` spreads every event over its surroundings; `regression`
draws each place's rate towards that of places like it; `selfexciting` lets one event raise the next near by. A higher
rung is used only where it beat those below it on rolling origins before the day asked for.

>>> import numpy as np
>>> places = np.array([0] * 30 + [1] * 10 + [2] * 2)
>>> events = Events(days=np.linspace(0, 419, 42), place=places, xy=np.zeros((3, 2)), target=np.ones(42, bool))
>>> found = forecast(events, train_until=400, test_until=420, share=0.34, model="baseline")
>>> found.areas, found.model
(1, 'baseline')
"""

from counterfoil.engines.hotspots.learned import MODELS, Rates, rates
from counterfoil.engines.hotspots.models import Events
from counterfoil.engines.hotspots.score import (
    Forecast,
    Gain,
    caught,
    choose,
    earlier,
    forecast,
    gain,
    intervals,
    picked,
)

__all__ = [
    "MODELS",
    "Events",
    "Forecast",
    "Gain",
    "Rates",
    "caught",
    "choose",
    "earlier",
    "forecast",
    "gain",
    "intervals",
    "picked",
    "rates",
]
