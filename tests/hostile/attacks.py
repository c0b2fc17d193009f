"""Tasks that do on purpose what a hijacked decoder would do; each runs inside the sandbox and says how far it got."""

import ctypes
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

Inputs = dict[str, Path]


def _tried(act: Any) -> str:
    """Return `done` when the act worked, else the plain name of the error that stopped it."""
    try:
        act()
    except BaseException as error:
        return type(error).__name__ + (f" {error.errno}" if isinstance(error, OSError) else "")
    return "done"


def connect(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Try to reach listeners on loopback: TCP on IPv4 and IPv6, UDP, a path-named and an abstract Unix socket."""

    def tcp(family: int, where: Any) -> None:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(3)
            s.connect(where)
            s.sendall(b"canary")

    def udp() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            if s.sendto(b"canary", ("127.0.0.1", options["udp"])) != 6:
                raise OSError
            time.sleep(0.1)

    return {
        "tcp4": _tried(lambda: tcp(socket.AF_INET, ("127.0.0.1", options["tcp"]))),
        "tcp6": _tried(lambda: tcp(socket.AF_INET6, ("::1", options["tcp"]))),
        "udp": _tried(udp),
        "unix": _tried(lambda: tcp(socket.AF_UNIX, options["unix"])),
        "abstract": _tried(lambda: tcp(socket.AF_UNIX, "\0" + options["abstract"])),
    }


def touch(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Try to read, change, make, move, link and remove what is not ours, and to change the input."""
    secret, victim = Path(options["secret"]), Path(options["victim"])
    given = inputs["file"]
    return {
        "read": _tried(secret.read_bytes),
        "passwd": _tried(Path("/etc/passwd").read_bytes),
        "environ": _tried(Path(f"/proc/{options['pid']}/environ").read_bytes),
        "list": _tried(lambda: os.listdir(secret.parent)),
        "write": _tried(lambda: victim.write_bytes(b"changed")),
        "truncate": _tried(lambda: os.truncate(victim, 0)),
        "remove": _tried(victim.unlink),
        "mode": _tried(lambda: victim.chmod(0o777)),
        "times": _tried(lambda: os.utime(victim, (0, 0))),
        "move": _tried(lambda: victim.rename(out / "taken")),
        "link": _tried(lambda: os.link(victim, out / "linked")),
        "symlink": _tried(lambda: os.symlink(secret, out / "pointer")),
        "make": _tried(lambda: (secret.parent / "new").write_bytes(b"")),
        "shm": _tried(lambda: Path("/dev/shm/counterfoil-canary").write_bytes(b"")),
        "input_read": _tried(given.read_bytes),
        "input_write": _tried(lambda: given.write_bytes(b"changed")),
        "input_mode": _tried(lambda: given.chmod(0o777)),
        "own_output": _tried(lambda: (out / "fine.txt").write_bytes(b"mine")),
        "code_write": _tried(lambda: (Path(__file__).parent / "planted.py").write_bytes(b"")),
    }


def spawn(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Try to start programs and processes, to signal and to trace others, to gain rights and new namespaces."""
    libc = ctypes.CDLL(None, use_errno=True)

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    def call(name: str, *arguments: Any) -> None:
        if getattr(libc, name)(*arguments) != 0:
            raise OSError(ctypes.get_errno(), name)

    return {
        "exec": _tried(lambda: os.execv("/bin/true", ["true"])),
        "fork": _tried(fork),
        "spawn": _tried(lambda: os.posix_spawn("/bin/true", ["true"], {})),
        "kill": _tried(lambda: os.kill(options["pid"], signal.SIGKILL)),
        "ptrace": _tried(lambda: call("ptrace", 16, options["pid"], 0, 0)),
        "unshare": _tried(lambda: call("unshare", 0x10000000)),
        "mount": _tried(lambda: call("mount", b"none", str(out).encode(), b"tmpfs", 0, None)),
        "setuid": _tried(lambda: os.setuid(0)) if os.getuid() else "PermissionError 1",
        "thread": _tried(lambda: threading.Thread(target=time.time).start()),
    }


def processes(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Try only to reach another process by its number and by every signal (for a run without the call filter)."""
    return {
        "kill": _tried(lambda: os.kill(options["pid"], signal.SIGTERM)),
        "see": _tried(lambda: os.kill(options["pid"], 0)),
    }


def eat(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Eat one thing without end (memory, processor, time, disk, files, threads), or answer in a wrong way."""
    what = options["what"]
    if what == "memory":
        held = []
        while True:
            held.append(bytearray(16 << 20))
    if what == "native memory":
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        while p := libc.malloc(ctypes.c_size_t(16 << 20)):
            ctypes.memset(p, 1, 16 << 20)
        os.abort()
    if what == "processor":
        while True:
            pass
    if what == "time":
        while True:
            time.sleep(60)
    if what == "disk":
        with (out / "big").open("wb") as file:
            while True:
                file.write(b"x" * (1 << 20))
    if what == "many":
        for n in range(10**9):
            with (out / f"f{n % 900}").open("ab") as file:
                file.write(b"x" * (1 << 16))
    if what == "files":
        for n in range(10**9):
            (out / f"f{n}").touch()
    if what == "threads":
        while True:
            threading.Thread(target=time.sleep, args=(60,)).start()
    if what == "stack":
        return eat(inputs, out, options)
    if what == "answer":
        return {"x": "y" * (20 << 20)}
    if what == "deep":
        deep: dict[str, Any] = {}
        here = deep
        for _ in range(200):
            here["x"] = {}
            here = here["x"]
        return deep
    if what == "crash":
        ctypes.string_at(8)
    if what == "abort":
        os.abort()
    if what == "exit":
        os._exit(0)
    if what == "lie":
        os.write(3, b'{"answer": {"x": 1}, "walls"\n{]\n')
    if what == "chatter":
        while True:
            os.write(3, b'{"progress": {"n": 1}}\n' * 1000)
    if what == "silence":
        os.write(3, b"x" * (20 << 20))
    if what == "not a number":
        os.write(3, b'{"answer": {"x": NaN}, "walls": {}}\n')
        os._exit(0)
    if what == "hidden":
        (out / ".hidden").write_bytes(b"x")
    if what == "name":
        (out / "a\nb <script>").write_bytes(b"x")
    if what == "fifo":
        os.mkfifo(out / "pipe")
    if what == "linger":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.setsid() if os.getpid() != 1 else None
        while True:
            time.sleep(60)
    return {"ate": what, "text": "a\x00b\ud800c"}


def media(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Decode the first frame with PyAV, as a real task would."""
    import av

    with av.open(str(inputs["file"]), options={"protocol_whitelist": "file"}) as container:
        frame = next(container.decode(video=0))
        frame.to_ndarray(format="rgb24")
        return {"width": frame.width, "height": frame.height}


def refuse(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Say no in a sentence."""
    from counterfoil.engines.errors import NotAllowed

    raise NotAllowed("This recording needs the maker's player.")


def surroundings(inputs: Inputs, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Tell what was handed down: environment, open descriptors, our own number."""
    open_ones = []
    for number in range(200):
        try:
            os.fstat(number)
        except OSError:
            continue
        open_ones.append(number)
    return {"environment": dict(os.environ), "descriptors": open_ones, "pid": os.getpid()}
