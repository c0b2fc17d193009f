"""What a worker does before it is killed, and how what it left behind is judged."""

import hashlib
import io
import json
import os
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests import sabotage, scenes
from tests.cast import Cast
from tests.faults import paths
from tests.faults.zygote import say

from counterfoil.accounts.queries import viewer_for
from counterfoil.cases.queries import case_of_report
from counterfoil.config import fsck, promises
from counterfoil.duties.actions import sweep
from counterfoil.engines.tlog import check_consistency, parse_checkpoint, split_note
from counterfoil.evidence import actions as evidence
from counterfoil.evidence.models import Exhibit
from counterfoil.ledger.actions import sequence
from counterfoil.ledger.models import Entry
from counterfoil.ledger.queries import log_folder
from counterfoil.plugs.stores import quarantine, vault
from counterfoil.reports import actions as reports
from counterfoil.reports.models import Draft, Report, Upload

STORIES = 3
NONE = timedelta(0)


def do(command: dict[str, Any]) -> None:
    """Do one command, in the house that it names."""
    from django.conf import settings
    from django.db import connections

    where = Path(command["home"])
    settings.PLUGS = json.loads(
        json.dumps(settings.PLUGS).replace(str(settings.COUNTERFOIL_HOME) + "/", f"{where}/")
    )
    settings.COUNTERFOIL_HOME = where
    settings.FILE_UPLOAD_TEMP_DIR = str(where / "incoming")
    connections.databases["default"]["NAME"] = command["database"]
    match command["do"]:
        case "prepare":
            prepare()
        case "work":
            broken = command.get("sabotage")
            with sabotage.NAMED[broken](say) if broken else nullcontext():
                work(command["alice"], command["seed"])
            time.sleep(command["linger"])  # so that a late blow falls on somebody
        case "furnish":
            paths.furnish(command["alice"])
        case "path":
            paths.PATHS[command["path"]](Path(command["home"]), command)
        case "judge":
            judge(Path(command["said"]), everything=command["everything"])


def prepare() -> None:
    """Make the database, the force and its people."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    cast = Cast()
    cast.staff_the_desk()
    say(alice=cast.id("alice"))


def work(alice: str, seed: int) -> None:
    """Report with two files and take them as exhibits, again and again, saying what is tried and what is done."""
    by = viewer_for(alice)
    for story in range(STORIES):
        draft = reports.start_draft("burglary", "en", f"{seed}-{story}")
        draft.answers = scenes.answers("burglary")
        draft.save(update_fields=["answers"])
        for n in range(2):
            data = os.urandom(16).join([b"\xff\xd8\xff\xe0", bytes(3000)])
            say(trying="upload", key=f"{draft.pk}-{n}")
            card = reports.add_upload(draft, f"{n}.jpg", io.BytesIO(data))
            say(done="upload", key=f"{draft.pk}-{n}", answer=[str(card.id), hashlib.sha256(data).hexdigest()])
        say(trying="submit", key=str(draft.pk))
        accepted = reports.submit(draft)
        say(done="submit", key=str(draft.pk), answer=reply(accepted))
        case = case_of_report(accepted.report_id)
        assert case, "a report was acknowledged without a case"
        for upload in Upload.objects.filter(report_id=accepted.report_id).order_by("number"):
            say(trying="accept", key=str(upload.pk), case=str(case))
            exhibit = evidence.seal(case, upload.pk, "Photo of the gate", by=by)
            say(done="accept", key=str(upload.pk), answer=str(exhibit))
        say(trying="sequence", key=str(story))
        point = sequence()
        say(done="sequence", key=str(story), answer=point.note if point else "")
    say(finished=True)


def reply(accepted: reports.Accepted) -> list[str]:
    """Return everything the sender was told."""
    return [str(accepted.report_id), accepted.reference, accepted.passphrase, accepted.receipt]


def judge(said: Path, *, everything: bool) -> None:
    """Check the house, then what was acknowledged, then repeat what the dead worker tried.

    `everything` goes through all that was ever acknowledged or tried in this house; else what is new since the last
    time (that nothing older changed is what `fsck` sees each time).
    """
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    words = next(line for line in lines if "alice" in line)
    alice = viewer_for(words["alice"])
    done = {(w["done"], w["key"]): w["answer"] for w in lines if "done" in w}
    tried = {(w["trying"], w["key"]): w for w in lines if "trying" in w}
    known = set() if everything else {(w["repeated"], w["key"]) for w in lines if "repeated" in w}
    wrong: list[str] = []
    fsck.clear_leftovers(older=NONE)
    sweep()
    sequence()
    wrong += fsck.fsck(grace=NONE)
    for (what, key), answer in done.items():
        if (what, key) not in known:
            wrong += missing(what, key, answer)
    before = Report.objects.count() + Exhibit.objects.count()
    said_before = sum(what in ("submit", "accept") for what, _ in done)
    for (what, key), line in tried.items():
        if (what, key) in known:
            continue
        say(repeated=what, key=key)
        if what in ("upload", "sequence"):
            continue
        if what == "bundle":
            wrong += paths.bundle_repeated(UUID(key), (what, key) in done)
            continue
        try:
            if what == "submit":
                again: Any = reply(reports.submit(Draft.objects.get(pk=key)))
                found = Entry.objects.filter(act="report.accepted", subject_id=again[0]).count()
            else:
                again = str(evidence.seal(UUID(line["case"]), UUID(key), "Photo, again", by=alice))
                found = Entry.objects.filter(act="exhibit.sealed", subject_id=again).count()
        except Exception as e:
            wrong.append(f"{what} {key} could not be repeated: {type(e).__name__}: {e}")
            continue
        if (what, key) in done and again != done[what, key]:
            wrong.append(f"{what} {key} was answered otherwise when it was repeated")
        if found != 1:
            wrong.append(f"{what} {key} has {found} entries after it was repeated")
        if (what, key) not in done:
            say(done=what, key=key, answer=again)
    for model, what in ((Report, "submit"), (Exhibit, "accept")):
        count = sum(w == what for w, _ in tried)
        if model.objects.count() != count:  # type: ignore[attr-defined]
            wrong.append(f"{count} times {what} was tried and there are {model.objects.count()}")  # type: ignore[attr-defined]
    wrong += promises.broken(grace=NONE)
    say(judged=True, wrong=wrong, committed_unsaid=before - said_before)


def missing(what: str, key: str, answer: Any) -> list[str]:
    """Say what of an acknowledged act is not there."""
    if what == "sequence":
        kept = log_folder().published() or ""
        old, new = (parse_checkpoint(split_note(note)[0]) for note in (answer, kept))
        grown = check_consistency(
            old.size, new.size, old.root, new.root, log_folder().consistency(old.size, new.size)
        )
        return [] if grown else ["the log does not grow from a checkpoint that was published"]
    if what == "bundle":
        return paths.bundle_missing(UUID(key), answer)
    if what == "upload":
        upload = Upload.objects.filter(pk=answer[0], sha256=answer[1]).first()
        store = quarantine()
    elif what == "submit":
        kept = Report.objects.filter(pk=answer[0], reference=answer[1], receipt=answer[3])
        return [] if kept.count() == 1 else [f"the acknowledged report of draft {key} is not there"]
    else:
        upload = Exhibit.objects.filter(pk=answer, upload_id=key).first()
        store = vault()
    if upload is None:
        return [f"the acknowledged {what} {key} is not there"]
    with store.open(upload.sha256) as stream:
        same = hashlib.sha256(stream.read()).hexdigest() == upload.sha256
    return [] if same else [f"the bytes of the acknowledged {what} {key} are not what they were"]
