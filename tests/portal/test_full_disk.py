"""A disk that is full, wherever that is noticed, becomes a page with a sentence."""

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory

from counterfoil.engines.disk import NO_ROOM, DiskFault
from counterfoil.faces.kit.middleware import plain_refusals

guard = plain_refusals(lambda request: HttpResponse())


@pytest.mark.parametrize(
    "error",
    [
        DiskFault(NO_ROOM),
        OperationalError("database or disk is full"),
        OperationalError('could not extend file "base/5": No space left on device'),
        OSError(28, "No space left on device"),
    ],
)
def test_a_full_disk_is_told_as_what_it_is(error: Exception) -> None:
    page = guard.process_exception(RequestFactory().get("/"), error)  # type: ignore[attr-defined]
    assert page.status_code == 503
    assert NO_ROOM in page.content.decode()


def test_another_fault_of_the_database_is_not_called_a_full_disk() -> None:
    error = OperationalError("no such table: reports_report")
    assert guard.process_exception(RequestFactory().get("/"), error) is None  # type: ignore[attr-defined]
