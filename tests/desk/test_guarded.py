"""The pages of restricted and flagged exhibits, and the one way in which bytes leave."""

import io
import zipfile
from typing import Any
from urllib.parse import unquote

import pytest
from django.http import HttpRequest
from hypothesis import given
from hypothesis import strategies as st
from tests import scenes
from tests.cast import HOME, Cast
from tests.desk.signing import signed_in

from counterfoil.accounts import actions as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.evidence.models import Exhibit
from counterfoil.faces.kit.served import ATTACHED, SHOWN, disposition_name, serve
from counterfoil.ledger.models import Entry
from counterfoil.reports.models import Screening

WHY = "It may show somebody under 18 sexually."


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def asked(**headers: str) -> HttpRequest:
    request = HttpRequest()
    request.META.update({f"HTTP_{k.upper()}": v for k, v in headers.items()})
    return request


@pytest.mark.django_db(transaction=True)
def test_an_officer_restricts_and_an_examiner_opens_with_a_reason(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    alice = signed_in(cast, "alice")
    here = f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}"
    assert "Restrict</a>" in alice.get(here).content.decode()
    assert alice.post(f"{here}/restrict", {"reason": "short"}).status_code == 400
    assert alice.post(f"{here}/restrict", {"reason": WHY}).status_code == 303
    page = alice.get(here).content.decode()
    assert "Restricted.</strong> An officer restricted it." in page
    assert "download>" not in page
    assert alice.get(f"{here}/file").status_code == 403
    refused = alice.post(f"{here}/original", {"reason": "To grade it for court."})
    assert refused.status_code == 400
    assert "Only an indecent image examiner" in refused.content.decode()
    assert "To grade it for court." in refused.content.decode()
    accounts.grant(cast.id("alice"), "examiner", force=HOME, by=Viewer.clock())
    opened = alice.post(f"{here}/original", {"reason": "To grade it for court."})
    assert body(opened) == scenes.photo()
    assert opened["Content-Disposition"].startswith("attachment; ")
    assert Entry.objects.filter(act="exhibit.viewed").count() == 1
    assert alice.post(f"{here}/lift", {"reason": "It shows a cat on a gate."}).status_code == 303
    assert body(alice.get(f"{here}/file")) == scenes.photo()


@pytest.mark.django_db(transaction=True)
def test_a_flagged_original_leaves_in_a_zip_whose_name_warns(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    digest = Exhibit.objects.get().sha256
    Screening.objects.filter(sha256=digest).update(scan="flagged", says="Test.Eicar")
    accounts.grant(cast.id("alice"), "analyst", force=HOME, by=Viewer.clock())
    alice = signed_in(cast, "alice")
    here = f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}"
    assert "Flagged by the virus scanner: Test.Eicar." in alice.get(here).content.decode()
    assert alice.get(f"{here}/file").status_code == 403
    opened = alice.post(f"{here}/original", {"reason": "To take it apart safely."})
    assert opened["Content-Type"] == "application/zip"
    assert 'filename="DANGER-Test.Eicar-' in opened["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(body(opened))) as packed:
        (member,) = packed.infolist()
        assert packed.read(member) == scenes.photo()


def guarded(response: Any) -> None:
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    "claimed",
    ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "x/y", "video/mp4", ""],
)
@pytest.mark.parametrize("show", [False, True])
def test_whatever_a_file_claims_it_leaves_as_a_type_of_ours_and_never_as_a_page(
    claimed: str, show: bool
) -> None:
    response = serve(io.BytesIO(b"<script>alert(1)</script>"), "x.html", claimed, 25, show=show)
    guarded(response)
    known = claimed in (SHOWN if show else ATTACHED)
    assert response["Content-Type"] == (claimed if known else "application/octet-stream")
    assert response["Content-Disposition"].startswith("inline" if show and known else "attachment")


def test_no_type_that_may_hold_a_script_is_ever_shown() -> None:
    assert all(
        t.startswith(("image/", "video/", "audio/")) and "svg" not in t and "xml" not in t for t in SHOWN
    )
    assert not ATTACHED & {"text/html", "image/svg+xml", "application/xml", "message/rfc822"}


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("bytes=0-3", 206, (0, 3)),
        ("bytes=7-", 206, (7, 9)),
        ("bytes=-4", 206, (6, 9)),
        ("bytes=-400", 206, (0, 9)),
        ("bytes=9-99", 206, (9, 9)),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 200, None),
        ("bytes=0-1,4-5", 200, None),
        ("lines=0-1", 200, None),
        ("bytes=a-b", 200, None),
        ("bytes=99999999999999999999-", 200, None),
    ],
)
def test_a_player_gets_the_range_it_asks_for(wanted: str, status: int, span: tuple[int, int] | None) -> None:
    data = b"0123456789"
    response = serve(io.BytesIO(data), "x", "video/mp4", 10, request=asked(range=wanted), show=True)
    guarded(response)
    assert response.status_code == status
    if span:
        assert body(response) == data[span[0] : span[1] + 1]
        assert response["Content-Range"] == f"bytes {span[0]}-{span[1]}/10"
        assert response["Content-Length"] == str(span[1] - span[0] + 1)
    elif status == 416:
        assert response["Content-Range"] == "bytes */10"
    else:
        assert body(response) == data


@given(st.text(max_size=300))
def test_any_name_leaves_as_one_header_that_reads_back_without_what_is_no_letter(name: str) -> None:
    header = disposition_name(name)
    assert header.isascii()
    assert header.isprintable()
    plain, whole = header.split("; ")[0], header.rsplit("filename*=UTF-8''", 1)[1]
    assert plain.count('"') == 2
    read = unquote(whole, errors="strict")
    assert read
    assert not set(read) & set("/\\\x00\r\n\u202e\u2066\u200f")
    assert read not in (".", "..")
