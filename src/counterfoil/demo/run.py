"""`counterfoil demo`: serve the product, tell the story through its pages, print the table, and stay up."""

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from counterfoil.demo.browser import Browser, PageProblem
from counterfoil.engines.errors import BadInput, Refusal

if TYPE_CHECKING:
    from counterfoil.demo.story import Story
    from counterfoil.demo.town import Player
    from counterfoil.measures.actions import Imported


def run(args: argparse.Namespace) -> int:
    """Run the demonstration and return the exit code of the verdict turned into success (0) or failure (1)."""
    files = [Path(f) for f in args.evidence]
    for path in files:
        if not path.is_file():
            raise BadInput("evidence", f"There is no file {path}. Give files that exist.")
    if args.crimes and not Path(args.crimes).is_dir():
        raise BadInput(
            "crimes", f"There is no folder {args.crimes}. Give a folder of data.police.uk CSV files."
        )
    if args.out:
        Path(args.out).mkdir(parents=True, exist_ok=True)
    # Being told to end must still stop the server and remove the folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    own_home = not os.environ.get("COUNTERFOIL_HOME")
    home = Path(os.environ.get("COUNTERFOIL_HOME") or tempfile.mkdtemp(prefix="counterfoil-demo-"))
    os.environ["COUNTERFOIL_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.config.settings")
    try:
        return _catch_us(args, home) if args.story == "catch-us" else _run(args, files, home)
    finally:
        if own_home:
            shutil.rmtree(home, ignore_errors=True)


def _say(text: str) -> None:
    print(text, flush=True)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _prepare(home: Path) -> None:
    """Make an empty installation, and refuse one that is not."""
    import django

    django.setup()
    from django.core.management import call_command

    from counterfoil.accounts.queries import anybody

    _say("Preparing the database, keys and people …")
    call_command("migrate", verbosity=0, interactive=False)
    if anybody():
        raise BadInput(
            "home", f"{home} already holds an installation. The demonstration starts in an empty folder."
        )


def _catch_us(args: argparse.Namespace, home: Path) -> int:
    """Write one clean and six doctored bundles with what to check them by."""
    folder = Path(args.out or "out/catch-us")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BadInput("out", f"{folder} is not empty. Give a new folder with --out.")
    _say("Counterfoil: one invented case, seven bundles, one of them honest.")
    _prepare(home)
    from counterfoil.demo.catch_us import write

    right = write(folder, _say)
    _say("")
    _say(f"Go offline, open {folder}/verify.html, and give it a bundle and policy.txt.")
    _say(f"What each must say is in {folder}/READ-ME.txt.")
    if not right:
        _say("A bundle was not judged as it should have been.")
    return 0 if right else 1


def _run(args: argparse.Namespace, files: list[Path], home: Path) -> int:
    _say("Counterfoil: one invented case, from report to court. Not for emergencies: call 999.")
    _prepare(home)
    from counterfoil.demo.story import Story
    from counterfoil.demo.town import build

    players = build()
    port = args.port or _free_port()
    origin = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "counterfoil.cli", "serve", "--port", str(port), "--workers", "2"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "COUNTERFOIL_ORIGIN": origin},
    )
    crimes = _Crimes(args.crimes)
    try:
        _wait_for(server, port)
        crimes.start()
        if not files:
            from counterfoil.demo.evidence import make_clip, make_photo

            folder = home / "made"
            folder.mkdir(exist_ok=True)
            files = [make_clip(folder / "side-gate.mp4"), make_photo(folder / "window.jpg")]
        _say(f"Serving on {origin}/")
        story = Story(origin, players, _say)
        story.report(files)
        story.work(story.sign_in(players["alice"]), players["priya"])
        story.release(story.sign_in(players["priya"]))
        story.defend()
        story.follow()
        code = _verify(args, story, home)
        crimes.finish(story)
        _table(story, args)
        if code:
            return 1
        if not args.once:
            _stay(origin, story, players)
        return 0
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        if server.poll() is None:
            server.kill()


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Refusal(f"The server stopped at once with code {server.returncode}. Is port {port} in use?")
        with suppress(OSError, PageProblem, http.client.HTTPException):
            if Browser(f"http://127.0.0.1:{port}").get("/").title:
                return
        time.sleep(0.1)
    raise Refusal("The server did not answer within a minute.")


