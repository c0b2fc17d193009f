"""The parent's side: start the child with nothing of ours, keep its time and space, and believe nothing it says."""

import contextlib
import importlib.util
import json
import os
import re
import selectors
import signal
import stat
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import counterfoil
from counterfoil.engines.sandbox.errors import Unreadable

ANSWER_LIMIT = 8 << 20
LINE_LIMIT = 16 << 10
DEPTH_LIMIT = 40
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
FOLDERS_DEEP = 3
_DETAIL = 4000
_POLL = 0.25


@dataclass(frozen=True)
class Limits:
    """What a task may use: bytes of memory, seconds of processor and wall clock, bytes and files written, threads."""

    memory: int = 512 << 20
    cpu_s: int = 60
    wall_s: float = 90
    file_bytes: int = 8 << 30
    processes: int = 16
    files: int = 4000


@dataclass
class Used:
    """What one run used: seconds of wall clock and processor, and the largest resident memory in bytes."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory: int = 0


def run(
    task: str,
    inputs: Mapping[str, Path],
    out: Path,
    options: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    used: Used | None = None,
) -> dict[str, Any]:
    """Call `module:function` on these files in a walled child and return what it answers, checked.

    `out` is made if missing and should be empty: the task can write only there. Afterwards it holds only plain
    files and folders with plain names, at most `limits.file_bytes` in all. Unreadable with a sentence and a reason
    for everything else that can happen; the inputs are never changed. `used` is filled in when it is given.
    """
    answer, _ = execute(task, inputs, out, options, limits=limits, on_progress=on_progress, used=used)
    return answer


def execute(
    task: str,
    inputs: Mapping[str, Path],
    out: Path,
    options: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    used: Used | None = None,
    without: Sequence[str] = (),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do `run` and return also the walls that stood; `without` leaves walls out, to prove that each holds alone."""
    limits, used = limits or Limits(), used or Used()
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    path, code = _code(task)
    request = {
        "task": task,
        "inputs": {name: str(Path(file).resolve()) for name, file in inputs.items()},
        "out": str(out.resolve()),
        "options": dict(options or {}),
        "limits": asdict(limits),
        "path": path,
        "code": code,
        "without": list(without),
        "weak": bool(os.environ.get("COUNTERFOIL_WEAK_SANDBOX")),
    }
    ended = _watch(request, out, limits, on_progress, used)
    return _judge(ended, out, limits, used)


