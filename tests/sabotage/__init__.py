"""Deliberately broken versions of the product. A gate that does not catch one of these proves nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import transaction

Say = Callable[..., None]
A_MOMENT = 0.1


@contextmanager
def acknowledged_before_commit(say: Say) -> Iterator[None]:
    """The sender is told yes inside the transaction, a moment before it is committed."""
    from counterfoil.reports import actions

    really = actions.once

    def once(scope: str, key: str, digest: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def hasty() -> dict[str, Any]:
            a = act()
            say(done="submit", key=key, answer=[a["report"], a["reference"], a["passphrase"], a["receipt"]])
            time.sleep(A_MOMENT)
            return a

        return really(scope, key, digest, hasty)

    with patch.object(actions, "once", once):
        yield


@contextmanager
def key_after_effect(say: Say) -> Iterator[None]:
    """The effect is committed first and the idempotency key in a transaction of its own, afterwards."""
    from counterfoil.evidence import actions
    from counterfoil.ledger.actions import once as really

    def once(scope: str, key: str, digest: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with transaction.atomic():
            answer = act()
        time.sleep(A_MOMENT)
        return really(scope, key, digest, lambda: answer)

    with patch.object(actions, "once", once):
        yield


@contextmanager
def row_before_bytes(say: Say) -> Iterator[None]:
    """The exhibit's row is committed before its bytes are in the vault."""
    from counterfoil.engines.vault import Stored, Vault
    from counterfoil.evidence import actions

    class Hasty(Vault):
        def copy_from(self, other: Vault, sha256: str) -> Stored:
            self.later = (other, sha256)
            return Stored(sha256, other.size(sha256))

    store: list[Hasty] = []

    def vault() -> Hasty:
        from counterfoil.plugs.stores import vault as real

        store.append(Hasty(real().root))
        return store[-1]

    really = actions.once

    def once(*a: Any) -> dict[str, Any]:
        answer = really(*a)
        time.sleep(A_MOMENT)
        Vault.copy_from(store[-1], *store[-1].later)
        return answer

    with patch.object(actions, "vault", vault), patch.object(actions, "once", once):
        yield


@contextmanager
def entry_apart(say: Say) -> Iterator[None]:
    """The report is committed first and its entry in a transaction of its own, afterwards."""
    from counterfoil.ledger import actions as ledger
    from counterfoil.reports import actions

    later: list[tuple[str, dict[str, Any]]] = []
    really, write = actions.once, actions.record

    def record(act: str, **facts: Any) -> None:
        later.append((act, facts))

    def once(*a: Any) -> dict[str, Any]:
        answer = really(*a)
        time.sleep(A_MOMENT)
        with transaction.atomic():
            for act, facts in later:
                write(act, **facts)
        later.clear()
        return answer

    assert ledger.record is write
    with patch.object(actions, "record", record), patch.object(actions, "once", once):
        yield


NAMED: dict[str, Callable[[Say], Any]] = {
    f.__name__: f for f in (acknowledged_before_commit, key_after_effect, row_before_bytes, entry_apart)
}
