"""Gates that are about our own files, or that bring a database of their own, run once: beside SQLite."""

import os

collect_ignore = (
    [
        "test_calls.py",
        "test_disk_full.py",
        "test_power_cuts.py",
        "test_postgresql.py",
        "test_sabotages.py",
        "test_store_replies.py",
    ]
    if os.environ.get("COUNTERFOIL_DATABASE_URL")
    else []
)
