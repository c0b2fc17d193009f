"""A home folder for one story: vault, quarantine, log and keys of its own, and gone afterwards."""

import copy
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def a_home() -> Iterator[Path]:
    """Give the product a fresh home for as long as this lasts."""
    from django.conf import settings
    from django.test import override_settings

    folder = Path(tempfile.mkdtemp(prefix="home-", dir=os.environ["COUNTERFOIL_TEST_HOME"]))
    (folder / "incoming").mkdir()
    plugs = copy.deepcopy(settings.PLUGS)
    for plug in plugs.values():
        for one in [plug] if "BACKEND" in plug else plug.values():
            if "folder" in one["OPTIONS"]:
                one["OPTIONS"]["folder"] = str(folder / "keys" / Path(one["OPTIONS"]["folder"]).name)
    incoming = str(folder / "incoming")
    with override_settings(COUNTERFOIL_HOME=folder, FILE_UPLOAD_TEMP_DIR=incoming, PLUGS=plugs):
        yield folder
    shutil.rmtree(folder, ignore_errors=True)
