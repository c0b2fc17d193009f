"""Linkage: which records of a table are the same person (or address, or thing), learnt without known matches.

`Store(out).link(path, "id", read_map(…))` writes id and cluster; `.add` tops up, `.undo` takes back and `.explain`
says why.
"""

from counterfoil.engines.linkage.maps import Map, guess, read_map
from counterfoil.engines.linkage.read import columns
from counterfoil.engines.linkage.store import Store

__all__ = ["Map", "Store", "columns", "guess", "read_map"]
