"""A run that says PostgreSQL must be on PostgreSQL: a silent fall back to SQLite would prove nothing."""

import os

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_the_suite_runs_on_the_database_it_was_asked_to_run_on() -> None:
    url = os.environ.get("COUNTERFOIL_DATABASE_URL", "")
    assert connection.vendor == ("postgresql" if url else "sqlite")
    asked = os.environ.get("COUNTERFOIL_TEST_VENDOR")
    assert asked in (None, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if url else "SELECT sqlite_version()")
        (version,) = cursor.fetchone()
    assert version.startswith("PostgreSQL" if url else "3.")


def test_sqlite_is_a_file_with_the_settings_that_several_writers_need() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("this run is on PostgreSQL")
    name = str(connection.settings_dict["NAME"])
    assert "memory" not in name
    assert name.startswith(os.environ["COUNTERFOIL_TEST_HOME"])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)


def test_tests_cannot_reach_another_machine() -> None:
    import socket

    with pytest.raises(AssertionError, match="tests stay on this machine"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(AssertionError, match="tests stay on this machine"):
        socket.getaddrinfo("example.org", 443)
