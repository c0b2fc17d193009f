"""The write paths, each done once by a worker that may be stopped or failed at any system call."""

import hashlib
import io
import itertools
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone
from tests import scenes
from tests.faults.zygote import say

from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer
from counterfoil.cases.queries import case_of_report
from counterfoil.courts import actions as courts
from counterfoil.courts.gather import policy_text
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as bundles
from counterfoil.engines.errors import Refusal
from counterfoil.engines.tlog import Frontier, Signer, TileDir, checkpoint_text, leaf_hash, sign_note
from counterfoil.engines.tus import Checksum, Creation, Partials, Patch
from counterfoil.engines.vault import Vault
from counterfoil.evidence import actions as evidence
from counterfoil.ledger.actions import sequence
from counterfoil.plugs.stores import vault
from counterfoil.reports import actions as reports
from counterfoil.reports.models import Draft, Upload
from counterfoil.reports.receiving import Receiving, unfinished

LOG = Signer.from_seed("counterfoil.example/log", bytes(32))
ENTRIES = [hashlib.sha256(str(n).encode()).digest() for n in range(5000)]
LOG_SIZES = (253, 259)  # from … to: a tile is completed and another begun


def attempt(what: str, key: str, act: Callable[[], Any], **more: Any) -> None:
    """Say what is tried, and then that it is done, or the sentence of the refusal, or what broke."""
    say(trying=what, key=key, **more)
    try:
        answer = act()
    except Refusal as refusal:
        say(refused=what, key=key, sentence=str(refusal))
    except (OSError, DatabaseError) as error:
        say(broke=what, key=key, error=f"{type(error).__name__}: {error}")
    else:
        say(done=what, key=key, answer=answer)


# engines alone


def clip(n: int) -> bytes:
    """Return the bytes that are stored by the n-th attempt: more than one block of the vault."""
    return random.Random(n).randbytes(2_500_000 if n == 1 else 3000)


def add_to_vault(home: Path, command: dict[str, Any]) -> None:
    """Store a clip, and then another in the same process."""
    store = Vault(home / "vault")
    for n in (1, 2):
        attempt("vault", str(n), lambda n=n: list(store.add(io.BytesIO(clip(n)))))


def note_of(size: int) -> str:
    """Return the signed checkpoint of the first `size` entries."""
    root = Frontier.empty().append_all([leaf_hash(e) for e in ENTRIES[:size]]).root()
    return sign_note(checkpoint_text(LOG.name, size, root), [LOG])


def grow_log(home: Path, command: dict[str, Any]) -> None:
    """Append entries to a log and publish its checkpoint."""
    tiles, (old, new) = TileDir(home / "log"), LOG_SIZES

    def grow() -> str:
        tiles.append(old, ENTRIES[old:new])
        tiles.publish_checkpoint(note_of(new))
        return note_of(new)

    attempt("log", str(new), grow)


def write_on(home: Path, command: dict[str, Any]) -> None:
    """Store clips and grow the log until killed. `careless` is the negative control: nothing is synced."""
    if command.get("careless"):
        os.fsync = lambda _: None
    store, tiles, dice = Vault(home / "vault"), TileDir(home / "log"), random.Random(command["seed"])
    partials, name, sent = Partials(home / "incoming", clock=time.time), "ab" * 16, hashlib.sha256()
    partials.create(name, length=None)
    size = at = 0
    for n in range(120):
        data = dice.randbytes(dice.choice((100, 5000, 300_000)))
        say(done="vault", key=f"v{n}", answer=list(store.add(io.BytesIO(data))))
        time.sleep(dice.choice((0, 0.02, 0.2)))  # the next sync would save the last one
        piece = dice.randbytes(dice.choice((100, 70_000)))
        at = partials.append(name, at, io.BytesIO(piece)).offset
        sent.update(piece)
        say(done="piece", key=f"p{n}", answer=[name, at, sent.hexdigest()])
        time.sleep(dice.choice((0, 0.02, 0.2)))
        new = size + dice.randint(1, 40)
        tiles.append(size, ENTRIES[size:new])
        tiles.publish_checkpoint(note_of(new))
        size = new
        say(done="log", key=f"l{n}", answer=size)
        time.sleep(dice.choice((0, 0.02, 0.2)))


# the product


