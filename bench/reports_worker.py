"""One writer of `reports_rate`: prepares the database, or writes reports or plain rows when told to go."""

import sys

import django

django.setup()

# ruff: noqa: E402  (models can be imported only once Django is ready)
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.actions import grant, open_account
from counterfoil.accounts.rules import Viewer
from counterfoil.ledger.models import Reply
from counterfoil.places.actions import load_force, open_queue, post
from counterfoil.reports import actions
from counterfoil.reports.models import Draft

ANSWERS = {
    "danger": "no", "force": "99", "place_type": "home", "where": "Sample Street", "when": "2026-11-20",
    "what": "The window was forced and a bicycle was taken from the hall.", "know_who": "no", "seen": ["nothing"],
    "contact_channels": ["none"],
}  # fmt: skip


def setup() -> None:
    """Make the schema, the force and a staffed queue."""
    call_command("migrate", verbosity=0, interactive=False)
    clock = Viewer.clock()
    load_force("99", "demonstration", "Demonstration Constabulary", by=clock)
    queue = open_queue("99", "triage", "Triage desk", by=clock)
    actor = open_account("bench", "Bench Officer", "not-a-real-password-1", by=clock)
    grant(actor, "officer", force="99", by=clock)
    post(actor, queue, by=clock)


def main() -> None:
    """Do what the command line says."""
    what = sys.argv[1]
    if what == "setup":
        setup()
        return
    count = int(sys.argv[2])
    drafts: list[Draft] = []
    if what == "report":
        for n in range(count):
            draft = actions.start_draft("burglary", "en", f"bench-{n}")
            draft.answers = dict(ANSWERS)
            draft.save()
            drafts.append(draft)
    print("ready", flush=True)
    sys.stdin.readline()
    if what == "report":
        for draft in drafts:
            actions.submit(draft)
        return
    for n in range(count):
        with transaction.atomic():
            Reply.objects.create(
                scope="bench",
                key=f"{id(drafts)}-{n}-{timezone.now()}",
                digest="",
                answer={},
                at=timezone.now(),
            )


if __name__ == "__main__":
    main()
