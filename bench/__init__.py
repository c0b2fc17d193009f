"""Measurements beside their peers, in one run; ratios are printed. Nothing here is a timed test."""
