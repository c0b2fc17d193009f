"""Have the files held looked through for what is wrong: asked by the clock, done in the work process."""

from datetime import datetime

from django_tasks import task

from counterfoil.measures import queries


@task()
def look() -> None:
    """Look through the files held, unless it was done for exactly these files."""
    queries.look_through()


def sweep(now: datetime) -> int:
    """Ask for the files held to be looked through when they were not yet; return 1 when it was asked."""
    if not queries.wants_looking(now.timestamp()):
        return 0
    look.enqueue()
    return 1
