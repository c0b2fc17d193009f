"""Dated data and its loaders: kinds, outcome types, forces, duties, wording."""
