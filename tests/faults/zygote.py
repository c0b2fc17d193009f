"""A process that has loaded the product and forks a fresh worker for each command, so that a kill costs little.

Reads one JSON command a line; whatever a worker has to say goes to standard output as one JSON line, written in one
call, so that what was said before a kill was said. It never touches the database itself.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any


def say(**words: Any) -> None:
    """Say one thing at once: a line that was written is a line that the sender has received."""
    os.write(1, (json.dumps(words) + "\n").encode())


def main() -> None:
    """Fork a worker for each command until there are no more."""
    import django

    django.setup()
    from django.db.migrations.loader import MigrationLoader
    from django.utils import timezone
    from tests.faults import work

    from counterfoil.engines.clock import due
    from counterfoil.engines.refs import new_passphrase
    from counterfoil.plugs.keys import keys
    from counterfoil.reference.duties import duty_kinds
    from counterfoil.reference.kinds import kinds

    # Whatever a worker would read or work out first, it now inherits.
    MigrationLoader(None)
    for kind in duty_kinds().values():
        due(timezone.now(), kind.within)
    kinds(), new_passphrase(), keys()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    say(ready=True)
    for line in sys.stdin:
        command = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                say(pid=os.getpid())
                if command.get("hold"):  # somebody attaches first, and says go
                    assert signal.sigtimedwait({signal.SIGUSR1}, 60), "nobody attached"
                work.do(command)
                code = 0
            except BaseException:
                say(error=traceback.format_exc()[-3000:])
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        say(dead=pid, status=status)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.config.settings")
    sys.path[:0] = [
        str(Path(__file__).resolve().parents[2]),
        str(Path(__file__).resolve().parents[2] / "src"),
    ]
    main()
