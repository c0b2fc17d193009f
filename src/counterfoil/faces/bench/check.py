"""What anybody needs to check a bundle without us: the offline page, the program, and whose keys count here."""

import hashlib
import io

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods

from counterfoil.courts.gather import policy_text
from counterfoil.engines.bundle import page, program
from counterfoil.faces.kit.page import as_download, gone, show

KINDS = {"verify.html": "text/html; charset=utf-8", "verify.py": "text/x-python", "policy.txt": "text/plain"}


def _files() -> dict[str, bytes]:
    return {"verify.html": page(), "verify.py": program(), "policy.txt": policy_text().encode()}


@require_http_methods(["GET", "HEAD"])
def check(request: HttpRequest) -> HttpResponse:
    """Tell how to check a bundle, with each file's SHA-256 to compare with what was published elsewhere."""
    files = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in _files().items()
    ]
    return show(request, "bench/check.html", {"files": {f["name"]: f for f in files}})


@require_http_methods(["GET", "HEAD"])
def check_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """Hand out one of the three files, always as a download: the page is meant to be opened from a disk."""
    found = _files().get(name)
    if found is None:
        return gone(request)
    return as_download(io.BytesIO(found), name, KINDS[name], len(found))
