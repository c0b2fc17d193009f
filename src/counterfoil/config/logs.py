"""Log lines without personal data: where something went wrong and of which kind, never with which values.

The message of an exception often repeats a row or a form: PostgreSQL's "Failing row contains (…)" holds a whole
report. So a traceback is written without messages; a database's own code and the name of its rule stay, and so do the
sentences of our own refusals about stored bytes, which name digests only.
"""

import logging
import re
import traceback
from types import TracebackType

from counterfoil.engines.errors import Corrupt

# The address of a release is half of what opens it.
SECRET_ADDRESS = re.compile(r"(/open/)[^\s/]+")
Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def said(error: BaseException) -> str:
    """Return what may be written about one exception: its kind, and what names no person."""
    details = [f"{type(error).__module__}.{type(error).__qualname__}"]
    diagnosis = getattr(error, "diag", None)
    for name in ("sqlstate", "table_name", "column_name", "constraint_name"):
        value = getattr(error, name, None) or getattr(diagnosis, name, None)
        if isinstance(value, str):
            details.append(f"{name}={value}")
    if isinstance(error, Corrupt):
        details.append(str(error))
    return " ".join(details)


class Plain(logging.Formatter):
    """One plain line, then the places a fault passed through, outermost first, cause before effect."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line with the secret part of an address left out."""
        # Another handler may have kept its own text of the exception on the record.
        kept, record.exc_text = record.exc_text, None
        try:
            return SECRET_ADDRESS.sub(r"\1…", super().format(record))
        finally:
            record.exc_text = kept

    def formatException(self, ei: Raised) -> str:  # noqa: N802  (the name is logging's)
        """Return where an exception came from, without its message or those of its causes."""
        parts: list[str] = []
        error, seen = ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            parts.append("".join(traceback.format_tb(error.__traceback__)) + said(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(parts))
