"""Restricted exhibits: nothing is ever made of one, what was made goes, and only an examiner looks, with a reason."""

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings, settings
from django.utils import timezone
from tests import reels, scenes
from tests.cast import HOME, Cast

from counterfoil.accounts import actions as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.courts import actions as courts
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.evidence import actions, copies, queries, restricting
from counterfoil.evidence.models import Copy, Exhibit
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import quarantine, vault
from counterfoil.reports import actions as reports
from counterfoil.reports import screening
from counterfoil.reports.models import Screening, Upload

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "It may show somebody under 18. Found while looking through what was sent."
STILL = "counterfoil.engines.media.pictures:still"


@pytest.fixture(scope="module")
def a_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A made-up recording of eight numbered frames."""
    return reels.reel(tmp_path_factory.mktemp("films") / "gate.mp4", 8).read_bytes()


@pytest.fixture
def listing(settings: LazySettings, tmp_path: Path) -> Path:
    """A hash list that names nothing yet."""
    path = tmp_path / "list.txt"
    path.write_text("# none yet\n")
    settings.PLUGS = {
        **settings.PLUGS,
        "hashlist": {
            "BACKEND": "counterfoil.adapters.hashlist_file.FileList",
            "OPTIONS": {"path": str(path)},
        },
    }
    return path


def everything() -> dict[str, int]:
    """Return every file below the home, with its size: where a derived byte could hide."""
    home = Path(settings.COUNTERFOIL_HOME)
    left_out = {"log", "keys", "static"}
    found = (p for p in home.rglob("*") if p.is_file() and p.relative_to(home).parts[0] not in left_out)
    return {str(p.relative_to(home)): p.stat().st_size for p in found if "sqlite3" not in p.name}


def sealed(cast: Cast, data: bytes, name: str = "gate.mp4") -> tuple[scenes.Scene, UUID]:
    """Alice sealed one recording as AB/1."""
    scene = scenes.recorded(cast, files=((name, data),))
    scene.exhibit = actions.seal(scene.case, scene.files[0], "Recording of the side gate", by=scene.by)
    return scene, scene.exhibit


def named(cast: Cast, *roles: str) -> Viewer:
    """Alice, who works on the case, with more roles."""
    for role in roles:
        accounts.grant(cast.id("alice"), role, force=HOME, by=Viewer.clock())
    return cast.viewer("alice")


def try_everything(scene: scenes.Scene, exhibit: UUID) -> None:
    """Ask for everything that is ever made of an exhibit."""
    copies.ask(str(exhibit))
    copies.make_copies(exhibit)
    copies.sweep_copies(timezone.now() + timedelta(hours=5))
    with pytest.raises(NotAllowed, match="restricted"):
        actions.derive(scene.case, exhibit, task=STILL, settings={"at": "2"}, title="A still", by=scene.by)
    assert copies.look_at(scene.case, exhibit, by=scene.by) is not None
    assert copies.copies_of(exhibit) == []


@pytest.mark.parametrize("how", ["officer", "reporter", "sha256", "md5"])
def test_of_a_restricted_exhibit_no_byte_is_ever_derived(
    cast: Cast, a_film: bytes, listing: Path, how: str
) -> None:
    if how == "sha256":
        listing.write_text(hashlib.sha256(a_film).hexdigest() + " test-list\n")
    elif how == "md5":
        listing.write_text(hashlib.md5(a_film, usedforsecurity=False).hexdigest() + "\n")
    if how == "reporter":
        cast.queue(HOME)
        cast.staff_the_desk()
        draft = scenes.draft(files=(("gate.mp4", a_film),))
        assert screening.say_restricted(draft.pk, Upload.objects.get().pk)
        accepted = reports.submit(draft)
        scene = scenes.Scene(cast, draft, accepted, files=(Upload.objects.get().pk,), by=cast.alice)
        from counterfoil.duties import actions as duties

        duties.triage(scene.case, "scheduled", scenes.REASON, by=scene.by)
        duties.record_crime(scene.case, by=scene.by)
        exhibit = actions.seal(scene.case, scene.files[0], "What was sent", by=scene.by)
    else:
        scene, exhibit = sealed(cast, a_film)
    if how == "officer":
        restricting.restrict(scene.case, exhibit, WHY, by=scene.by)
    expected = how if how in ("officer", "reporter") else "hash-list"
    assert Exhibit.objects.get().restricted == expected
    before = everything()
    try_everything(scene, exhibit)
    assert everything() == before
    assert set(vault().all()) == {hashlib.sha256(a_film).hexdigest()}
    assert Exhibit.objects.count() == 1


def _bytes(sha256: str) -> bytes:
    with vault().open(sha256) as file:
        return file.read()


def test_a_bundle_names_a_restricted_exhibit_and_does_not_hold_it(cast: Cast) -> None:
    scene = scenes.disclosed(cast)
    assert scene.exhibit
    restricting.restrict(scene.case, scene.exhibit, WHY, by=scene.by)
    digest = Exhibit.objects.get(pk=scene.exhibit).sha256
    scene.bundle = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(scene.bundle)
    sent = [o for o in vault().all() if vault().size(o) > 10_000]
    bundles = [b for b in map(_bytes, sent) if b.startswith(b"PK")]
    assert bundles
    photo = scenes.photo()
    assert all(photo not in b for b in bundles)
    assert any(digest.encode() in b for b in bundles)


def test_what_was_made_before_is_removed_and_what_was_derived_is_restricted_with_it(
    cast: Cast, a_film: bytes
) -> None:
    scene, exhibit = sealed(cast, a_film)
    copies.ask(str(exhibit))
    copies.make_copies(exhibit)
    still = actions.derive(
        scene.case, exhibit, task=STILL, settings={"at": "2"}, title="A still", by=scene.by
    )
    copies.ask(str(still))
    copies.make_copies(still)
    made = set(Copy.objects.exclude(sha256="").values_list("sha256", flat=True))
    assert len(made) >= 3
    restricting.restrict(scene.case, exhibit, WHY, by=scene.by)
    assert Copy.objects.count() == 0
    assert set(vault().all()) == set(Exhibit.objects.values_list("sha256", flat=True))
    assert set(Exhibit.objects.values_list("restricted", flat=True)) == {"officer"}
    bodies = [e.body for e in Entry.objects.filter(act="exhibit.restricted").order_by("pk")]
    assert [b["how"] for b in bodies] == ["officer", "officer"]
    assert bodies[0]["copies_removed"] + bodies[1]["copies_removed"] == len(made)
    assert "under 18" not in str(bodies)
    restricting.restrict(scene.case, exhibit, WHY, by=scene.by)
    assert Entry.objects.filter(act="exhibit.restricted").count() == 2


def test_only_an_examiner_who_works_on_the_case_opens_it_and_only_with_a_reason(
    cast: Cast, a_film: bytes
) -> None:
    scene, exhibit = sealed(cast, a_film)
    restricting.restrict(scene.case, exhibit, WHY, by=scene.by)
    with pytest.raises(NotAllowed, match="opened only by a named role"):
        actions.open_exhibit(scene.case, exhibit, by=scene.by)
    for who in (scene.by, cast.ines):
        with pytest.raises(NotAllowed, match="Only an indecent image examiner"):
            restricting.open_guarded(scene.case, exhibit, WHY, by=who)
    accounts.grant(cast.id("dilys"), "examiner", force=HOME, by=Viewer.clock())
    assert restricting.open_guarded(scene.case, exhibit, WHY, by=cast.viewer("dilys")) is None
    examiner = named(cast, "examiner")
    with pytest.raises(BadInput):
        restricting.open_guarded(scene.case, exhibit, "", by=examiner)
    assert Entry.objects.filter(act="exhibit.viewed").count() == 0
    opened = restricting.open_guarded(scene.case, exhibit, "To grade it for court.", by=examiner)
    assert opened is not None
    entry = Entry.objects.get(act="exhibit.viewed")
    assert entry.body["guards"] == ["examiner"]
    assert entry.body["reason_sha256"] == hashlib.sha256(b"To grade it for court.").hexdigest()
    with opened[1] as file:
        assert file.read() == a_film


def test_whoever_has_no_part_in_the_case_cannot_restrict(cast: Cast, a_film: bytes) -> None:
    scene, exhibit = sealed(cast, a_film)
    for who in (cast.dilys, cast.charlie, cast.ada):
        with pytest.raises(NotAllowed, match="no part in this case"):
            restricting.restrict(scene.case, exhibit, WHY, by=who)
    assert Exhibit.objects.get().restricted == ""


def test_a_new_edition_of_the_list_restricts_what_is_sealed_already(
    cast: Cast, a_film: bytes, listing: Path
) -> None:
    scene, exhibit = sealed(cast, a_film)
    copies.ask(str(exhibit))
    copies.make_copies(exhibit)
    assert restricting.sweep_screening(timezone.now()) == 0
    assert Copy.objects.exclude(sha256="").exists()
    listing.write_text(hashlib.md5(a_film, usedforsecurity=False).hexdigest() + " second-edition\n")
    assert restricting.sweep_screening(timezone.now()) == 1
    assert Exhibit.objects.get().restricted == "hash-list"
    assert Upload.objects.get().restricted == "hash-list"
    assert set(vault().all()) == {hashlib.sha256(a_film).hexdigest()}
    assert restricting.sweep_screening(timezone.now()) == 0
    examiner = named(cast, "examiner")
    with pytest.raises(NotAllowed, match="Only an indecent image examiner"):
        restricting.lift(scene.case, exhibit, "It shows an empty car park.", by=cast.ines)
    restricting.lift(scene.case, exhibit, "It shows an empty car park.", by=examiner)
    assert restricting.sweep_screening(timezone.now()) == 0
    assert Exhibit.objects.get().restricted == ""


def test_a_list_that_cannot_be_read_lets_nothing_be_sealed_and_everything_be_reported(
    cast: Cast, listing: Path
) -> None:
    listing.write_text("this is no digest\n")
    scene = scenes.recorded(cast)
    restricting.sweep_screening(timezone.now())
    with pytest.raises(BadInput, match="Line 1 of the hash list"):
        actions.seal(scene.case, scene.files[0], "Photo of the side gate", by=scene.by)


class TestScanner:
    """What the scanner says is a mark, comes later when it is down, and holds nobody up."""

    def set(self, settings: LazySettings, address: str) -> None:
        settings.PLUGS = {
            **settings.PLUGS,
            "scanner": {
                "BACKEND": "counterfoil.adapters.scanner_clamd.Clamd",
                "OPTIONS": {"address": address, "timeout_s": 5},
            },
        }

    def test_without_one_every_file_says_that_nobody_scans(self, cast: Cast) -> None:
        scenes.reported(cast)
        restricting.sweep_screening(timezone.now())
        assert set(Screening.objects.values_list("scan", "says")) == {("none", "no scanner is configured")}

    def test_one_that_is_down_blocks_nothing_and_is_asked_again_ever_later(
        self, cast: Cast, settings: LazySettings
    ) -> None:
        from tests.plugs.test_scanner import EICAR, Daemon, _says

        self.set(settings, "127.0.0.1:9")
        scene = scenes.recorded(cast, files=(("note.txt", EICAR), ("IMG.jpg", scenes.photo())))
        now, pauses = timezone.now(), []
        for _ in range(3):
            restricting.sweep_screening(now)
            row = Screening.objects.get(sha256=hashlib.sha256(EICAR).hexdigest())
            assert row.scan == "waiting"
            pauses.append((row.next_at - timezone.now()).total_seconds())
            now = row.next_at + timedelta(seconds=1)
        assert pauses[0] < pauses[1] < pauses[2]
        exhibit = actions.seal(scene.case, scene.files[0], "A note that was sent", by=scene.by)
        assert queries.exhibit_for(scene.by, scene.case, exhibit).scan == "waiting"  # type: ignore[union-attr]

        daemon = Daemon(_says)
        self.set(settings, daemon.address)
        restricting.sweep_screening(now)
        daemon.close()
        found = dict(Screening.objects.values_list("sha256", "scan"))
        assert sorted(found.values()) == ["clean", "flagged"]
        entry = Entry.objects.get(act="file.flagged")
        assert (entry.subject_id, entry.body["says"]) == (hashlib.sha256(EICAR).hexdigest(), "Eicar.Test")
        # Marked and never deleted: the exhibit and the upload are as they came.
        for store in (vault(), quarantine()):
            with store.open(hashlib.sha256(EICAR).hexdigest()) as file:
                assert file.read() == EICAR
        with pytest.raises(NotAllowed, match="flagged by the virus scanner"):
            actions.open_exhibit(scene.case, exhibit, by=scene.by)
        with pytest.raises(NotAllowed, match="Only a digital forensic analyst"):
            restricting.open_guarded(scene.case, exhibit, "To look at it closely.", by=scene.by)
        analyst = named(cast, "analyst")
        opened = restricting.open_guarded(scene.case, exhibit, "To take it apart.", by=analyst)
        assert opened is not None
        opened[1].close()
        assert Entry.objects.get(act="exhibit.viewed").body["guards"] == ["analyst"]

    def test_a_file_nobody_scanned_is_scanned_once_there_is_a_scanner(
        self, cast: Cast, settings: LazySettings
    ) -> None:
        from tests.plugs.test_scanner import Daemon, _says

        scenes.reported(cast)
        restricting.sweep_screening(timezone.now())
        daemon = Daemon(_says)
        self.set(settings, daemon.address)
        restricting.sweep_screening(timezone.now() + timedelta(hours=1))
        daemon.close()
        assert set(Screening.objects.values_list("scan", flat=True)) == {"clean"}


def test_files_of_any_type_are_taken_and_sealed_unchanged(cast: Cast) -> None:
    odd = (
        ("recorder.exe", b"MZ\x90\x00" + bytes(64)),
        ("player.g64x", bytes(range(256)) * 4),
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("bundle.zip", b"PK\x03\x04" + bytes(60)),
    )
    scene = scenes.recorded(cast, files=odd)
    for upload, (_, data) in zip(scene.files, odd, strict=True):
        exhibit = actions.seal(scene.case, upload, "A file that was sent", by=scene.by)
        opened = actions.open_exhibit(scene.case, exhibit, by=scene.by)
        assert opened is not None
        with opened[1] as file:
            assert file.read() == data
    types = list(Exhibit.objects.order_by("number").values_list("media_type", "extension"))
    assert types == [
        ("application/octet-stream", "bin"),
        ("application/octet-stream", "bin"),
        ("text/html", "htm"),
        ("application/zip", "zip"),
    ]
    with pytest.raises(Refusal, match="is empty"):
        reports.add_upload(scenes.draft(session="2"), "empty.jpg", io.BytesIO(b""), 0)


def test_the_drawings_of_a_redaction_and_the_copies_of_a_share_go_too(cast: Cast, a_film: bytes) -> None:
    from counterfoil.evidence.models import Redaction

    scene, exhibit = sealed(cast, a_film)
    stored = vault().add(io.BytesIO(b"pictures of every frame"))
    Redaction.objects.create(
        case_id=scene.case,
        exhibit_id=exhibit,
        kind="video",
        state="reviewing",
        asked_by_id=cast.id("alice"),
        asked_at=timezone.now(),
        sheets_sha256=stored.sha256,
        sheets_size=stored.size,
        found={"frames": 8},
    )
    restricting.restrict(scene.case, exhibit, WHY, by=scene.by)
    row = Redaction.objects.get()
    assert (row.state, row.sheets_sha256, row.found) == ("failed", "", {})
    assert set(vault().all()) == {hashlib.sha256(a_film).hexdigest()}


def test_the_clock_asks_the_work_process_once_and_does_not_wait_for_it(cast: Cast) -> None:
    scenes.reported(cast)
    now = timezone.now()
    assert restricting.ask_screening(now)
    assert not restricting.ask_screening(now), "it is asked already"
    assert set(Screening.objects.values_list("scan", flat=True)) == {"waiting"}
    restricting.screen.func()
    assert set(Screening.objects.values_list("scan", flat=True)) == {"none"}
    assert not restricting.ask_screening(now + timedelta(hours=2)), "nothing waits any more"
