"""Pure rules of evidence: custody moves, and what a witness statement must have before it is signed."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from counterfoil.engines.errors import BadInput
from counterfoil.engines.flow import Flow

# What was returned to its owner can still be looked at: the bytes as received stay until an order destroys them.
CUSTODY = Flow(
    {
        **{
            ("sealed", verb): "sealed"
            for verb in ("view", "move", "title", "copy", "share", "derive", "redact")
        },
        ("sealed", "return"): "returned",
        ("returned", "view"): "returned",
        ("sealed", "destroy"): "destroyed",
        ("returned", "destroy"): "destroyed",
    }
)


CANNOT_BE_MARKED = (
    "Only pictures, recordings and PDFs can be marked and shared. Of this type no copy can be made that carries its "
    "reader's name: take a copy out with a reason instead, or make a picture or PDF of it first."
)


def may_be_marked(media_type: str) -> bool:
    """Say whether a viewing copy of this type can carry the name or the code of whoever gets it."""
    return media_type.partition("/")[0] in ("image", "video", "audio") or media_type == "application/pdf"


def is_redaction(recipe: Mapping[str, object] | None) -> bool:
    """Say whether a recipe is that of a redaction: it tells where something was removed, and how much."""
    return recipe is not None and str(recipe.get("task", "")).startswith("counterfoil.engines.redaction.")


# What an entry of these says may be erased: who looked, took a copy, had it in hand, or got it back. The others tie its
# bytes, its disclosure or what was given away to the log, and without them nothing about the exhibit is proved.
ERASABLE = frozenset(
    {"exhibit.viewed", "exhibit.opened", "exhibit.copied", "exhibit.moved", "exhibit.returned",
     "exhibit.destruction_refused"}
)  # fmt: skip


class Entered(Protocol):
    """An entry, as far as it is known before its content is."""

    @property
    def act(self) -> str: ...

    @property
    def index(self) -> int | None: ...

    @property
    def gone(self) -> bool: ...


def why_not_erased(entry: Entered) -> str:
    """Return why what an entry says cannot be erased, in a sentence; "" when it can."""
    if entry.gone:
        return "What it said is gone already."
    if entry.index is None:
        return "It has no place in the log yet. Try again in a minute."
    if entry.act not in ERASABLE:
        return "It ties the exhibit's bytes, its disclosure or what was given away to the log, and is kept."
    return ""


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


# What can be decided about an item of material (Code of Practice under the Criminal Procedure and Investigations Act
# 1996). Undecided is where every item begins and where none may be when the file goes to a prosecutor.
MATERIAL = {
    "used": "Used: it is part of the case, an exhibit or a served statement",
    "unused": "Unused, not sensitive: it is listed on the MG6C, which the defence gets",
    "sensitive": "Unused, sensitive: it is listed on the MG6D, which the defence never gets",
    "not_relevant": "Not relevant to this case",
}
FORMS = {"unused": "MG6C", "sensitive": "MG6D"}
MARKS = {
    "MG6C": {"D": "Disclose", "ND": "Not to be disclosed", "Inspect": "The defence may inspect it"},
    "MG6D": {"Y": "Agreed that it is sensitive", "N": "Not agreed that it is sensitive"},
}
# Abbreviations that anybody knows; every other one is written out, or stands in brackets after its words.
COMMON = frozenset({"CCTV", "DNA", "USB", "SIM", "PDF", "TV", "UK", "GPS", "MG"})
_ABBREVIATION = re.compile(r"(?<![\w/(-])[A-Z]{2,6}(?![\w/)-])")
_FORM_NUMBER = re.compile(r"(form\s+|the\s+)*[A-Z]{0,4}[ /-]?\d+ ?[A-Z]{0,2}\.?\Z", re.IGNORECASE)


def clean_description(text: str, others: Iterable[str] = ()) -> str:
    """Return an item's description for a schedule, or refuse one that does not say what the item is.

    It must be individual and meaningful: not a form's number, no abbreviation left unexplained, and not the same as
    that of another item (CPIA Code 6.9 to 6.11; AG Guidelines on Disclosure, Annex A 51).
    """
    found = " ".join(text.split())
    if not 10 <= len(found) <= 300 or "\x00" in found:
        raise BadInput(
            "description",
            "Describe the item in 10 to 300 letters, so that somebody who has not seen it understands.",
        )
    if _FORM_NUMBER.match(found) or len([w for w in found.split() if w.isalpha()]) < 2:
        raise BadInput(
            "description", "A number or a single word does not say what the item is. Describe what it holds."
        )
    short = next((m.group(0) for m in _ABBREVIATION.finditer(found) if m.group(0) not in COMMON), None)
    if short:
        raise BadInput(
            "description", f"Write out what {short} means. You may keep it in brackets after the words."
        )
    if found.casefold() in {o.casefold() for o in others}:
        raise BadInput("description", "Another item has this very description. Say what sets this one apart.")
    return found


def clean_location(text: str) -> str:
    """Return where an item is kept, or refuse an empty place."""
    found = " ".join(text.split())
    if not 3 <= len(found) <= 120 or "\x00" in found:
        raise BadInput("location", "Say where the item is kept, in 3 to 120 letters.")
    return found


def numbered(keys: Sequence[str], earlier: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return each item's number on a form: what an earlier issue gave it, or the next one never used.

    `earlier` are the issues so far, oldest first, as number by key. Numbers are consecutive over all issues of a form
    and none is ever given to another item.
    """
    known: dict[str, int] = {}
    for issue in earlier:
        known.update(issue)
    last = max(known.values(), default=0)
    found = {}
    for key in keys:
        if key not in known:
            last += 1
            known[key] = last
        found[key] = known[key]
    return dict(sorted(found.items(), key=lambda kv: kv[1]))


class Restrictable(Protocol):
    """An exhibit, as a row or as a card: what may be done with its bytes hangs on two of its facts."""

    @property
    def state(self) -> str: ...

    @property
    def restricted(self) -> str: ...


# How an exhibit or upload came to be restricted, in words for its page.
RESTRICTED = {
    "officer": "An officer restricted it.",
    "reporter": "Who sent it said that it may show somebody under 18 sexually.",
    "hash-list": "Its digest is on the hash list.",
}


def may_derive(exhibit: Restrictable) -> bool:
    """Say whether anything may be made of an exhibit: a copy, thumbnail, still, text, detection or bundle copy.

    Every maker asks, before it begins and again in the transaction that keeps what it made. Nothing is ever made of a
    restricted exhibit, because to make a copy may be an offence of its own (Protection of Children Act 1978 s.1), nor
    of one that is gone.
    """
    return not exhibit.restricted and exhibit.state != "destroyed"


def copies_of_type(media_type: str) -> tuple[str, ...]:
    """Return the kinds of working copies to try for a media type; of a type nobody knows, those of a recording."""
    family = media_type.partition("/")[0]
    if family == "image":
        return ("poster", "proxy")
    if media_type == "application/pdf":
        return ("poster", "page")
    if family == "audio":
        return ("waveform", "proxy")
    if family == "video" or media_type == "application/octet-stream":
        return ("poster", "thumbs", "waveform", "proxy")
    return ()


# Rules of retention under which an exhibit may be destroyed while its case is still open; under any other, after it.
AT_ANY_TIME = frozenset({"court-order", "unlawful-to-hold", "right-to-erasure"})
