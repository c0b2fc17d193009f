"""Make this working copy ready to run, test or serve. Standard library only; needs Python 3.11 or newer.

    python3 tools/setup.py demo    what runs the product: .venv from the hash-locked core, front-end files
    python3 tools/setup.py test    the same and what develops and tests it (the default)

Safe to interrupt and to repeat: an unfinished .venv is noticed and made again, and a second run with nothing
changed only compares digests. As root it installs missing system packages on Debian and its relatives; as
anyone else it says what to install and stops.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / ".unfinished"
PIP: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
LOCKS = {
    "demo": ["build.txt", "core.txt"],
    "test": ["build.txt", "dev.txt"],
}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "demo": {"openssl": ("openssl",)},
    "test": {"openssl": ("openssl",), "chromium": CHROMIUM},
}
OLDEST_PYTHON = (3, 11)


class Stop(SystemExit):
    """Set-up cannot go on; the text says why and what to do."""


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(f"set-up: {text}", flush=True)


def run(command: Sequence[str | Path], *, why: str) -> None:
    """Run a command; if it fails, stop with its last lines and the sentence `why`.

    It runs in a group of its own, so that an interrupted set-up leaves nothing writing behind its back.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        tail = "\n".join(said.strip().splitlines()[-15:])
        raise Stop(f"{tail}\n\nset-up stopped: {why}")


def install_system(packages: Sequence[str]) -> None:
    """As root on a Debian-like system install these packages; otherwise say how and stop."""
    line = "apt-get install --no-install-recommends " + " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Stop(
            f"set-up stopped: this machine lacks {' and '.join(packages)}.\n"
            f"Ask its administrator to run:\n\n    {line}\n\nthen run this again. "
            "(On a system without apt-get, install the packages of the same purpose.)"
        )
    say(f"installing {', '.join(packages)} with apt-get")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run(["apt-get", "-q", "update"], why="apt-get could not refresh its lists.")
    run(
        ["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages],
        why=f"apt-get could not install {', '.join(packages)}.",
    )


def missing_programs(purpose: str) -> list[str]:
    """Return the system packages that this purpose needs and that are not here."""
    return [
        package
        for package, programs in NEEDS[purpose].items()
        if not any(shutil.which(program) for program in programs)
    ]


def wanted_stamp(purpose: str) -> str:
    """Return a digest of everything that .venv is made from for this purpose."""
    digest = hashlib.sha256(str(VENV).encode())
    for path in (
        *(ROOT / "requirements" / name for name in LOCKS[purpose]),
        ROOT / "requirements" / "node.txt",
        ROOT / "pyproject.toml",
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def works() -> bool:
    """Tell whether .venv still runs (its Python may have been upgraded or removed beneath it)."""
    return (
        os.access(PYTHON, os.X_OK)
        and subprocess.run([PYTHON, "-c", "import counterfoil"], capture_output=True, check=False).returncode
        == 0
    )


def stamp_file(purpose: str) -> Path:
    """Return where the digest of a finished .venv is kept."""
    return VENV / f".counterfoil-{purpose}"


def ready(purpose: str) -> bool:
    """Tell whether .venv is complete for this purpose. One made for tests also serves the demo."""
    if UNFINISHED.exists() or not os.access(PYTHON, os.X_OK):
        return False
    for made_for in {"demo": ("demo", "test"), "test": ("test",)}[purpose]:
        stamp = stamp_file(made_for)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted_stamp(made_for):
            return works()
    return False


def ensure_venv_module() -> None:
    """See to it that this Python can make virtual environments (Debian packs that separately)."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        install_system([f"python{version}-venv"])


def install(lock: Path) -> None:
    """Install what a hash-locked list names into .venv."""
    run(
        [*PIP, "--require-hashes", "--no-deps", "-r", lock],
        why=f"pip could not install what {lock.name} lists. Can this machine reach a package index?",
    )


def make_venv(purpose: str) -> None:
    """Make .venv or bring it up to date, from the hash-locked lists only."""
    ensure_venv_module()
    stamped = any(stamp_file(purpose).is_file() for purpose in LOCKS)
    if VENV.exists() and (UNFINISHED.exists() or not os.access(PYTHON, os.X_OK) or (stamped and not works())):
        say("the .venv that is here is unfinished or broken; making it again")
        shutil.rmtree(VENV)
    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    if not os.access(PYTHON, os.X_OK):
        say(f"making .venv with Python {sys.version.split()[0]}")
        run([sys.executable, "-m", "venv", VENV], why="Python could not make a virtual environment.")
    locks = [ROOT / "requirements" / name for name in LOCKS[purpose]]
    say(f"installing {' and '.join(path.name for path in locks)} (a few minutes the first time)")
    for lock in locks:
        install(lock)
    run(
        [*PIP, "--no-deps", "--no-index", "--no-build-isolation", "--editable", ROOT],
        why="Counterfoil itself could not be linked into .venv.",
    )
    run([PYTHON, "-m", "pip", "check"], why="the installed packages do not fit each other.")
    stamp_file(purpose).write_text(wanted_stamp(purpose), encoding="utf-8")
    UNFINISHED.unlink()


def make_pages() -> None:
    """Make the front-end files where they are missing or stale."""
    sys.path.insert(0, str(ROOT / "tools"))
    import frontend

    if not frontend.up_to_date():
        found = subprocess.run(
            [PYTHON, ROOT / "tools" / "frontend.py", "npm"], capture_output=True, check=False
        )
        if found.returncode:
            say("installing node.txt (this machine has no Node)")
            install(ROOT / "requirements" / "node.txt")
        say("fetching the pages' files with npm ci")
        run([PYTHON, ROOT / "tools" / "frontend.py"], why="the pages' files could not be made.")


def fetch_models() -> None:
    """Fetch the face detector's weights where they are missing or stale."""
    sys.path.insert(0, str(ROOT / "tools"))
    import models

    if not models.up_to_date():
        say("fetching the face detector's weights with pip")
        run([PYTHON, ROOT / "tools" / "models.py"], why="the face detector's weights could not be fetched.")


def main(arguments: Sequence[str]) -> None:
    """Make everything ready for the purpose named."""
    purpose = arguments[0] if arguments else "test"
    if purpose not in LOCKS:
        raise Stop(f"set-up knows {' and '.join(LOCKS)}, not {purpose!r}.")
    if sys.version_info < OLDEST_PYTHON:
        raise Stop(
            f"Counterfoil needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
            "Name another one like this: make demo PYTHON=python3.11"
        )
    with Path(__file__).open("rb") as here:
        try:
            fcntl.flock(here, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another set-up of this folder to finish")
            fcntl.flock(here, fcntl.LOCK_EX)
        missing = missing_programs(purpose)
        if missing:
            install_system(missing)
        if not ready(purpose):
            make_venv(purpose)
            say("ready")
        make_pages()
        fetch_models()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("set-up was stopped; run it again to go on."))
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nset-up was interrupted; run it again to go on.")
