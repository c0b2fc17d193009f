"""What published numbers say about what comes next, and when they do not say it: intervals everywhere, no guesses.

Nothing here looks at a person or a case: the inputs are published totals. Same input, same answer, always.

>>> from datetime import date
>>> def year(ending, value):
...     return Point(date(ending - 1, 4, 1), date(ending, 3, 31), value)
>>> falling = [year(2016 + i, 50_000 * 0.92**i) for i in range(9)]
>>> verdict = on_path(falling, baseline=falling[0], level=25_000, by=date(2026, 3, 31))
>>> verdict.state, verdict.sentence
('likely', 'Likely: the chance of reaching it by 31 March 2026, read from the series alone, is more than 99 in 100.')
>>> on_path(falling[:3], baseline=falling[0], level=25_000, by=date(2026, 3, 31)).sentence
'Not known: only 3 comparable years are published, and 4 are needed.'
"""

from counterfoil.engines.forecast.target import Fan, Verdict, on_path
from counterfoil.engines.forecast.years import Point

__all__ = ["Fan", "Point", "Verdict", "on_path"]
