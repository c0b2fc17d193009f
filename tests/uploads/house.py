"""A furnished installation in a folder of its own, its web server as `counterfoil serve` runs it, and a judge.

`python -m tests.uploads.house furnish|judge|clock FOLDER` runs inside the installation; `House` starts and kills it.
"""

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "t" * 32


class House:
    """An installation in `folder`. Its server is a process of its own, which may be killed and started again."""

    def __init__(self, folder: Path, *, workers: int = 1, source: Path = ROOT, **environment: str) -> None:
        self.folder, self.workers, self.source = folder, workers, source
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
        self.environment = {
            **kept,
            "COUNTERFOIL_HOME": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "PYTHONPATH": f"{source}:{source / 'src'}",
            **environment,
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.facts: dict[str, Any] = {}

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What a client sends to be the first draft's sender."""
        return self.sender(0)

    def sender(self, n: int) -> dict[str, str]:
        """What a client sends to be the sender of draft `n`."""
        return {"Cookie": f"s={self.facts['sessions'][n]}", "X-CSRFToken": TOKEN}

    def run(self, *words: str) -> dict[str, Any]:
        """Run one command inside the installation and return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.uploads.house", *words],
            cwd=self.source,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def furnish(self, senders: int = 1) -> "House":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.facts = self.run("furnish", str(senders))
        return self

    def start(self) -> "House":
        from counterfoil.cli import web_command

        command = web_command("127.0.0.1", self.port, self.workers)
        log = (self.folder / "web.log").open("ab")
        self.process = subprocess.Popen(
            command, cwd=self.source, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                knock = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                try:
                    knock.request("GET", "/cookies")
                    if knock.getresponse().status == 200:
                        return self
                finally:
                    knock.close()
            time.sleep(0.02)
        raise AssertionError((self.folder / "web.log").read_text())

    def kill(self) -> None:
        """Kill the server and all its processes at once."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        # Its workers hold the port until the last of them is gone.
        while self._answers():
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", self.port)) == 0

    def workers_of(self) -> list[int]:
        """Return the process ids of the server's workers."""
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def __enter__(self) -> "House":
        return self.furnish().start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()


def furnish(senders: int) -> dict[str, Any]:
    """Bring up a database with a staffed force, drafts, and the session that holds each."""
    from importlib import import_module

    from django.conf import settings
    from django.core.management import call_command
    from tests.cast import Cast

    from counterfoil.reports.actions import start_draft

    call_command("migrate", verbosity=0, interactive=False)
    Cast().queue()
    sessions, drafts = [], []
    for n in range(senders):
        draft = start_draft("burglary", "en", f"the key of draft {n}")
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session.update({"k": f"the key of draft {n}", "_csrftoken": TOKEN})
        session.create()
        sessions.append(session.session_key)
        drafts.append(str(draft.pk))
    return {"sessions": sessions, "drafts": drafts, "session": sessions[0]}


def judge() -> dict[str, Any]:
    """Say which files are listed, whether each is in quarantine byte for byte, and what fsck finds."""
    from counterfoil.config.fsck import fsck
    from counterfoil.plugs.stores import quarantine
    from counterfoil.reports.models import Partial, Upload
    from counterfoil.reports.receiving import store

    files = {}
    for upload in Upload.objects.all():
        with quarantine().open(upload.sha256, verify=False) as file:
            seen = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        files[str(upload.pk)] = {
            "sha256": upload.sha256,
            "seen": seen,
            "size": upload.size,
            "name": upload.name,
        }
    return {
        "files": files,
        "waiting": [str(p) for p in Partial.objects.values_list("pk", flat=True)],
        "folders": store().names(),
        "wrong": fsck(),
    }


def clock() -> dict[str, Any]:
    """Let the clock sweep once."""
    from django.utils import timezone

    from counterfoil.reports.receiving import sweep

    return {"swept": sweep(timezone.now())}


if __name__ == "__main__":
    import django

    django.setup()
    asked: dict[str, Any] = {"judge": judge, "clock": clock, "furnish": lambda: furnish(int(sys.argv[2]))}
    print(json.dumps(asked[sys.argv[1]]()))
