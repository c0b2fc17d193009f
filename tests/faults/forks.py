"""A process that has loaded the product and forks workers, and one furnished house to be copied."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]


class Forks:
    """A process that has loaded the product and forks workers; and one furnished house, to be copied."""

    def __init__(self, folder: Path, url: str = "", *, furnish: bool = True) -> None:
        self.folder, self.url, self.furnish = folder, url, furnish
        self.databases: list[str] = []

    def __enter__(self) -> "Forks":
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env={
                **kept,
                "COUNTERFOIL_HOME": str(self.folder / "empty"),
                "COUNTERFOIL_DATABASE_URL": self.url,
                "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
                "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.hear().get("ready")
        if not self.furnish:
            return self
        self.first = self.folder / "furnished"
        (self.first / "incoming").mkdir(parents=True)
        self.furnished = self.database("")
        order = {
            "do": "prepare",
            "home": str(self.first),
            "database": self.furnished or str(self.first / "db.sqlite3"),
        }
        (words,) = [w for w in self.listen(order) if "alice" in w]
        self.alice = words["alice"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        for name in self.databases:
            self.postgresql(f"DROP DATABASE {name} WITH (FORCE)")

    def database(self, like: str) -> str:
        """Make a database like another one and return its name; on SQLite a copied file serves, and this is empty."""
        if not self.url:
            return ""
        name = f"kills_{uuid4().hex[:12]}"
        self.postgresql(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else ""))
        self.databases.append(name)
        return name

    def postgresql(self, statement: str) -> None:
        """Run one statement on the server."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def hear(self, *, broken_too: bool = False) -> dict[str, Any]:
        """Return the next thing that was said; a worker that broke is a failure unless one is expected."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the process that forks workers has died"
        words: dict[str, Any] = json.loads(line)
        assert broken_too or "error" not in words, words["error"]
        return words

    def listen(self, command: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Have a worker do something and yield what it says until its end."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        while True:
            words = self.hear(broken_too=bool(command.get("hold") or command.get("tolerant")))
            yield words
            if "dead" in words:
                return