def furnish(alice: str) -> None:
    """Make what the write paths start from: a case to build a bundle of, a file to seal, a draft to send."""
    by = viewer_for(alice)
    cases = []
    for n in range(2):
        draft = draft_with_files(f"furnish-{n}", 2 if n == 0 else 1)
        say(trying="submit", key=str(draft.pk))
        accepted = reports.submit(draft)
        told = [str(accepted.report_id), accepted.reference, accepted.passphrase, accepted.receipt]
        say(done="submit", key=str(draft.pk), answer=told)
        case = case_of_report(accepted.report_id)
        assert case
        cases.append((case, Upload.objects.filter(report_id=accepted.report_id).order_by("number")))
    case, uploads = cases[0]
    for upload in uploads:
        say(trying="accept", key=str(upload.pk), case=str(case))
        sealed = evidence.seal(case, upload.pk, "Photo of the gate", by=by)
        say(done="accept", key=str(upload.pk), answer=str(sealed))
    sequence()
    bundle = courts.ask_bundle(case, by=by)
    draft = draft_with_files("furnish-draft", 1)
    say(
        furnished={
            "alice": alice,
            "bundle": str(bundle),
            "case": str(cases[1][0]),
            "upload": str(cases[1][1][0].pk),
            "draft": str(draft.pk),
        }
    )


def draft_with_files(session: str, files: int) -> Draft:
    """Return an answered draft, and say which of its files are safe."""
    draft = reports.start_draft("burglary", "en", session)
    draft.answers = scenes.answers("burglary")
    draft.save(update_fields=["answers"])
    for n in range(files):
        upload_once(draft, n, scenes.photo(n + 7 * files))
    return draft


def upload_once(draft: Draft, n: int, data: bytes) -> None:
    """Send one file to a draft."""

    def send() -> list[str]:
        card = reports.add_upload(draft, f"{n}.jpg", io.BytesIO(data))
        return [str(card.id), hashlib.sha256(data).hexdigest()]

    attempt("upload", f"{draft.pk}-{n}", send)


def upload(home: Path, command: dict[str, Any]) -> None:
    """Send a file in one piece."""
    upload_once(Draft.objects.get(pk=command["draft"]), 9, scenes.photo(99, 1_500_000))


FILM = scenes.clip(77, 400_000)
PIECES = (0, 150_000, 290_000, 400_000)


def tus(home: Path, command: dict[str, Any]) -> None:
    """Send a file in pieces: begin, three pieces, the last with its checksum, and it is listed."""
    sender = Receiving(f"draft:{command['draft']}", by=Viewer.public())
    begun: list[str] = []

    def begin() -> list[Any]:
        sent = sender.begin(Creation(len(FILM), metadata={"filename": b"film.mp4"}))
        begun.append(str(sent.id))
        return [str(sent.id), 0]

    attempt("tus", command["draft"], begin)
    for start, end in itertools.pairwise(PIECES if begun else ()):
        piece = FILM[start:end]
        check = Checksum(hashlib.sha256(piece).hexdigest()) if end == len(FILM) else None

        def send(start: int = start, piece: bytes = piece, check: Checksum | None = check) -> list[Any]:
            sent = sender.append(UUID(begun[0]), Patch(start, check), io.BytesIO(piece), len(piece))
            assert sent
            return [begun[0], sent.offset]

        attempt("tus", f"{command['draft']} {end}", send)


def tus_missing(draft: str, answer: list[Any]) -> list[str]:
    """Say what of an upload in pieces was acknowledged and is not there."""
    sender = Receiving(f"draft:{draft}", by=Viewer.public())
    found = sender.find(UUID(answer[0]))
    if found is None or found.offset < answer[1]:
        return [f"{answer[1]} bytes of the upload {answer[0]} were acknowledged; there is {found}"]
    return []


def tus_repeated(draft: str) -> list[str]:
    """Go on with every unfinished upload of a draft where it stands, and say what does not end as it was sent."""
    sender = Receiving(f"draft:{draft}", by=Viewer.public())
    wrong = []
    for waiting in unfinished(f"draft:{draft}"):
        rest = FILM[waiting.offset :]
        sender.append(waiting.id, Patch(waiting.offset), io.BytesIO(rest), len(rest))
        kept = Upload.objects.filter(pk=waiting.id).first()
        if kept is None or kept.sha256 != hashlib.sha256(FILM).hexdigest():
            wrong.append(
                f"the upload {waiting.id} went on from {waiting.offset} and is {kept and kept.sha256}"
            )
    for kept in Upload.objects.filter(draft_id=draft, name="film.mp4"):
        if kept.sha256 != hashlib.sha256(FILM).hexdigest():
            wrong.append(f"the upload {kept.pk} has other bytes than were sent")
    return wrong