def _code(task: str) -> tuple[list[str], list[str]]:
    """Return where the child finds its code (for `sys.path`), and what it may read of it."""
    ours = Path(counterfoil.__file__).resolve().parent
    path, code = [str(ours.parent)], [str(ours)]
    top = task.partition(":")[0].partition(".")[0]
    if top and top != "counterfoil":
        spec = importlib.util.find_spec(top)
        if spec is None or not spec.submodule_search_locations:
            raise Unreadable(f"There is no task {task}.", "refused")
        folder = Path(next(iter(spec.submodule_search_locations))).resolve()
        path.append(str(folder.parent))
        code.append(str(folder))
    places = sysconfig.get_paths()
    code += [places[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    code += [p for p in sys.path if p.endswith(("site-packages", "dist-packages")) and os.path.isdir(p)]
    return path, list(dict.fromkeys(code))


@dataclass
class _Ended:
    """How a child ended: its status, its last word, why we stopped it, and the end of what it complained of."""

    status: int
    last: dict[str, Any] | None
    stopped: str
    complaint: str


_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from counterfoil.engines.sandbox.child import main; main()"
)


def _watch(
    request: dict[str, Any],
    out: Path,
    limits: Limits,
    on_progress: Callable[[dict[str, Any]], None] | None,
    used: Used,
) -> _Ended:
    """Start the child, hand it the request, read what it says until it ends, and stop it at a limit."""
    environment = {
        "LANG": "C.UTF-8",
        "HOME": request["out"],
        "TMPDIR": request["out"],
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    says, say = os.pipe()
    started = time.monotonic()
    try:
        child = _start(request["path"][0], environment, say)
    finally:
        os.close(say)
    stopped, last, complaint = "error", None, b""
    try:
        with contextlib.suppress(BrokenPipeError):
            if child.stdin is not None:
                child.stdin.write(json.dumps(request).encode())
                child.stdin.close()
        stopped, last, complaint = _listen(child, says, started, out, limits, on_progress, used)
    finally:
        _stop(child, wait_s=0 if stopped else 2)
        _gone(says)
        os.close(says)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.stderr is not None:
            child.stderr.close()
        used.wall_s = time.monotonic() - started
        used.cpu_s = usage.ru_utime + usage.ru_stime
    return _Ended(child.returncode, last, stopped, complaint.decode(errors="replace"))


def _start(path: str, environment: dict[str, str], say: int) -> subprocess.Popen[bytes]:
    """Start Python with no environment, no descriptors but four, and a session of its own.

    The pipe for answers must be number 3; a tiny shell-free hand-over does it: `pass_fds` keeps its number and the
    first line of the program moves it.
    """
    first = f"import os; {say} == 3 or (os.dup2({say}, 3, inheritable=False), os.close({say})); "
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", first + _START, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        cwd="/",
        close_fds=True,
        pass_fds=(say,),
        start_new_session=True,
        bufsize=0,
    )


def _stop(child: subprocess.Popen[bytes], wait_s: float) -> None:
    """Kill the child's whole group; its namespace's first process dies with it and takes the rest along.

    One that is ending by itself gets `wait_s` seconds, so that how it ended is known.
    """
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _gone(says: int) -> None:
    """Wait until nobody holds the other end of the pipe: the killed worker has then given back its memory and files."""
    until = time.monotonic() + 5
    with selectors.DefaultSelector() as waiting:
        waiting.register(says, selectors.EVENT_READ)
        while time.monotonic() < until:
            if waiting.select(_POLL) and not os.read(says, 1 << 20):
                return


def _listen(
    child: subprocess.Popen[bytes],
    says: int,
    started: float,
    out: Path,
    limits: Limits,
    on_progress: Callable[[dict[str, Any]], None] | None,
    used: Used,
) -> tuple[str, dict[str, Any] | None, bytes]:
    """Read until the child has said its last word or a limit is reached; return (why stopped, last word, complaint)."""
    complaints = child.stderr.fileno() if child.stderr is not None else -1
    heard, complaint, total = bytearray(), bytearray(), 0
    last: dict[str, Any] | None = None
    next_look = started
    with selectors.DefaultSelector() as waiting:
        waiting.register(says, selectors.EVENT_READ)
        waiting.register(complaints, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if now - started > limits.wall_s:
                return "time", last, bytes(complaint)
            if now >= next_look:
                if _too_much(out, limits):
                    return "size", last, bytes(complaint)
                next_look = time.monotonic() + _POLL
            for key, _ in waiting.select(min(_POLL, limits.wall_s)):
                data = os.read(key.fd, 65536)
                if key.fd != says:
                    if not data:
                        waiting.unregister(complaints)
                    complaint = (complaint + data)[-_DETAIL:]
                    continue
                if not data:
                    return "", last, bytes(complaint)
                total += len(data)
                if total > 4 * ANSWER_LIMIT:
                    return "answer", None, bytes(complaint)
                heard += data
                while (end := heard.find(b"\n")) >= 0:
                    line, heard = bytes(heard[:end]), heard[end + 1 :]
                    word = _word(line)
                    if word is None:
                        return "answer", None, bytes(complaint)
                    if set(word) == {"progress"}:
                        if on_progress and isinstance(word["progress"], dict) and len(line) <= LINE_LIMIT:
                            on_progress(word["progress"])
                        continue
                    if set(word) == {"used"}:
                        used.memory = word["used"] * 1024 if isinstance(word["used"], int) else 0
                        continue
                    last = word
                if len(heard) > ANSWER_LIMIT:
                    return "answer", None, bytes(complaint)


def _word(line: bytes) -> dict[str, Any] | None:
    """Return one line as a mapping of plain values, or None when it is not one, too long or too deep."""
    if len(line) > ANSWER_LIMIT or _depth(line) > DEPTH_LIMIT:
        return None
    try:
        found = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return plain(found) if isinstance(found, dict) else None


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _depth(line: bytes) -> int:
    """Return how deep brackets nest, without building anything; those inside strings count too, on the safe side."""
    depth = deepest = 0
    for character in re.findall(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', line):
        if character in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in b"]}":
            depth -= 1
    return deepest


def plain(value: Any) -> Any:
    """Return a JSON value whose strings any database takes: NUL and half characters become U+FFFD."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def _too_much(out: Path, limits: Limits) -> bool:
    """Say whether more bytes or files lie in the output folder than a task may write."""
    size = count = 0
    for folder, folders, names in os.walk(out):
        count += len(names) + len(folders)
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(folder, name)).st_blocks * 512
        if size > limits.file_bytes + (1 << 20) or count > limits.files:
            return True
    return False


def _judge(ended: _Ended, out: Path, limits: Limits, used: Used) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (answer, walls) of a child that ended well, with a checked folder; Unreadable for every other end."""
    last, detail = ended.last or {}, ended.complaint
    spent = ended.status == 128 + signal.SIGKILL and used.cpu_s > 0.9 * limits.cpu_s
    if ended.stopped == "time" or spent:
        raise Unreadable(
            "Opening this file took too long and was stopped. The original is kept as it came.", "time"
        )
    if ended.stopped == "size" or last.get("size"):
        raise Unreadable("This file unpacks to more than we allow. The original is kept as it came.", "size")
    if ended.stopped == "answer":
        raise Unreadable(
            "What opening this file gave back could not be read. The original is kept.", "answer"
        )
    if "missing" in last:
        wanting = " and ".join({"network": "the network", "files": "other files"}[m] for m in last["missing"])
        raise Unreadable(
            f"This machine cannot keep a hostile file away from {wanting}, so no file is opened on it. "
            "Run counterfoil fsck to see which wall is missing.",
            "refused",
            json.dumps(last.get("walls")),
        )
    if isinstance(last.get("refused"), str):
        raise Unreadable(last["refused"][:500] or "This file cannot be opened here.", "refused", detail)
    if last.get("memory") or ended.status == 3 or (ended.status > 128 and used.memory > 0.9 * limits.memory):
        raise Unreadable(
            "Opening this file needs more memory than we allow. The original is kept.", "memory", detail
        )
    answer, walls = last.get("answer"), last.get("walls")
    if not isinstance(answer, dict) or not isinstance(walls, dict):
        word = last.get("crashed")
        raise Unreadable(
            "Opening this file failed. The original is kept as it came.",
            "crashed",
            word if isinstance(word, str) else f"ended with {ended.status}: {detail}",
        )
    _check_folder(out, limits)
    return answer, walls


def _check_folder(out: Path, limits: Limits) -> None:
    """Refuse an output folder that holds anything but plain files and folders with plain names, or too much."""
    if _too_much(out, limits):
        raise Unreadable("This file unpacks to more than we allow. The original is kept as it came.", "size")
    for folder, folders, names in os.walk(out):
        deep = len(Path(folder).relative_to(out).parts)
        for name in (*folders, *names):
            facts = os.lstat(os.path.join(folder, name))
            good = stat.S_ISDIR(facts.st_mode) or (stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1)
            if not good or not NAME.fullmatch(name) or deep >= FOLDERS_DEEP:
                raise Unreadable(
                    "What opening this file wrote could not be taken. The original is kept.", "answer"
                )
