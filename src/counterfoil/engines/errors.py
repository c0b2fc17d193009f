"""One family of refusals, each carrying a full sentence for the person who asked.

>>> try:
...     raise BadInput("email", "Enter an e-mail address like name@example.com.")
... except Refusal as refusal:
...     print(refusal)
Enter an e-mail address like name@example.com.
"""


class Refusal(Exception):
    """Say no, with a sentence a person can act on; `str()` gives the sentence."""


class NotAllowed(Refusal):
    """Refuse an act that this person, or this state of things, does not permit."""


class BadInput(Refusal):
    """Refuse something typed or sent in; `field` names where it was typed."""

    field: str

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field

    def __reduce__(self) -> tuple[type["BadInput"], tuple[str, str]]:
        return (type(self), (self.field, str(self)))


class Corrupt(Refusal):
    """Report stored bytes, a log, a note or a proof that do not check."""
