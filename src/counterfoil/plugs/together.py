"""Ask several outside products at once, each in a thread of its own, and go on without those that are late."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from counterfoil.engines.errors import NotAllowed, Refusal

T = TypeVar("T")


def together(calls: Mapping[str, Callable[[], T]], *, limit: float) -> dict[str, T | Refusal]:
    """Return each call's answer or its refusal, by name; what has not answered within `limit` seconds is refused.

    Calls must not use the database. An unexpected failure of one product is its refusal, not ours.
    """
    answers: dict[str, T | Refusal] = {}

    def run(name: str, call: Callable[[], T]) -> None:
        try:
            answers[name] = call()
        except Refusal as refusal:
            answers[name] = refusal
        except Exception as error:
            answers[name] = NotAllowed(f"{name} failed: {type(error).__name__}.")

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in calls.items()]
    for thread in threads:
        thread.start()
    until = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = NotAllowed(f"It did not answer within {limit:g} seconds.")
    return {name: answers.get(name, late) for name in calls}
