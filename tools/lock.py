"""Write `requirements/*.txt` from the `*.in` files: versions pinned, files by hash, no index address.

`python tools/lock.py` keeps versions that still fit; `--upgrade` takes the newest that fit. The resolver (uv)
runs from a throw-away environment, so that it is not part of what it locks.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("build", "node", "models", "core", "dev")


def main(options: list[str]) -> None:
    """Resolve each list for Python 3.11 and newer on any platform."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        tool = Path(folder) / "bin"
        subprocess.run([tool / "pip", "install", "--quiet", "uv"], check=True)
        for name in NAMES:
            source = f"requirements/{name}.in"
            command = [
                str(tool / "uv"),
                "pip",
                "compile",
                "--quiet",
                "--universal",
                "--python-version",
                "3.11",
            ]
            command += ["--generate-hashes", "--no-emit-index-url", "--no-header", *options]
            if (
                name == "models"
            ):  # downloaded for a file inside, never installed: what it requires is not wanted
                command.append("--no-deps")
            subprocess.run([*command, source, "-o", f"requirements/{name}.txt"], cwd=ROOT, check=True)
            print(f"requirements/{name}.txt")


if __name__ == "__main__":
    main(sys.argv[1:])
