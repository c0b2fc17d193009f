"""Odd bytes, odd methods and huge posts get a plain page, never a fault."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cast import Cast
from tests.portal.walk import Visitor

from counterfoil.reports.models import Report

pytestmark = pytest.mark.django_db
ODD = [
    "\x00",
    "a\x00b",
    "\ud800",
    "9" * 5000,
    "-1",
    "٣",
    "1e9",
    "\u202e",
    "🫀" * 400,
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%s%n",
    "' OR 1=1 --",
]


@pytest.fixture(autouse=True)
def desk(cast: Cast) -> None:
    cast.staff_the_desk()


@pytest.mark.parametrize("at", ["/q/1", "/q/2", "/q/3", "/q/4", "/q/7"])
def test_odd_text_in_an_answer_is_tidied_kept_or_refused_with_a_sentence(at: str) -> None:
    someone = Visitor().start().answer_all(stop_at=at)
    for odd in ODD:
        encoded = odd.encode("utf-8", "surrogatepass")
        someone.go(at).press(
            {"then": "next", "answer": encoded, "day": encoded, "month": encoded, "year": encoded}
        )
        assert someone.page.status_code == 200
        assert "\x00" not in someone.html
        assert "<script>alert" not in someone.html


@pytest.mark.parametrize(
    ("at", "names"),
    [("/track", ("reference", "words")), ("/return", ("code",)), ("/receipt", ("note",)), ("/", ("kind",))],
)
def test_odd_text_in_the_other_forms_is_answered(at: str, names: tuple[str, ...]) -> None:
    for odd in ODD:
        someone = Visitor().go(at).press({name: odd.encode("utf-8", "surrogatepass") for name in names})
        assert someone.page.status_code == 200


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.dictionaries(
        st.sampled_from(["answer", "day", "then", "file", "x"]), st.binary(max_size=200), max_size=4
    )
)
def test_any_bytes_at_all_are_answered(data: dict[str, bytes], desk: None) -> None:
    someone = Visitor().start()
    for _ in range(2):
        someone.press(data)
        assert someone.page.status_code == 200
        if not someone.at.startswith("/q/"):
            break


def test_a_sent_report_holds_no_control_characters() -> None:
    someone = Visitor().start().answer_all(stop_at="/q/5").answer(answer="one\x00two\r\nthree\u0007")
    someone.answer_all().send()
    assert Report.objects.get().answers["what"] == "onetwo\nthree"


@pytest.mark.parametrize(
    "address",
    ["/q/0", "/q/99", "/q/" + "9" * 5000, "/q/-1", "/q/1/", "/%00", "/%FF%FE", "/cy", "/cy/q/x", "//"],
)
def test_odd_addresses_are_answered_plainly(address: str) -> None:
    page = Client().get(address)
    assert page.status_code in (200, 301, 303, 404)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_methods_nobody_uses_get_a_plain_page(method: str) -> None:
    page: Any = getattr(Client(), method)("/track")
    assert page.status_code == 405
    assert "cannot be used that way" in page.content.decode()


def test_a_huge_post_gets_a_plain_page_and_loses_nothing() -> None:
    someone = Visitor().start().answer_all(stop_at="/q/5")
    page: Any = someone.client.post(
        "/q/5", {"answer": "x" * 3_000_000}, content_type="application/x-www-form-urlencoded"
    )
    assert page.status_code in (400, 413)
    assert "What you saved before is still there" in page.content.decode()
    assert someone.go("/q/5").page.status_code == 200


def test_too_many_fields_get_a_plain_page() -> None:
    someone = Visitor().start()
    body = "&".join(f"f{i}=1" for i in range(2000))
    page: Any = someone.client.post("/q/1", body, content_type="application/x-www-form-urlencoded")
    assert page.status_code in (400, 413)


def test_a_broken_upload_gets_a_plain_page() -> None:
    someone = Visitor().start()
    page: Any = someone.client.post("/q/1", b"--x\r\nnonsense", content_type="multipart/form-data; boundary=")
    assert page.status_code in (400, 403)
    assert "<h1" in page.content.decode()


@pytest.mark.parametrize("cookie", ["", "x", "\\000\\001", "A" * 5000, "'; drop table", "é"])
def test_a_cookie_that_is_not_ours_is_ignored(cookie: str) -> None:
    client = Client()
    client.cookies["s"] = cookie
    assert client.get("/").status_code == 200
    assert client.get("/q/1").status_code == 404
