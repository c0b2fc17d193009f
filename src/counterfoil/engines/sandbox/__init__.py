"""Open a hostile file in a child process that can reach no network, no other file and no other process.

>>> import tempfile
>>> from pathlib import Path
>>> folder = tempfile.TemporaryDirectory()
>>> clip = Path(folder.name) / "clip"
>>> _ = clip.write_bytes(b"GIF89a and then some")
>>> run("counterfoil.engines.sandbox.child:first_bytes", {"file": clip}, Path(folder.name) / "out", {"count": 6})
{'hex': '474946383961', 'size': 20}
>>> folder.cleanup()

`run` starts the child, keeps its limits and checks what comes back; `child` builds the walls and calls the task;
`walls` holds the system calls. Everything a task answers or writes is untrusted until it has been checked here.
"""

from counterfoil.engines.sandbox.errors import Unreadable
from counterfoil.engines.sandbox.parent import Limits, run
from counterfoil.engines.sandbox.strength import Strength, strength

__all__ = ["Limits", "Strength", "Unreadable", "run", "strength"]
