"""The one thing pyproject.toml cannot say: a wheel carries the pages' outside files and the face detector's weights."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))


class BuildWithPages(build_py):
    """Make the front-end files and fetch the weights before the package is copied into the wheel."""

    def run(self) -> None:
        if not self.editable_mode:  # tools/setup.py looks after a working copy
            import frontend
            import models

            try:
                frontend.build()
                models.build()
            except (frontend.CannotBuild, models.CannotBuild) as sorry:
                sys.exit(f"Counterfoil cannot be built: {sorry}")
            self.__dict__.pop("data_files", None)  # found again, now that the files are there
        super().run()


setup(cmdclass={"build_py": BuildWithPages})
