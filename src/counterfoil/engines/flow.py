"""Say which state follows from which move, and refuse every other move with a sentence.

>>> custody = Flow({
...     ("received", "seal"): "sealed",
...     ("sealed", "open"): "opened",
...     ("opened", "seal"): "sealed",
... })
>>> custody.after("received", "seal")
'sealed'
>>> custody.after("sealed", "seal")
Traceback (most recent call last):
    ...
counterfoil.engines.errors.NotAllowed: You cannot seal this while it is sealed; what can be done now: open.
"""

from collections.abc import Mapping

from counterfoil.engines.errors import NotAllowed


class Flow:
    """A table of (state, move) to the state that follows; states and moves are plain words."""

    def __init__(self, table: Mapping[tuple[str, str], str]) -> None:
        self._table = dict(table)
        if not self._table:
            raise ValueError("A flow needs at least one move.")
        named = [word for (state, move), after in self._table.items() for word in (state, move, after)]
        if not all(named):
            raise ValueError("A flow's states and moves must have names.")

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which the table first names it."""
        named = [word for (state, _), after in self._table.items() for word in (state, after)]
        return tuple(dict.fromkeys(named))

    @property
    def ends(self) -> tuple[str, ...]:
        """The states that no move leaves."""
        return tuple(state for state in self.states if not self.moves(state))

    def moves(self, state: str) -> tuple[str, ...]:
        """Return what can be done in a state, in the order of the table."""
        return tuple(move for before, move in self._table if before == state)

    def allows(self, state: str, move: str) -> bool:
        """Say whether a move is possible in a state."""
        return (state, move) in self._table

    def after(self, state: str, move: str) -> str:
        """Return the state after a move; NotAllowed with a sentence that lists what is possible instead."""
        try:
            return self._table[state, move]
        except KeyError:
            possible = ", ".join(map(_said, self.moves(state))) or "nothing more"
            raise NotAllowed(
                f"You cannot {_said(move)} this while it is {_said(state)}; what can be done now: {possible}."
            ) from None

    def reachable(self, start: str) -> frozenset[str]:
        """Return every state that can be reached from a state, itself included."""
        found, open_ends = {start}, [start]
        while open_ends:
            state = open_ends.pop()
            for move in self.moves(state):
                if (after := self._table[state, move]) not in found:
                    found.add(after)
                    open_ends.append(after)
        return frozenset(found)


def _said(word: str) -> str:
    return word.replace("_", " ").replace("-", " ")
