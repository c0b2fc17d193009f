"""Production that is unsafe does not start, and what goes wrong in it is noted without anybody's words."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.config.logs import Plain
from counterfoil.config.settings import UnsafeSettings, database, refuse_unsafe
from counterfoil.engines.errors import Corrupt

GOOD = {
    "COUNTERFOIL_MODE": "production",
    "COUNTERFOIL_SECRET_KEY": "kd83hfkq0wpxmzn5b7vytrc2lg9sjaoe1u4i6KDHFQWPXMZNBVYTRCLG",
    "COUNTERFOIL_HOSTS": "report.example",
    "COUNTERFOIL_NAME": "report.example",
    "COUNTERFOIL_ORIGIN": "https://report.example",
    "COUNTERFOIL_DATABASE_URL": "postgresql://somebody@127.0.0.1/none?sslmode=verify-full",
    "COUNTERFOIL_ANCHORS": str(Path(__file__).parents[1] / "config" / "anchors.toml"),
    "COUNTERFOIL_SMTP_HOST": "mail.example",
    "COUNTERFOIL_MAIL_FROM": "updates@report.example",
}


def start(home: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL_")}
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "import counterfoil.config.settings as s; print(s.SESSION_COOKIE_NAME, s.DEBUG)",
        ],
        env={**kept, **GOOD, "COUNTERFOIL_HOME": str(home), **changed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_production_environment_starts(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    done = start(tmp_path)
    assert (done.returncode, done.stdout) == (0, "__Host-s False\n"), done.stderr


def test_a_home_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    done = start(tmp_path)
    assert done.returncode != 0
    assert "Others on this machine can enter" in done.stderr


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"COUNTERFOIL_MODE"}))
def test_nothing_that_production_needs_may_be_missing(name: str) -> None:
    refuse_unsafe({**GOOD, "COUNTERFOIL_HOME": "/somewhere"})
    with pytest.raises(UnsafeSettings, match=name):
        refuse_unsafe({**GOOD, "COUNTERFOIL_HOME": "/somewhere", name: ""})


def test_what_the_database_address_asks_for_is_passed_on() -> None:
    options = database("postgresql://a@b/c?sslmode=verify-full&host=/tmp/s", Path("/x"))["OPTIONS"]
    assert isinstance(options, dict)
    assert options["sslmode"] == "verify-full"
    assert "host" not in options


def logged(error: BaseException, message: str = "something") -> str:
    try:
        raise RuntimeError(f"the form said {error}") from error
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, message, None, sys.exc_info())
    record.exc_text = "what another handler kept: Rhys Tannerwood"
    return Plain().format(record)


def test_a_log_line_says_where_and_what_kind_and_repeats_no_row() -> None:
    said = logged(ValueError("Failing row contains (Rhys Tannerwood, 07700 900123)"))
    assert "Rhys" not in said
    assert "07700" not in said
    assert "builtins.ValueError" in said
    assert "test_settings.py" in said
    assert "old backup" in logged(Corrupt("an old backup was restored"))


def test_a_log_line_does_not_hold_the_link_of_a_release() -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "Fault: %s", ("/bench/open/c2VjcmV0",), None)
    assert "c2VjcmV0" not in Plain().format(record)
