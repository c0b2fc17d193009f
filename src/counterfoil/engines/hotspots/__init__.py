"""Where crime reported by the public will cluster next: places only, never people.

Models stand on a ladder. `baseline` counts each place's events of the last twelve months; `recency` lets events fade
with age; `smoothed` also borrows from neighbours; `kernel` spreads every event over its surroundings; `regression`
learns from past spans how far each of those, and other kinds of report, foretell the next. A higher rung is used only
where it beat the baseline on rolling origins before the day asked for.

>>> import numpy as np
>>> places = np.array([0] * 30 + [1] * 10 + [2] * 2)
>>> events = Events(days=np.linspace(0, 419, 42), place=places, xy=np.zeros((3, 2)), target=np.ones(42, bool))
>>> found = forecast(events, train_until=400, test_until=420, share=0.34, model="baseline")
>>> found.areas, found.model
(1, 'baseline')
"""

from counterfoil.engines.hotspots.models import MODELS, Events
from counterfoil.engines.hotspots.score import Forecast, forecast, gain

__all__ = ["MODELS", "Events", "Forecast", "forecast", "gain"]
