"""Measures: numbers computed from published tables (later from our own cases), never typed in."""
