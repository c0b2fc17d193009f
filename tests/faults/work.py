"""What a worker does before it is killed, and how what it left behind is judged."""

import hashlib
import io
import json
import logging
import os
import threading
import time
import traceback
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from tests import sabotage, scenes
from tests.cast import Cast
from tests.faults import paths
from tests.faults.zygote import say

from counterfoil.accounts.queries import viewer_for
from counterfoil.cases.queries import case_of_report
from counterfoil.config import fsck, promises
from counterfoil.duties.actions import sweep
from counterfoil.engines.errors import Refusal
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


class Tell(logging.Handler):
    """Say that a follower failed: what it does for speed is the sweep's to do again, and no reason to say no."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it as a worker says everything."""
        say(follower=record.levelname)


def do(command: dict[str, Any]) -> None:
    """Do one command, in the house that it names."""
    from django.conf import settings
    from django.db import connections

    logging.getLogger("counterfoil.ledger.followers").addHandler(Tell(logging.ERROR))
    where = Path(command["home"])
    settings.PLUGS = json.loads(
        json.dumps(settings.PLUGS).replace(str(settings.COUNTERFOIL_HOME) + "/", f"{where}/")
    )
    settings.COUNTERFOIL_HOME = where
    settings.KEEP_FREE = command.get("keep_free", 1 << 20)
    settings.FILE_UPLOAD_TEMP_DIR = str(where / "incoming")
    connections.databases["default"]["NAME"] = command["database"]
    if "host" in command:  # a database server of the gate's own
        connections.databases["default"]["HOST"] = command["host"]
    match command["do"]:
        case "prepare":
            prepare()
        case "work":
            broken = command.get("sabotage")
            with sabotage.NAMED[broken](say) if broken else nullcontext():
                work(command["alice"], command["seed"], command.get("stories", STORIES))
            time.sleep(command["linger"])  # so that a late blow falls on somebody
        case "crowd":
            crowd(command)
        case "send":
            send(command["seed"], command["reports"], command["sends"])
        case "furnish":
            paths.furnish(command["alice"])
        case "path":
            paths.PATHS[command["path"]](Path(command["home"]), command)
        case "count":
            entries = Entry.objects.filter(act="report.accepted")
            say(reports=Report.objects.count(), entries=entries.count())
        case "judge":
            judge(Path(command["said"]), everything=command["everything"])


def prepare() -> None:
    """Make the database, the force and its people."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    cast = Cast()
    cast.staff_the_desk()
    say(alice=cast.id("alice"))


def work(alice: str, seed: int, stories: int = STORIES) -> None:
    """Report with two files and take them as exhibits, again and again, saying what is tried and what is done."""
    by = viewer_for(alice)
    for story in range(stories):
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


def crowd(command: dict[str, Any]) -> None:
    """Have several workers at work at once, until the database or somebody else ends them."""
    for n in range(command["writers"]):
        if os.fork() == 0:
            try:
                say(member=os.getpid())
                work(command["alice"], command["seed"] * 100 + n, 400)
            except (DatabaseError, Refusal) as error:
                say(broke="work", error=f"{type(error).__name__}: {error}"[:300])
            except BaseException:
                say(error=traceback.format_exc()[-2000:])
            finally:
                os._exit(0)
    for _ in range(command["writers"]):
        os.wait()


def send(seed: int, drafts: int, sends: int) -> None:
    """Send each draft so many times at once, again where the line broke, and say every answer that came."""
    from django.db import connection, connections

    lock = threading.Lock()

    def one(draft: Draft, answers: list[list[str]], broken: list[str]) -> None:
        try:
            for _ in range(40):
                try:
                    answer = reply(reports.submit(draft))
                except DatabaseError as error:
                    connection.close()
                    with lock:
                        broken.append(f"{type(error).__name__}")
                    continue
                with lock:
                    answers.append(answer)
                return
            with lock:
                broken.append("gave up")
        finally:
            connections.close_all()

    for n in range(drafts):
        for _ in range(40):  # the lines break here too
            with suppress(DatabaseError):
                draft = reports.start_draft("burglary", "en", f"{seed}-{n}")
                draft.answers = scenes.answers("burglary")
                draft.save(update_fields=["answers"])
                break
            connection.close()
        answers: list[list[str]] = []
        broken: list[str] = []
        crowd = [threading.Thread(target=one, args=(draft, answers, broken)) for _ in range(sends)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        say(sent=str(draft.pk), answers=answers, broken=len(broken), gave_up="gave up" in broken)
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
        if what == "tus":
            wrong += paths.tus_repeated(key.split()[0])
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
    if what == "tus":
        return paths.tus_missing(key.split(maxsplit=1)[0], answer)
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
