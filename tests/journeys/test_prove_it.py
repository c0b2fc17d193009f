"""prove-it: a journalist without scripts checks claims, takes fifty figures, and works them out again alone."""

import hashlib
import os
import random
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page
from tests import published

from counterfoil.accounts.rules import Viewer
from counterfoil.measures.actions import import_crimes, import_table

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COUNTERFOIL_DATA", ROOT.parent / "shared" / "data"))
FIGURES = 50
# Offered to everybody: Python's standard library and nothing of the product.
ALONE = ROOT / "docs" / "recompute.py"


@pytest.fixture
def files(home: Path, tmp_path: Path) -> Path:
    """Real files of two forces and of the courts, imported; skips loudly where they are not on this machine."""
    archives = sorted((DATA / "police_uk").glob("raw_csv_*.tar.xz"))
    courts = DATA / "crown_court"
    if not archives or not courts.is_dir():
        pytest.skip(f"PROVE-IT NOT TESTED: no police_uk/raw_csv_*.tar.xz and crown_court under {DATA}.")
    with tarfile.open(archives[0]) as archive:
        published.unpack(archive, tmp_path)
    # Two months of one force and every month of the small one are plenty for a walk.
    for path in tmp_path.rglob("*cleveland*.csv"):
        if path.name[:7] < "2022-01":
            path.unlink()
    import_crimes([tmp_path], by=Viewer.clock())
    import_table("courts", sorted(courts.glob("*.csv")), by=Viewer.clock())
    return tmp_path


def text(page: Page, selector: str) -> list[str]:
    """Return the texts of everything a selector finds."""
    return page.locator(selector).all_inner_texts()


def test_claims_are_judged_by_what_is_held_and_fifty_figures_are_the_same_worked_out_alone(
    files: Path, device: Callable[..., BrowserContext], live_server: object
) -> None:
    site = str(live_server.url)  # type: ignore[attr-defined]
    page = device(script=False, width=1366).new_page()
    page.goto(f"{site}/board/prove-it/")
    six = page.locator("section.cfb-claim")
    verdicts = text(page, "section.cfb-claim .cfb-verdict")
    assert six.count() >= 6
    assert set(verdicts) <= {"Reproduced", "Restated", "Not reproducible from the files held"}
    restated = page.locator("#c-crown-court-2023").locator("xpath=..")
    assert "67,113 for the same period" in restated.inner_text()
    assert restated.locator(".cfb-verdict").inner_text() == "Restated"
    # Down to file, row and byte: the words on the page are the bytes of the file.
    where, shown = restated.locator(".cfb-where").inner_text(), restated.locator(".cfb-raw").inner_text()
    name, at, digest = re.search(r"(\S+) · row [\d,]+ · byte ([\d,]+)\s+([0-9a-f]{64})", where).groups()  # type: ignore[union-attr]
    raw = (DATA / "crown_court" / name).read_bytes()
    assert hashlib.sha256(raw).hexdigest() == digest
    assert raw[int(at.replace(",", "")) :].decode().startswith(shown.strip())
    for one in range(six.count()):
        said = six.nth(one).inner_text()
        assert "What would settle it:" in said or "How do we know?" in said

    # Fifty figures, drawn from every number that the board's pages lead to.
    links: set[str] = set()
    for address in (
        "",
        "force/cleveland/",
        "force/city-of-london/",
        "force/cleveland/?type=burglary",
        "compare/",
    ):
        page.goto(f"{site}/board/{address}")
        links |= set(re.findall(r"/board/number/([^/\"]+)/", page.content()))
    drawn = random.Random(20261121).sample(sorted(links), 3 * FIGURES)
    figures: dict[str, str] = {}
    for address in drawn:
        page.goto(f"{site}/board/number/{address}/")
        value = page.locator(".cf-number__value").inner_text()
        if page.locator(".cf-number__missing").count():
            assert value in ("Not published", "Does not apply")  # a reason, and never 0
            continue
        assert "interval" in page.locator(".cf-number__interval").inner_text()
        figures[address] = value.rstrip("%").replace(",", "")
        if len(figures) == FIGURES:
            break
    assert len(figures) == FIGURES
    again = subprocess.run(
        [sys.executable, "-I", str(ALONE), str(files), *figures],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert dict(line.split()[:2] for line in again) == figures


def test_the_script_that_works_figures_out_alone_has_no_import_of_ours() -> None:
    said = ALONE.read_text(encoding="utf-8")
    assert not re.search(r"import\s+(counterfoil|tests|duckdb)|from\s+(counterfoil|tests|duckdb)", said)
    assert set(re.findall(r"^(?:import|from) (\w+)", said, re.MULTILINE)) <= set(sys.stdlib_module_names)
