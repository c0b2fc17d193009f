"""What holds for every test: no connection beyond this machine, and as many examples as the run asks for."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tests.homes import a_home

# The suite tries a few of everything; `make faults` and `make fuzz` set COUNTERFOIL_DEPTH=full.
FULL = os.environ.get("COUNTERFOIL_DEPTH", "suite") == "full"
settings.register_profile("suite", max_examples=50, deadline=None, derandomize=True)
settings.register_profile(
    "full", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("full" if FULL else "suite")


class BeyondThisMachineError(AssertionError):
    """A test tried to reach another machine."""


def is_here(address: Any) -> bool:
    """Tell whether a socket address is a file or on the loopback interface."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0]).strip("[]").split("%")[0]
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Before PostgreSQL drops the tests' database, end the sessions that threads of tests have left open."""
    from django.db import connection

    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True, scope="session")
def stay_on_this_machine() -> Iterator[None]:
    """Refuse every connection and every look-up of a name beyond the loopback interface."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if not is_here(address):
            raise BeyondThisMachineError(
                f"This test tried to reach {address[0]}; tests stay on this machine."
            )
        connect(self, address)

    def look_up_here(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_here((name,)):
            raise BeyondThisMachineError(f"This test looked up {name}; tests stay on this machine.")
        return look_up(host, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield


@pytest.fixture(scope="session")
def full() -> bool:
    """Tell whether this run does everything (`make faults`) or the suite's share of it."""
    return FULL


@pytest.fixture
def home() -> Iterator[Path]:
    """Give this test a vault, quarantine, log and keys of its own; the database is pytest-django's."""
    with a_home() as folder:
        yield folder


@pytest.fixture(autouse=True)
def a_home_for_each_story(request: pytest.FixtureRequest) -> None:
    """Every test of the database has a fresh home, so that the log never outlives the entries it publishes."""
    if request.node.get_closest_marker("django_db") and not request.node.get_closest_marker("own_home"):
        request.getfixturevalue("home")


@pytest.fixture
def cast(db: None, home: Path) -> Any:
    """The people of the story, opened on first mention."""
    from tests.cast import Cast

    return Cast()