class _Crimes:
    """Imports the board's files beside the story, so that neither waits for the other."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder
        self.result: Imported | None = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        from counterfoil.accounts.rules import Viewer
        from counterfoil.measures.actions import import_crimes

        try:
            self.result = import_crimes([Path(self.folder or "")], by=Viewer.clock())
        except Exception as e:  # told at the end, in the table
            self.error = e

    def start(self) -> None:
        """Begin, when a folder was given."""
        if self.folder:
            self.thread.start()

    def finish(self, story: "Story") -> None:
        """Wait for the import, look at the board, and note the step."""
        if not self.folder:
            return
        if not self.thread.is_alive() and self.error is None and self.result is None:
            return
        _say("          Importing published crime tables …")
        self.thread.join()
        if self.error is not None:
            raise Refusal(f"The crime tables could not be imported: {self.error}")
        Browser(story.origin).get("/board/")
        story.done(
            "Published crime tables on the board", f"{len(self.result.new)} files" if self.result else ""
        )


def _verify(args: argparse.Namespace, story: "Story", home: Path) -> int:
    from counterfoil.courts.gather import policy_text
    from counterfoil.demo.story import Story
    from counterfoil.engines import bundle

    assert isinstance(story, Story)  # noqa: S101
    where = Path(args.out) if args.out else home / "out"
    where.mkdir(exist_ok=True)
    path, policy = where / story.bundle_name, where / "policy.txt"
    path.write_bytes(story.bundle)
    policy.write_text(policy_text())
    verdict = bundle.verify(path, policy.read_text())
    story.done("Verified offline under the court's policy", verdict.word)
    second = subprocess.run(
        [sys.executable, "-I", str(_verifier(path, home)), str(path), "--policy", str(policy)],
        capture_output=True,
        text=True,
        check=False,
    )
    story.done("Verified by the bundle's own verify.py", second.stdout.split("\n")[0])
    _say("")
    _say(verdict.sentence)
    if args.out:
        _say(f"The bundle and the court's policy are in {where}/")
    return 0 if verdict.exit_code in (0, 3) and second.returncode == verdict.exit_code else 1


def _verifier(path: Path, home: Path) -> Path:
    import zipfile

    with zipfile.ZipFile(path) as z:
        member = next(n for n in z.namelist() if n.endswith("/verify.py") and n.count("/") == 1)
        out = home / "verify.py"
        out.write_bytes(z.read(member))
    return out


def _table(story: "Story", args: argparse.Namespace) -> None:
    _say("")
    _say(f"{'Step':<48} {'Reference':<44} {'Time':>8}")
    for s in story.steps:
        _say(f"{s.step:<48} {s.reference:<44} {s.seconds:>6.1f} s")
    if args.json:
        rows = [{"step": s.step, "reference": s.reference, "time": s.seconds} for s in story.steps]
        Path(args.json).write_text(json.dumps(rows, indent=2) + "\n")


def _stay(origin: str, story: "Story", players: "dict[str, Player]") -> None:
    from counterfoil.demo.story import one_time_code

    _say("")
    _say(f"Still serving. Report: {origin}/   Staff: {origin}/staff/sign-in   Board: {origin}/board/")
    _say(f"Track the report: {origin}/track   reference {story.reference}   words: {story.passphrase}")
    _say(
        "Demonstration accounts (the six digits change every 30 seconds; press Enter for new ones, Ctrl-C to stop):"
    )
    try:
        while True:
            for p in players.values():
                digits = one_time_code(p.key) if p.key else "set up at first sign-in"
                _say(f"  {p.username:<8} {p.password:<24} {digits:<24} {p.name}, {p.what}")
            if sys.stdin is None or not sys.stdin.readline():
                threading.Event().wait()
    except KeyboardInterrupt:
        _say("Stopping.")
