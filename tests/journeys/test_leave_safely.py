"""J2: somebody in danger leaves mid-form. Back shows nothing, nothing is kept, and she can come back by code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Page
from tests.cast import Cast
from tests.journeys.conftest import Keys

from counterfoil.cases.models import CaseReport
from counterfoil.duties import actions as duties
from counterfoil.notices.models import Notice
from counterfoil.reports.models import Report

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
SECRET = "zebracrossing"
WEATHER = "https://www.bbc.co.uk/weather"


def by_the_button(page: Page, someone: Keys) -> None:
    someone.reach(page.locator(".cf-exit a"))
    with page.expect_navigation(url=WEATHER):
        page.keyboard.press("Enter")


def by_the_second_skip_link(page: Page, someone: Keys) -> None:
    someone.reach(page.locator("a.govuk-skip-link[data-exit]"))
    with page.expect_navigation(url=WEATHER):
        page.keyboard.press("Enter")


def by_shift_three_times(page: Page, someone: Keys) -> None:
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    assert page.locator("[data-exit-say]").inner_text()
    with page.expect_navigation(url=WEATHER):
        page.keyboard.press("Shift")


def by_a_tap(page: Page, someone: Keys) -> None:
    with page.expect_navigation(url=WEATHER):
        page.locator(".cf-exit a").click()


# Every way in one language, and the plainest of each kind in both.
WAYS = [
    pytest.param(True, by_the_button, "", id="script-button"),
    pytest.param(True, by_the_button, "/cy", id="script-button-welsh"),
    pytest.param(True, by_shift_three_times, "/cy", id="script-shift-welsh"),
    pytest.param(True, by_the_second_skip_link, "", id="script-skip-link"),
    pytest.param(False, by_the_button, "", id="no-script-button"),
    pytest.param(False, by_a_tap, "/cy", id="no-script-tap-welsh"),
]


@pytest.mark.parametrize(("script", "leave", "prefix"), WAYS)
def test_she_leaves_and_back_shows_nothing(
    site: str,
    device: Callable[..., BrowserContext],
    checker: Callable[[bool], Page | None],
    script: bool,
    leave: Callable[[Page, Keys], None],
    prefix: str,
) -> None:
    context = device(script=script)
    page = context.pages[0]
    someone = Keys(page, site, prefix, checker(script))
    # The page that explains leaving, and the one about staying safe, come before the first question.
    someone.start("online-harassment-or-hate")
    order = [address.removeprefix(site + prefix) for address in someone.seen]
    assert order[:4] == ["/", "/before", "/safe", "/fit"]
    someone.answer(SECRET).answer(SECRET).answer(SECRET)
    number = page.url
    someone.type("textarea, #answer", f"Not sent yet: {SECRET}")
    cookies = context.cookies(site)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    leave(page, someone)

    assert page.url == WEATHER
    assert len([url for url in asked if url.startswith(site)]) <= 1
    assert context.cookies(site) == []
    assert Session.objects.count() == 0
    for _ in range(4):
        page.go_back()
        shown = page.content()
        assert SECRET not in shown
        if page.url.startswith(f"{site}{prefix}/q/"):
            assert page.title() == ("Gwasanaeth ar-lein" if prefix else "Online service")
            assert "999" not in shown
    # The old cookie opens nothing.
    context.add_cookies([{"name": c["name"], "value": c["value"], "url": site} for c in cookies])
    page.goto(number)
    assert page.title() == ("Gwasanaeth ar-lein" if prefix else "Online service")
    if script:
        stored = page.evaluate(
            "async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length]"
        )
        assert stored == [0, 0, 0]
    assert someone.problems == []
    folder: Path = context.folder  # type: ignore[attr-defined]
    context.close()
    assert traces(folder, SECRET) == []


def traces(folder: Path, secret: str) -> list[str]:
    """Return the files of a browser profile in which the secret stands, in any usual encoding."""
    forms = [secret.encode(), secret.encode("utf-16-le"), secret.upper().encode()]
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if any(form in data for form in forms):
                found.append(str(path.relative_to(folder)))
    return found


@pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
def test_she_comes_back_by_code_and_nobody_writes_to_an_unsafe_contact(
    site: str,
    device: Callable[..., BrowserContext],
    checker: Callable[[bool], Page | None],
    people: Cast,
    prefix: str,
) -> None:
    look = checker(False)
    borrowed = device(script=False)
    someone = Keys(borrowed.pages[0], site, prefix, look).start("online-harassment-or-hate").answer(SECRET)
    someone.press('button[value="save"]')
    assert someone.page.locator(".cf-code").count() == 0
    someone.press('button[value="show"]')
    code = someone.page.locator(".cf-ticket .cf-code").inner_text()
    by_the_button(borrowed.pages[0], someone)
    problems = someone.problems
    borrowed.close()

    library = device(script=False, width=1366, height=768)
    someone = Keys(library.pages[0], site, prefix, look).open("/return").type("#code", code).go_on()
    someone.answer_until('[value="email"]')
    someone.tick('input[value="call"]').press('button[value="next"]')
    while not someone.page.url.endswith("/check"):
        if someone.page.locator('input[type="tel"]').count():
            someone.type("#answer", "07700 900123").press('button[value="next"]')
        elif someone.page.locator('input[value="no"]').count():
            someone.tick('input[value="no"]').press('button[value="next"]')
        else:
            someone.answer("pelican")
    someone.press('button[value="send"]')
    assert someone.page.locator(".cf-code").count() == 0
    report = Report.objects.get()
    assert report.device_safe is False
    assert "phone" in report.contact
    assert not {"email", "post"} & set(report.contact)
    assert report.reference not in someone.page.content()
    # Staff write an update. Nothing goes out by text or e-mail, which she did not choose.
    case = CaseReport.objects.get(report_id=report.pk).case_id
    duties.take_case(case, by=people.alice)
    duties.update_sender(case, "We have spoken to the company that runs the site.", by=people.alice)
    assert not Notice.objects.filter(channel__in=["text", "email", "post"]).exclude(state="held").exists()
    assert [*problems, *someone.problems] == []
