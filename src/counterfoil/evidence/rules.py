"""Pure rules of evidence: custody moves, and what a witness statement must have before it is signed."""

import hashlib
import re
from collections.abc import Mapping

from counterfoil.engines.errors import BadInput
from counterfoil.engines.flow import Flow

CUSTODY = Flow({("sealed", "view"): "sealed", ("sealed", "move"): "sealed"})

# The declaration of a written statement, in words that meet Criminal Procedure Rules 16.2: true to the best of
# knowledge and belief, and the maker knows it is an offence to state wilfully what is false or not believed.
# Its digest is checked at start: a changed word must be a deliberate new version.
DECLARATION = (
    "This statement (consisting of {pages} page{s} each signed by me) is true to the best of my knowledge and belief "
    "and I make it knowing that, if it is tendered in evidence, I shall be liable to prosecution if I have wilfully "
    "stated in it anything which I know to be false, or do not believe to be true."
)
DECLARATION_SHA256 = hashlib.sha256(DECLARATION.encode()).hexdigest()
READ_OVER = "I have read this statement over to its maker, who cannot read it; they agreed it and signed it before me."

# Words that often mark hearsay or opinion. They are pointed out to the officer and never block signing.
HEARSAY = re.compile(
    r"\b(told me that|i heard that|i was told|i think|i believe|in my opinion|apparently)\b", re.IGNORECASE
)
LETTERS_A_PAGE = 2600


def pages_of(text: str) -> int:
    """Return how many pages a statement of this length takes, at least one."""
    return max(1, -(-len(text) // LETTERS_A_PAGE))


def declaration(pages: int) -> str:
    """Return the declaration for a statement of so many pages."""
    return DECLARATION.format(pages=pages, s="" if pages == 1 else "s")


def warnings(text: str) -> list[str]:
    """Return phrases that may be hearsay or opinion, for the officer to look at."""
    return sorted({m.group(0).lower() for m in HEARSAY.finditer(text)})


def clean_statement(raw: Mapping[str, object]) -> dict[str, object]:
    """Return a statement's fields, or refuse with the first thing that CrimPR 16.2 asks for and is missing."""
    name = " ".join(str(raw.get("name") or "").split())
    if not name or len(name) > 120:
        raise BadInput("name", "Give the witness's name: it stands at the beginning of the statement.")
    age = raw.get("age")
    if age not in (None, "") and not (isinstance(age, int) and 0 < age < 18):
        raise BadInput("age", "Give the age only if the witness is under 18, as a number.")
    text = str(raw.get("text") or "").replace("\r\n", "\n").strip()
    if len(text) < 30:
        raise BadInput("text", "Write down what the witness says, in their own words.")
    if len(text) > 100_000 or "\x00" in text:
        raise BadInput("text", "The statement is too long. Take it as two statements.")
    if not raw.get("declared"):
        raise BadInput("declared", "The witness must make the declaration of truth before signing.")
    reader = " ".join(str(raw.get("read_over_by") or "").split())
    if raw.get("cannot_read") and not reader:
        raise BadInput(
            "read_over_by", "Give the name of the person who read the statement over to the witness."
        )
    signed = " ".join(str(raw.get("signed_name") or "").split())
    if signed.casefold() != name.casefold():
        raise BadInput(
            "signed_name", "The witness signs by typing their name exactly as it stands at the beginning."
        )
    return {
        "name": name,
        "age": age or None,
        "text": text,
        "read_over_by": reader if raw.get("cannot_read") else "",
        "signed_name": signed,
    }


def clean_title(text: str) -> str:
    """Return what an exhibit is called, or refuse an empty or overlong title."""
    found = " ".join(text.split())
    if not 3 <= len(found) <= 200 or "\x00" in found:
        raise BadInput(
            "title", "Say what the exhibit is in 3 to 200 letters, for example: CCTV of the side gate."
        )
    return found
