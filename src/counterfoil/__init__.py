"""Counterfoil: one case, from public report to court, with proof at every step."""

__version__ = "0.1.0"
