"""What no file may carry: folders of one machine, registries, words we do not use, binding licences."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Written in pieces, so that this file does not carry them either.
HOSTS = [
    "pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "registry.yarn" + "pkg.com",
    "deb.deb" + "ian.org", "proxy.golang" + ".org", "--index" + "-url", "--extra-index" + "-url",
]  # fmt: skip
MACHINE = [
    r"/work" + r"/(main|shared|plan)",
    "/ro" + "ot/",
    "/opt/" + "pypi",
    r"/home/" + r"(?!\*|<|user)[a-z]+/",
]
NEVER_SAID = [r"\bauth" + r"entic\b", r"\bgen" + r"uine(ly)?\b", r"\btamper" + r"[- ]proof\b"]


def files() -> list[Path]:
    """Return every file of the repository that is or would be committed."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_files() -> list[tuple[Path, str]]:
    """Return the files that are text, with their text."""
    found = []
    for path in files():
        try:
            found.append((path.relative_to(ROOT), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def lines_with(pattern: str, texts: list[tuple[Path, str]]) -> list[str]:
    """Return every place where a pattern stands, as `file:line`."""
    sought = re.compile(pattern, re.IGNORECASE)
    return [
        f"{path}:{number}"
        for path, text in texts
        if sought.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if sought.search(line)
    ]


@pytest.fixture(scope="module")
def texts() -> list[tuple[Path, str]]:
    found = text_files()
    assert len(found) > 50
    return found


def test_no_file_names_a_package_registry(texts: list[tuple[Path, str]]) -> None:
    assert {host: found for host in HOSTS if (found := lines_with(re.escape(host), texts))} == {}


def test_no_file_names_a_folder_of_somebodys_machine(texts: list[tuple[Path, str]]) -> None:
    assert {place: found for place in MACHINE if (found := lines_with(place, texts))} == {}


def test_we_never_claim_more_than_integrity(texts: list[tuple[Path, str]]) -> None:
    assert {word: found for word in NEVER_SAID if (found := lines_with(word, texts))} == {}


def test_a_planted_line_would_be_found() -> None:
    planted = [
        (
            Path("x.md"),
            "fine\nsee https://" + "pypi" + ".org/simple and " + "/ro" + "ot/x\nIt is gen" + "uine.",
        )
    ]
    for pattern in (re.escape(HOSTS[0]), MACHINE[1], NEVER_SAID[1]):
        assert len(lines_with(pattern, planted)) == 1


def test_nothing_that_is_built_or_secret_is_committed() -> None:
    unwanted = re.compile(r"(\.mo|\.pyc|\.pem|\.key|\.sqlite3|\.woff2?|\.whl)$|/vendor/|node_modules/")
    assert [str(path) for path in files() if unwanted.search(str(path.relative_to(ROOT)))] == []


def test_every_requirement_is_locked_by_hash() -> None:
    for name in ("build", "node", "core", "dev"):
        lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if re.match(r"[a-z0-9]", line)]
        assert pinned
        assert all("==" in line for line in pinned)
        hashed = {lines[i] for i, line in enumerate(lines[1:]) if "--hash=sha256:" in line}
        assert set(pinned) <= hashed, f"requirements/{name}.txt: run `make lock`"


def locked_names(name: str) -> set[str]:
    """Return the distributions that a lock file lists."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==", text, flags=re.MULTILINE))


def licence_of(name: str) -> str:
    """Return everything that a distribution says about its licence."""
    about = metadata.metadata(name)
    first_line = (about.get("License") or "").strip().splitlines()[:1]
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    return " ; ".join([about.get("License-Expression") or "", *first_line, *classifiers])


def forbids_us(licence: str) -> bool:
    """Tell whether a licence text names GPL, AGPL, SSPL or BSL without an alternative that we may choose."""
    names = ["(?<![A-Z])A?GPL", "GNU General Public", "Affero", "Business Source", r"\bBUSL", "SSPL"]
    strong = re.compile("|".join([*names, "BSL-1.1", "Commons Clause"]), re.IGNORECASE)
    parts = re.split(r"\bOR\b| ; ", licence)
    return bool(licence) and any(strong.search(p) for p in parts) and " OR " not in licence


def test_what_ships_carries_no_licence_that_binds_those_who_use_it() -> None:
    names = locked_names("core")
    assert len(names) > 30
    licences = {}
    for name in sorted(names):
        try:
            licences[name] = licence_of(name)
        except metadata.PackageNotFoundError:  # for another platform
            continue
    assert len(licences) > 30
    assert {name: text for name, text in licences.items() if forbids_us(text)} == {}
    assert [name for name, text in licences.items() if not text.strip(" ;")] == []


def test_such_a_licence_would_be_found() -> None:
    assert forbids_us("GPL-3.0-or-later")
    assert forbids_us(licence_of("pymerkle"))  # a test oracle; it never ships
    assert not forbids_us("LGPL-3.0-only")
    assert not forbids_us("MIT OR GPL-2.0")
    assert "pymerkle" not in locked_names("core")


def test_the_wheel_asks_for_exactly_what_core_in_lists() -> None:
    wanted = (ROOT / "requirements" / "core.in").read_text(encoding="utf-8").split()
    assert wanted
    assert not [line for line in wanted if line.startswith("-")]
    assert 'dependencies = { file = ["requirements/core.in"] }' in (ROOT / "pyproject.toml").read_text(
        "utf-8"
    )
