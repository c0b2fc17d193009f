"""How a case ended and why: outcome types are dated data, and type 0 is the absence of an outcome, never a row."""
