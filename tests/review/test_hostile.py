"""What a stranger may send: never a fault of ours, whatever encoding or address it names."""

import pytest
from django.test import Client
from tests.cast import Cast

pytestmark = pytest.mark.django_db

NAMES = (b"username", b"password", b"next", b"kind", b"reference", b"words", b"note", b"code")
BODY = b"".join(
    b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n\\ud800\\x00burglary\r\n' % name
    for name in NAMES
)


@pytest.mark.parametrize("charset", ["rot13", "unicode_escape", "hex", "idna", "punycode", "utf-16"])
@pytest.mark.parametrize("path", ["/staff/sign-in", "/", "/track", "/receipt", "/bench/open/unknown"])
def test_a_form_in_a_strange_encoding_is_read_as_utf8(cast: Cast, path: str, charset: str) -> None:
    cast.queue()
    visitor = Client(raise_request_exception=False)
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    answer = visitor.generic("POST", path, BODY + b"--x--\r\n", content_type=kind)
    assert answer.status_code < 500
    if answer.status_code == 303:
        assert visitor.get(answer["Location"]).status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/q/" + "9" * 5000,
        "/%00",
        "/%ff",
        "/cy/%ff",
        "/desk/cases/%00",
        "/bench/open/%00",
        "/bench/open/%ff%ed%a0%80",
        "/static/%00",
        "/staff/sign-in?next=%00",
        "/staff/sign-in?next=/%ff%fe",
    ],
)
def test_a_strange_address_is_nothing_or_refused(cast: Cast, path: str) -> None:
    assert Client(raise_request_exception=False).get(path).status_code < 500
