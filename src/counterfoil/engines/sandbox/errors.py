"""The refusal that says why a file could not be read."""

from counterfoil.engines.errors import Refusal

REASONS = ("refused", "crashed", "time", "memory", "size", "answer")


class Unreadable(Refusal):
    """A file was not opened, or opening it was stopped; the file itself is untouched.

    `reason`: refused (the task, or this machine, said no), crashed, time, memory, size (too much was written),
    answer (what came back was not what a task may say). `detail` is for the operator's log, never for a page.
    """

    def __init__(self, sentence: str, reason: str = "refused", detail: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["Unreadable"], tuple[str, str, str]]:
        return (type(self), (str(self), self.reason, self.detail))
