"""The sentences the public reads about a report, by key and language, from `wording.toml`.

>>> say("error.choose", "en")
'Choose one answer.'
>>> say("progress.missed", "en", due="Tuesday")
'We said Tuesday. We did not. Here is what you can do.'
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "wording.toml"
MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "cy": (
        "Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin",
        "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr",
    ),
}  # fmt: skip


@cache
def _all() -> dict[str, Any]:
    with FILE.open("rb") as file:
        return tomllib.load(file)


class _Kept(dict[str, object]):
    """Leave an unknown placeholder out of a sentence instead of failing in front of a reader."""

    def __missing__(self, key: str) -> str:
        return ""


def say(key: str, lang: str = "en", part: str = "text", **facts: object) -> str:
    """Return the sentence for `key` ("progress.received", "error.choose" …) in `lang` with its facts filled in.

    `part` is "text" or "title". Raises LookupError for a key that is not in the file.
    """
    group, _, name = key.partition(".")
    try:
        row = _all()[group][name][part]
    except KeyError:
        raise LookupError(f"wording.toml has no {part} for {key}.") from None
    return str(row["cy" if lang == "cy" else "en"]).format_map(_Kept(facts)).strip()


def keys(group: str) -> tuple[str, ...]:
    """Return the names in one group of the file, such as "progress"."""
    return tuple(_all().get(group, {}))
