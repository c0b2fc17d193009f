"""Patrols of places: a plan within the minutes there are, what was done of it, and whether it worked.

>>> spots = [Spot("A", 0, 0, 5.0), Spot("B", 400, 0, 2.0)]
>>> made = plan(spots, [Unit("Friday 1", minutes=60)], visit=15)
>>> sorted(v.spot for v in made.visits), made.minutes <= 60
(['A', 'A', 'B'], True)
>>> wdd(before=100, after=70, control_before=100, control_after=98).change
-28.0
"""

from counterfoil.engines.patrols.plan import Plan, Spot, Unit, Visit, dosage, plan
from counterfoil.engines.patrols.trial import Crossover, Displacement, assign, crossover, days_needed, wdd

__all__ = [
    "Crossover",
    "Displacement",
    "Plan",
    "Spot",
    "Unit",
    "Visit",
    "assign",
    "crossover",
    "days_needed",
    "dosage",
    "plan",
    "wdd",
]
