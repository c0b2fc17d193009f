"""A court that kept an earlier statement of the log sees from any later bundle that the log only grew since."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import Cast
from tests.engines.bundle.conftest import PageChecks, page_checks, standalone  # noqa: F401
from tests.ledger.outside import grown

from counterfoil.courts import actions as courts
from counterfoil.courts.gather import policy_text
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.engines.tlog import parse_checkpoint, split_note
from counterfoil.ledger import actions
from counterfoil.ledger.actions import sequencing
from counterfoil.ledger.queries import anchored_sizes, newest_checkpoint
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db(transaction=True)


def built(scene: scenes.Scene, folder: Path) -> tuple[Path, Path]:
    """Build both bundles of a case and return their archives: the prosecutor's and the defence's."""
    asked = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(asked)
    out = []
    for bundle in (Bundle.objects.get(pk=asked), Bundle.objects.get(source_id=asked)):
        assert bundle.state == "built", bundle.error
        with vault().open(bundle.sha256) as stream:
            out.append(folder / f"{bundle.name}.zip")
            out[-1].write_bytes(stream.read())
    return out[0], out[1]


def inside(path: Path, start: str) -> dict[str, str]:
    with ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.split("/", 1)[1].startswith(start)]
        return {n.split("/", 1)[1]: archive.read(n).decode() for n in names}


def point_of(path: Path) -> Any:
    return parse_checkpoint(split_note(inside(path, "log/checkpoint")["log/checkpoint"])[0])


def line(origin: str, size: int, root: bytes) -> str:
    return f"#counterfoil checkpoint {origin} {size} {b64encode(root).decode()}\n"


def everyone(path: Path, policy: str, alone: ModuleType, page: PageChecks) -> set[tuple[str, str | None]]:
    """Return the different answers that the three verifiers give."""
    ours = engine.verify(path, policy)
    (path.parent / "policy.txt").write_text(policy)
    word, failed, _ = alone.verify(str(path), str(path.parent / "policy.txt"))
    third = page(path, policy)
    return {(ours.word, ours.failed), (word, failed), (third["word"], third["failed"])}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the sequencer sign as if it were another day."""

    def put(at: datetime) -> None:
        monkeypatch.setattr(sequencing, "timezone", SimpleNamespace(now=lambda: at))

    return put


def test_all_three_verifiers_compare_a_later_bundle_with_what_a_court_kept(
    cast: Cast,
    tmp_path: Path,
    on: Any,
    standalone: ModuleType,  # noqa: F811
    page_checks: PageChecks,  # noqa: F811
) -> None:
    scene = scenes.disclosed(cast)
    now = timezone.now().astimezone(UTC)
    on((now.replace(day=1) - timedelta(days=3)).replace(hour=9))
    point = actions.sequence()
    assert point is not None
    month_end = actions.witness_checkpoint(point)
    on(timezone.now())
    first, _ = built(scene, tmp_path)
    second, _ = built(scene, tmp_path)
    known = {month_end.size: bytes(month_end.root), point_of(first).size: point_of(first).root}
    proofs = inside(second, "log/consistency-from-")
    assert set(proofs) == {f"log/consistency-from-{size}.txt" for size in known}
    assert all(len(b64decode(hash_)) == 32 for text in proofs.values() for hash_ in text.splitlines())
    origin, policy = point_of(second).origin, policy_text()
    for size, root in known.items():
        told = policy + line(origin, size, root)
        assert everyone(second, told, standalone, page_checks) == {("VERIFIED-UNWITNESSED", None)}
        rewritten = policy + line(origin, size, bytes(32))
        assert everyone(second, rewritten, standalone, page_checks) == {("INVALID", "checkpoint")}


def test_the_defence_is_not_told_how_often_a_bundle_was_built_for_others(cast: Cast, tmp_path: Path) -> None:
    scene = scenes.disclosed(cast)
    for _ in range(2):
        _, defence = built(scene, tmp_path)
    assert inside(defence, "log/consistency-from-") == {}


def test_what_is_kept_of_the_log_is_each_day_of_a_quarter_and_each_month_before(on: Any, home: Path) -> None:
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    told: dict[str, int] = {}
    for day in (0, 20, 45, 200, 200, 201):
        on(start + timedelta(days=day))
        told[str(day)] = actions.witness_checkpoint(grown(1)).size
    newest = newest_checkpoint()
    assert newest is not None
    newest.at = start + timedelta(days=202)
    assert anchored_sizes(newest) == [told["20"], told["45"], told["200"]]
