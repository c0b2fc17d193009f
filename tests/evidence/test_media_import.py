"""Folders exported from other evidence systems: every file an exhibit, checked against the export, its audit kept."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from tests import scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import folders, queries
from counterfoil.evidence.models import Exhibit
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db


def export(folder: Path, *, digest: str = "sha256") -> Path:
    """Write a folder as an export may look: two files, a manifest with checksums, and an audit."""
    (folder / "files").mkdir(parents=True)
    for n in (1, 2):
        (folder / "files" / f"clip-{n}.mp4").write_bytes(scenes.clip(n))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Evidence Title", "File Name", f"{digest} checksum", "Recorded On"])
        for n in (1, 2):
            told = hashlib.new(digest, scenes.clip(n)).hexdigest().upper()
            rows.writerow([f"clip-{n}.mp4", f"clip-{n}.mp4", told, "2026-11-20"])
    with (folder / "Audit Trail.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Date Time", "User", "Activity"])
        rows.writerow(["2026-11-20 21:20", "an officer", "Uploaded to Axon Evidence"])
    return folder


@pytest.mark.parametrize("digest", ["sha256", "md5"])
def test_a_folder_comes_in_whole_with_its_audit_linked_to_every_file(
    cast: Cast, tmp_path: Path, digest: str
) -> None:
    scene = scenes.recorded(cast)
    folder = export(tmp_path / "export", digest=digest)
    taken = folders.import_folder(folder, scene.case, by=cast.alice)
    assert (len(taken.exhibits), taken.checked, taken.system) == (4, 2, "axon")
    cards = {c.original_name: c for c in queries.exhibits_of(cast.alice, scene.case)}
    assert cards["files/clip-1.mp4"].sha256 == hashlib.sha256(scenes.clip(1)).hexdigest()
    audit = cards["Audit Trail.csv"]
    assert taken.audits == [audit.label]
    for name in ("files/clip-1.mp4", "files/clip-2.mp4"):
        body = Entry.objects.get(act="exhibit.imported", subject_id=str(cards[name].id)).body
        assert (body["audits"], body["checked"], body["system"]) == ([str(audit.id)], True, "axon")
    assert "clip" not in str([e.body for e in Entry.objects.filter(act="exhibit.imported")])


def test_taking_it_in_again_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    scene = scenes.recorded(cast)
    folder = export(tmp_path / "export")
    first = folders.import_folder(folder, scene.case, by=cast.alice)
    assert folders.import_folder(folder, scene.case, by=cast.alice).exhibits == first.exhibits
    assert Exhibit.objects.count() == 4


def test_one_wrong_byte_or_a_missing_file_and_nothing_is_taken(cast: Cast, tmp_path: Path) -> None:
    scene = scenes.recorded(cast)
    folder = export(tmp_path / "export")
    clip = folder / "files" / "clip-2.mp4"
    clip.write_bytes(scenes.clip(2)[:-1] + b"!")
    with pytest.raises(BadInput, match=r"clip-2\.mp4 is not what manifest\.csv says"):
        folders.import_folder(folder, scene.case, by=cast.alice)
    clip.unlink()
    with pytest.raises(BadInput, match="which is not in the folder"):
        folders.import_folder(folder, scene.case, by=cast.alice)
    assert not Exhibit.objects.exists()


def test_a_json_manifest_is_read_too_and_a_folder_without_any_says_so(cast: Cast, tmp_path: Path) -> None:
    scene = scenes.recorded(cast)
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(scenes.photo(3))
    taken = folders.import_folder(folder, scene.case, by=cast.alice)
    assert taken.checked == 0
    assert "No audit was found" in " ".join(taken.sentences())
    told = [{"path": "a.jpg", "sha512": hashlib.sha512(scenes.photo(3)).hexdigest()}]
    (folder / "list.json").write_text(json.dumps({"items": told}))
    assert folders.import_folder(folder, scene.case, by=cast.alice).checked == 1


def test_links_and_strangers_are_refused(cast: Cast, tmp_path: Path) -> None:
    scene = scenes.recorded(cast)
    folder = export(tmp_path / "export")
    with pytest.raises(NotAllowed):
        folders.import_folder(folder, scene.case, by=cast.charlie)
    (folder / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(BadInput, match="is a link"):
        folders.import_folder(folder, scene.case, by=cast.alice)
    with pytest.raises(BadInput, match="Give the folder"):
        folders.import_folder(tmp_path / "nowhere", scene.case, by=cast.alice)
