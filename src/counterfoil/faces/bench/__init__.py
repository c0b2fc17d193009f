"""The bench: what a prosecutor receives and releases, and what the defence opens. English and Welsh, no script."""
