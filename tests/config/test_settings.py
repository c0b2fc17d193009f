"""Production settings come from the environment, and unsafe ones are refused with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAFE = {
    "COUNTERFOIL_MODE": "production",
    "COUNTERFOIL_SECRET_KEY": "h7#Kq2!vTz9@Lm4$Xc8%Rb1^Nw6&Yp3*Gd5(Jf0)Se_Ua-Oi+Zk=",
    "COUNTERFOIL_HOSTS": "report.example",
    "COUNTERFOIL_NAME": "report.example",
    "COUNTERFOIL_ORIGIN": "https://report.example",
    "COUNTERFOIL_DATABASE_URL": "postgresql://counterfoil@127.0.0.1/counterfoil",
    "COUNTERFOIL_ANCHORS": str(Path(__file__).with_name("anchors.toml")),
    "COUNTERFOIL_SMTP_HOST": "mail.example",
    "COUNTERFOIL_MAIL_FROM": "updates@report.example",
}


def load(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
    code = "from counterfoil.config import settings as s; print(s.SESSION_COOKIE_NAME, s.SECURE_HSTS_SECONDS, s.DEBUG)"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "COUNTERFOIL_HOME": str(folder), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_complete_production_environment_is_accepted_with_safe_cookies_and_hsts(tmp_path: Path) -> None:
    """The negative control of every refusal below."""
    done = load(tmp_path, **SAFE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["__Host-s", "31536000", "False"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"COUNTERFOIL_SECRET_KEY": ""}, "Production needs COUNTERFOIL_SECRET_KEY"),
        ({"COUNTERFOIL_SECRET_KEY": "a" * 60}, "too weak"),
        ({"COUNTERFOIL_SECRET_KEY": "short"}, "too weak"),
        ({"COUNTERFOIL_HOSTS": ""}, "Production needs COUNTERFOIL_HOSTS"),
        ({"COUNTERFOIL_HOSTS": "*"}, "may not contain '*'"),
        ({"COUNTERFOIL_ORIGIN": ""}, "Production needs COUNTERFOIL_ORIGIN"),
        ({"COUNTERFOIL_ORIGIN": "http://report.example"}, "must start with https://"),
        ({"COUNTERFOIL_DATABASE_URL": ""}, "Production needs COUNTERFOIL_DATABASE_URL"),
        ({"COUNTERFOIL_DATABASE_URL": "mysql://x/y"}, "must start with postgresql://"),
        ({"COUNTERFOIL_ANCHORS": ""}, "Production needs COUNTERFOIL_ANCHORS"),
        ({"COUNTERFOIL_ANCHORS": "/nowhere/anchors.toml"}, "COUNTERFOIL_ANCHORS cannot be used"),
        ({"COUNTERFOIL_ANCHORS": os.devnull}, "names no timestamp authority"),
        ({"COUNTERFOIL_DEBUG": "1"}, "may not be set in production"),
        ({"COUNTERFOIL_WEAK_SANDBOX": "1"}, "opens files without walls"),
        ({"COUNTERFOIL_MODE": "staging"}, "must be development or production"),
        ({"COUNTERFOIL_NAME": "Not A Name"}, "COUNTERFOIL_NAME is the log's name"),
    ],
)
def test_it_refuses_an_unsafe_setting_with_a_sentence(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    """One sentence, no traceback, and no start."""
    done = load(tmp_path, **{**SAFE, **change})
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_production_does_not_run_on_development_keys_nor_make_keys_by_itself(tmp_path: Path) -> None:
    """Keys are put there by an operator; development ones are refused by name."""
    code = (
        "import django; django.setup()\n"
        "from counterfoil.engines.errors import NotAllowed\n"
        "from counterfoil.plugs.keys import keys\n"
        "try:\n    keys()\nexcept NotAllowed as e:\n    print(e)\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL_")}
    env = {**kept, "COUNTERFOIL_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "counterfoil.config.settings"}

    def run(**more: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], env={**env, **more}, capture_output=True, text=True, check=True
        ).stdout

    assert "There is no log key" in run(**SAFE)
    assert run() == ""
    assert "does not run on development keys" in run(**SAFE)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Key files are for their owner only."""
    code = (
        "import django; django.setup()\nfrom counterfoil.plugs import keys\nkeys.keys()\nkeys._load.cache_clear()\n"
        "import pathlib, os\n(pathlib.Path(os.environ['COUNTERFOIL_HOME']) / 'keys/log.key').chmod(0o644)\n"
        "try:\n    keys.keys()\nexcept Exception as e:\n    print(e)\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL_")}
    env = {**kept, "COUNTERFOIL_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "counterfoil.config.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert "can be read by others" in done.stdout
