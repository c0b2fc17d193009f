"""Catch us: a defence lawyer, a laptop without a network, one page, seven bundles of one case."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from tests.journeys.conftest import CHROMIUM, QUIET, RULES

from counterfoil.demo import catch_us as catch
from counterfoil.demo import doctor
from counterfoil.engines.bundle import page as verify_page
from counterfoil.engines.bundle import render, verify
from counterfoil.evidence.rederive import rederive_paper

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
FIVE_MINUTES = 300
PICTURES = os.environ.get("COUNTERFOIL_PICTURES")  # a folder, to look at what the page showed


def test_seven_bundles_seven_right_sentences_with_the_network_off(home: Path, tmp_path: Path) -> None:
    told = catch.tell(tmp_path)
    own = tmp_path / "verify.html"
    own.write_bytes(verify_page())
    asked: list[str] = []
    started = time.monotonic()
    with sync_playwright() as playwright:  # its loop must not run while bundles are sealed or judged
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        context.set_offline(True)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(f"error: {error}"))
        page.on("console", lambda message: asked.append(f"console: {message.text}"))
        page.goto(own.as_uri())
        for story in told.stories:
            catch_it(page, story, told)
        browser.close()
    assert time.monotonic() - started < FIVE_MINUTES
    assert asked == [own.as_uri()], "the page asked for something, or complained"
    for story in told.stories:
        verdict = verify(story.path, told.policy.read_text())
        assert (verdict.word, verdict.failed or "") == (story.word, story.failed), render(verdict)
    derivation_again_gives_the_same_hash(told)


def catch_it(page: Page, story: catch.Doctored, told: catch.Told) -> None:
    """Give the page one of the seven and hold what it says against what was done."""
    said = drop(page, story.path, told.policy)
    assert said["word"] == story.word, (story.name, said)
    for words in story.says:
        assert words.lower() in said["where"].lower(), (story.name, words, said["where"])
    if story.failed:
        assert f"The check that failed: {story.failed}." in said["where"], (story.name, said["where"])
    else:
        assert said["where"] == ""
        only_the_clean_one_shows(page, told)
    problems = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    assert not problems, [(p["id"], p["nodes"][0]["html"][:200]) for p in problems]
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"catch-us-{story.name}.png", full_page=True)


def drop(page: Page, bundle: Path, policy: Path) -> dict[str, str]:
    """Give the page a bundle and the policy, as by hand, and return what it says."""
    page.set_input_files("#bundle", str(bundle))
    page.set_input_files("#policy", str(policy))
    page.click("#go")
    page.wait_for_selector("#result:not([hidden]) #word", timeout=60_000)
    where = page.query_selector("#where")
    return {
        "word": page.inner_text("#word"),
        "sentence": page.inner_text("#sentence"),
        "where": where.inner_text() if where else "",
    }


def only_the_clean_one_shows(page: Page, told: catch.Told) -> None:
    """Look at what the page says beyond the verdict: what is not proved, what was not given, who watched."""
    whole = page.inner_text("#result")
    assert "What is not proved" in page.inner_text("#not-proved")
    assert "That what an exhibit shows is true" in page.inner_text("#not-proved")
    assert "What have I not been given?" in whole
    assert "items numbered 1 to" in whole
    assert f"Exhibit {told.clip} was made from {told.whole}, the whole of which is item" in whole
    assert "It is not in this bundle: ask for it." in whole
    assert "Who watched it?" in whole


def derivation_again_gives_the_same_hash(told: catch.Told) -> None:
    """Carry out the clip's recipe again from the paper in the bundle, on the whole recording."""
    row = next(x for x in doctor.listing(told.files)["exhibits"] if x["label"] == told.clip)
    paper = told.folder / "derivation.json"
    paper.write_bytes(told.files[row["derivation"]])
    found = list(rederive_paper(paper, told.master))
    assert found
    assert all(again.agrees for again in found), [again.sentence() for again in found]


def test_the_command_writes_the_seven_with_everything_to_check_them_by(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "counterfoil.cli", "demo", "--story", "catch-us", "--out", str(out)]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = (out / "READ-ME.txt").read_text()
    bundles = sorted(out.glob("*.zip"))
    assert [p.name.partition("-")[0] for p in bundles] == list("1234567")
    assert (out / "verify.html").read_bytes() == verify_page()
    for path in bundles:
        verdict = verify(path, (out / "policy.txt").read_text())
        assert f"{path.name}\n" in told
        assert f"It must say: {verdict.word}." in told.partition(path.name)[2].partition(".zip")[0]
    again = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2
    assert "is not empty. Give a new folder" in again.stderr + again.stdout
