"""The witness service that other installations call: no database, no settings but its folder; see engines.witness."""

import fcntl
import os
import time
from pathlib import Path

from counterfoil.engines.disk import place
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.tlog import CosignSigner, parse_checkpoint, split_note
from counterfoil.engines.witness import WitnessBook, Wsgi, read_logs, web

LOGS = "logs.txt"


def make_key(folder: Path, name: str) -> str:
    """Return the public key of the witness in `folder`, making its key on first use."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "witness.key"
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            if not name:
                raise BadInput(
                    "name", "Give the witness a name that nobody else has, like witness.example.ac.uk."
                )
            place(path, (CosignSigner.generate(name).to_text() + "\n").encode())
            (folder / LOGS).touch()
    return _key(folder).vkey


def _key(folder: Path) -> CosignSigner:
    path = folder / "witness.key"
    if not path.exists():
        raise NotAllowed(f"There is no witness in {folder}. Make its key first: counterfoil witness key")
    if path.stat().st_mode & 0o077:
        raise NotAllowed(f"{path.name} can be read by others. Run: chmod 600 on it.")
    return CosignSigner.from_text(path.read_text().strip())


def open_book(folder: Path) -> WitnessBook:
    """Open the witness in `folder`; its list of logs is read again at each request, and refused as a whole if wrong."""
    book = WitnessBook(folder, _key(folder), lambda: read_logs((folder / LOGS).read_text("utf-8")))
    read_logs((folder / LOGS).read_text("utf-8"))
    return book


def state(folder: Path) -> list[str]:
    """Return a line for each log: its origin and how many entries were signed for."""
    points = [
        parse_checkpoint(split_note(path.read_text("utf-8"))[0])
        for path in sorted(folder.glob("*.checkpoint"))
    ]
    return [f"{p.origin}: {p.size} entries, root {p.root.hex()}" for p in points]


def application(environ: dict[str, object], start_response: object) -> object:
    """Answer one request; the folder comes from the environment, set by `counterfoil witness serve`."""
    return _served()(environ, start_response)  # type: ignore[arg-type]


_app: list[Wsgi] = []


def _served() -> Wsgi:
    if not _app:
        folder = Path(os.environ["COUNTERFOIL_WITNESS_FOLDER"])
        _app.append(web(open_book(folder), lambda: int(time.time())))
    return _app[0]
