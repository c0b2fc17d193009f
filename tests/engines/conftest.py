"""Engines stand alone: nothing here needs a web framework or a database."""