def submit(home: Path, command: dict[str, Any]) -> None:
    """Send a report."""

    def send() -> list[str]:
        accepted = reports.submit(Draft.objects.get(pk=command["draft"]))
        return [str(accepted.report_id), accepted.reference, accepted.passphrase, accepted.receipt]

    attempt("submit", command["draft"], send)


def accept(home: Path, command: dict[str, Any]) -> None:
    """Seal a file as an exhibit."""
    by, case = viewer_for(command["alice"]), UUID(command["case"])
    attempt(
        "accept",
        command["upload"],
        lambda: str(evidence.seal(case, UUID(command["upload"]), "Photo of the gate", by=by)),
        case=command["case"],
    )


def give_indexes(home: Path, command: dict[str, Any]) -> None:
    """Sequence the log and publish it."""

    def publish() -> str:
        point = sequence()
        return point.note if point else ""

    attempt("sequence", "once", publish)


def build(home: Path, command: dict[str, Any]) -> None:
    """Build a bundle that was asked for; done only if it was built."""

    def made() -> list[str]:
        courts.build_bundle(UUID(command["bundle"]))
        bundle = Bundle.objects.get(pk=command["bundle"])
        if bundle.state != "built":
            raise Refusal(bundle.error or bundle.state)
        return [bundle.sha256, bundle.payload_sha256]

    attempt("bundle", command["bundle"], made)


def under_pressure(home: Path, command: dict[str, Any]) -> None:
    """Upload, send, seal and sequence again and again while the disk fills up and is emptied, until killed."""
    by, dice = viewer_for(command["alice"]), random.Random(command["seed"])
    for n in range(5000):
        try:
            draft = draft_with_files(f"pressure-{n}", 0)
        except DatabaseError as error:
            say(broke="draft", error=str(error))
            time.sleep(0.05)
            continue
        if command.get("files", True):
            upload_once(draft, 0, scenes.photo(n, dice.choice((3000, 60_000, 200_000))))
        submit(home, {"draft": str(draft.pk)})
        with suppress(DatabaseError):
            for sent in Upload.objects.filter(draft=draft, report__isnull=False):
                case = case_of_report(sent.report_id)
                if case is not None:
                    accept(home, {"alice": by.id, "case": str(case), "upload": str(sent.pk)})
        give_indexes(home, {})
        say(round=n)


def at_the_mark(home: Path, command: dict[str, Any]) -> None:
    """With less free than is kept for reports: a file in one piece, one in pieces, and reports in words."""
    draft = draft_with_files("mark", 0)
    upload_once(draft, 0, scenes.photo(1, 60_000))
    tus(home, {"draft": str(draft.pk)})
    for n in range(command["reports"]):
        draft = draft_with_files(f"mark-{n}", 0)
        submit(home, {"draft": str(draft.pk)})


def bundle_missing(bundle_id: UUID, answer: list[str]) -> list[str]:
    """Say what of a bundle that was called built is not there, or does not verify."""
    bundle = Bundle.objects.get(pk=bundle_id)
    if [bundle.state, bundle.sha256, bundle.payload_sha256] != ["built", *answer]:
        return [f"the bundle {bundle_id} was called built and is {bundle.state}"]
    verdict = bundles.verify(vault().path(bundle.sha256), policy_text())
    return [verdict.sentence] if verdict.failed else []


def bundle_repeated(bundle_id: UUID, was_built: bool) -> list[str]:
    """Go on with a bundle as the product does after a restart, and say what is wrong then."""
    bundle = Bundle.objects.get(pk=bundle_id)
    if bundle.state == "building":
        courts.build_bundle(bundle_id)
        bundle.refresh_from_db()
    if bundle.state == "failed" and bundle.error and not was_built:
        by = viewer_for(str(bundle.asked_by_id))
        bundle = Bundle.objects.get(pk=courts.ask_bundle(bundle.case_id, by=by))
        courts.build_bundle(bundle.pk)
        bundle.refresh_from_db()
    if bundle.state != "built":
        return [f"the bundle {bundle_id} is {bundle.state} after it was built again: {bundle.error}"]
    assert bundle.built_at is None or bundle.built_at <= timezone.now()
    return bundle_missing(bundle.pk, [bundle.sha256, bundle.payload_sha256])


PATHS: dict[str, Callable[[Path, dict[str, Any]], None]] = {
    "vault": add_to_vault,
    "log": grow_log,
    "write on": write_on,
    "upload": upload,
    "tus": tus,
    "submit": submit,
    "accept": accept,
    "sequence": give_indexes,
    "bundle": build,
    "under pressure": under_pressure,
    "at the mark": at_the_mark,
}
