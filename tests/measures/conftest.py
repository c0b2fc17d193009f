"""The real files of two forces, where they are; tests that need them say loudly when they are not."""

import os
import tarfile
from pathlib import Path

import pytest
from tests import published

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def police_uk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the untouched CSVs of two forces; skip loudly when they are not on this machine."""
    data = Path(os.environ.get("COUNTERFOIL_DATA", ROOT.parent / "shared" / "data"))
    found = sorted((data / "police_uk").glob("raw_csv_*.tar.xz")) if data.is_dir() else []
    if not found:
        pytest.skip(
            f"NOT TESTED ON REAL DATA: no police_uk/raw_csv_*.tar.xz under {data} (set COUNTERFOIL_DATA)."
        )
    folder = tmp_path_factory.mktemp("police_uk")
    with tarfile.open(found[0]) as archive:
        published.unpack(archive, folder)
    return folder
