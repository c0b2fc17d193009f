"""The child's side: build the walls, call the task, answer in JSON. Runs as its own process, never imported to act.

A task is a function `f(inputs: dict[str, Path], out: Path, options: dict) -> dict`. It reads only `inputs`, writes
only below `out` (also its folder for temporary files), may start threads but no processes, and may say how far it
is with `progress`. A Refusal it raises reaches the caller as `Unreadable` with that sentence.
"""

import errno
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from counterfoil.engines.errors import Refusal
from counterfoil.engines.sandbox import walls

ANSWER = 3
# What a program needs to be able to start, and nothing that tells of this machine's people or secrets.
SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/fonts",
    "/usr/share/fontconfig",
    "/usr/share/zoneinfo",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/sys/devices/system/cpu",
)


def progress(facts: dict[str, Any]) -> None:
    """Say how far a task is: a small flat mapping, at most a few kilobytes. Lost when nobody listens."""
    _say({"progress": facts})


def first_bytes(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return the first `count` bytes of `file` in hex, and its size: the smallest task there is."""
    with inputs["file"].open("rb") as file:
        return {"hex": file.read(int(options.get("count", 512))).hex(), "size": inputs["file"].stat().st_size}


def _say(line: dict[str, Any]) -> None:
    data = json.dumps(line, ensure_ascii=True, allow_nan=False).encode() + b"\n"
    while data:
        data = data[os.write(ANSWER, data) :]


def build(request: dict[str, Any], ours: Iterable[str]) -> dict[str, Any]:
    """Build every wall the kernel gives, last things last, and return what stands: {wall: True or the reason}."""
    without = set(request.get("without", ()))
    standing: dict[str, Any] = {"namespaces": list(ours)}

    def wall(name: str, make: Callable[[], object]) -> None:
        try:
            if name in without:
                raise OSError("left out")
            standing[name] = make() or True
        except (OSError, KeyError, ValueError) as error:
            standing[name] = False
            standing[f"{name}_why"] = str(error)

    limits = request["limits"]
    walls.undumpable()
    walls.rlimits(
        memory=limits["memory"],
        cpu_s=limits["cpu_s"],
        file_bytes=limits["file_bytes"],
        threads=limits["processes"] if "user" in standing["namespaces"] else None,
    )
    wall("capabilities", walls.drop_capabilities)
    wall("privileges", walls.no_new_privileges)
    read = [*SYSTEM, *request["code"], *request["inputs"].values()]
    wall("files", lambda: walls.files(read, [request["out"]]))
    wall("filter", walls.filter_calls)
    return standing


def missing(standing: dict[str, Any]) -> list[str]:
    """Return the walls without which nothing may be opened: the network's and the files'."""
    gone = []
    if "net" not in standing["namespaces"] and not standing["filter"]:
        gone.append("network")
    if not standing["files"]:
        gone.append("files")
    return gone


def _work(request: dict[str, Any], ours: list[str]) -> None:
    standing = build(request, ours)
    gone = missing(standing)
    if gone and not request["weak"]:
        _say({"walls": standing, "missing": gone})
        return
    if request["task"] == "":
        _say({"walls": standing, "answer": {}})
        return
    module, _, name = request["task"].partition(":")
    try:
        task = getattr(importlib.import_module(module), name)
        answer = task(
            {k: Path(v) for k, v in request["inputs"].items()}, Path(request["out"]), request["options"]
        )
        if not isinstance(answer, dict):
            raise TypeError(f"{request['task']} answered with {type(answer).__name__}, not with a mapping")
        _say({"walls": standing, "answer": answer})
    except Refusal as refusal:
        _say({"refused": str(refusal)[:500]})
    except MemoryError:
        _say({"memory": True})
    except RecursionError:
        _say({"crashed": "RecursionError"})
    except OSError as error:
        full = error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
        _say({"size": True} if full else {"crashed": traceback.format_exc()[-4000:]})
    except Exception:
        _say({"crashed": traceback.format_exc()[-4000:]})


def main() -> None:
    """Read the request from standing input, enter namespaces of our own, and do the work in a child of them."""
    walls.die_with_parent()
    request = json.loads(sys.stdin.buffer.read())
    ours: list[str] = []
    if "namespaces" not in set(request.get("without", ())):
        try:
            ours = walls.own_namespaces()
        except OSError:
            ours = []
    # The process namespace begins with the next process: that one is its first, and when it ends all in it end.
    worker = os.fork()
    if worker == 0:
        code = 1
        try:
            walls.die_with_parent()
            sys.path[:0] = [p for p in request["path"] if p not in sys.path]
            os.chdir(request["out"])
            # Found while the folder above it can still be listed; the task's own module comes after the walls.
            importlib.import_module(request["task"].partition(":")[0].partition(".")[0] or "counterfoil")
            _work(request, ours)
            code = 0
        except MemoryError:
            code = 3
        finally:
            os._exit(code)
    _, status, usage = os.wait4(worker, 0)
    # Told by us, because what our own parent sees counts what it was itself when it started us.
    _say({"used": usage.ru_maxrss})
    os.close(ANSWER)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


if __name__ == "__main__":
    main()
