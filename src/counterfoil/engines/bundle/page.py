"""The court's page, verify.html: one file joined from readable parts, which fetches nothing and allows nothing else.

>>> page().startswith(b"<!doctype html>")
True
"""

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path

PARTS = Path(__file__).parent / "standalone" / "page"
SCRIPTS = ("words.js", "words-cy.js", "checks.js", "page.js")


@cache
def program() -> bytes:
    """Return verify.py, the verifier for Python's standard library and openssl."""
    return (PARTS.parent / "verify.py").read_bytes()


@cache
def page() -> bytes:
    """Return verify.html: the page, its style and its scripts in one, under a policy that names their digests."""
    script = "\n".join((PARTS / name).read_text(encoding="utf-8") for name in SCRIPTS)
    style = (PARTS / "page.css").read_text(encoding="utf-8")
    html = (PARTS / "page.html").read_text(encoding="utf-8")
    head, _, rest = html.partition("STYLE</style>")
    body, _, tail = rest.partition("SCRIPT</script>")
    head = head.replace("SCRIPT-HASH", _source(script)).replace("STYLE-HASH", _source(style))
    return f"{head}{style}</style>{body}{script}</script>{tail}".encode()


def _source(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
