"""`make bench`: every measurement, one after another, with the machine it ran on.

`python -m bench NAME…` runs some: vault, bundle, reports, log.
"""

import os
import platform
import sys

from bench import bundle_build, reports_rate, tlog_large, vault_ingest

ALL = {
    "vault": vault_ingest.main,
    "bundle": bundle_build.main,
    "reports": reports_rate.main,
    "log": tlog_large.main,
}


def main() -> None:
    """Run what was asked for, or everything."""
    wanted = sys.argv[1:] or list(ALL)
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        sys.exit(f"There is no measurement {unknown[0]}. Choose from: {', '.join(ALL)}.")
    print(
        f"machine: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    for name in wanted:
        ALL[name]()


if __name__ == "__main__":
    main()
