"""From an officer's appeal to a shopkeeper's recording: one case, nothing told to the wrong person."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import Cast
from tests.desk.signing import signed_in
from tests.desk.test_acts import send
from tests.places.test_cameras import SAID
from tests.portal.walk import CLIP, Visitor, upload

from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.config import promises
from counterfoil.duties import actions as duties
from counterfoil.duties.models import Duty
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import queries as evidence_queries
from counterfoil.outcomes import actions as outcomes
from counterfoil.places import actions as places
from counterfoil.places.models import Camera
from counterfoil.reports import queries as reports
from counterfoil.reports.models import Appeal, Report
from counterfoil.reports.rules import clean_appeal, clean_position, clean_span

pytestmark = pytest.mark.django_db


def typed(**changed: str) -> dict[str, str]:
    """Return what an officer types to open an appeal about last night."""
    now = timezone.localtime()
    return {
        "place": "Sample Street, by the bus shelter",
        "position": "54.5742, -1.2343",
        "starts": (now - timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M"),
        "ends": (now - timedelta(hours=19)).strftime("%Y-%m-%dT%H:%M"),
        "wanted": "A dark van stopped by the bus shelter. We ask for recordings of the road.",
        "wanted_cy": "",
        "closes": (now + timedelta(days=14)).date().isoformat(),
        **changed,
    }


def opened(cast: Cast) -> tuple[scenes.Scene, Appeal]:
    """Return a case on which Alice has opened an appeal."""
    scene = scenes.exhibited(cast)
    appeal = cases.open_appeal(scene.case, typed(), by=cast.alice)
    return scene, Appeal.objects.get(pk=appeal)


def answer(appeal: Appeal, prefix: str = "") -> Visitor:
    """Return somebody who has answered an appeal with a recording and an e-mail address."""
    someone = Visitor(prefix).go(f"/a/{appeal.code}").press({})
    someone.press({"answer": ["recording"], "then": "next"})
    someone.press({"answer": "The doorbell of number 12", "then": "next"})
    someone.press({"answer": "fast", "then": "next"}).press(
        {"answer": "3 minutes 20 seconds", "then": "next"}
    )
    someone.press({"answer": "9", "then": "next"})
    someone.press({"then": "next", "files": [upload("door.mp4", CLIP)]})
    return someone.answer_all().send()


def test_the_public_page_says_what_is_wanted_and_nothing_of_the_case(cast: Cast) -> None:
    scene, appeal = opened(cast)
    page = Visitor().go(f"/a/{appeal.code.lower()}")
    assert "A dark van stopped by the bus shelter" in page.words
    card = case_queries.cards([scene.case])[scene.case]
    for secret in (
        str(scene.case),
        card.number,
        card.crime_number or "99/",
        "burglary",
        "Alice",
        str(appeal.pk),
    ):
        assert secret.casefold() not in page.html.casefold()


def test_an_answer_joins_the_case_with_a_duty_and_its_sender_hears_only_of_it(cast: Cast) -> None:
    scene, appeal = opened(cast)
    someone = answer(appeal)
    assert someone.at == "/sent"
    report = Report.objects.get(appeal=appeal)
    assert case_queries.case_of_report(report.pk) == scene.case
    assert report.answers["clock_by_how_much"] == "200"
    duty = Duty.objects.get(kind="look", state="live")
    assert duty.about == f"report:{report.pk}"
    waiting = evidence_queries.quarantined(cast.alice, scene.case)
    assert [f.name for f in waiting] == ["doorbell.mp4", "door.mp4"]
    evidence.seal(scene.case, waiting[1].id, "Doorbell of number 12", by=cast.alice)
    duties.update_sender(scene.case, "We have found your bicycle.", by=cast.alice)
    cases.name_suspect(scene.case, scenes.JONAH.name, "custody", "99/CT/01234/26", by=cast.alice)
    duties.looked_at_answer(scene.case, report.pk, by=cast.alice)
    assert [s.what for s in reports.progress_of(report.pk)] == ["received", "answered", "looked"]
    assert not Duty.objects.filter(kind="look", state="live").exists()
    with pytest.raises(NotAllowed, match="no such answer"):
        duties.looked_at_answer(scene.case, scene.report, by=cast.alice)


def test_a_missed_look_is_told_to_the_one_who_answered_and_to_nobody_else(cast: Cast) -> None:
    scene, appeal = opened(cast)
    answer(appeal)
    report = Report.objects.get(appeal=appeal)
    due = Duty.objects.get(kind="look").due_at
    Duty.objects.exclude(kind="look").update(due_at=due + timedelta(days=30))
    duties.sweep(due + timedelta(minutes=1))
    assert reports.progress_of(report.pk)[-1].what == "missed"
    assert "missed" not in [s.what for s in reports.progress_of(scene.report)]
    assert not [
        f for p in promises.PROMISES for f in p.broken(due + timedelta(minutes=1)) if "missed" in str(f)
    ]


def test_an_answer_to_a_case_that_was_closed_opens_its_own(cast: Cast) -> None:
    scene, appeal = opened(cast)
    outcomes.record_outcome(scene.case, "18", scenes.REASON, by=cast.alice)
    answer(appeal)
    other = case_queries.case_of_report(Report.objects.get(appeal=appeal).pk)
    assert other != scene.case
    assert Duty.objects.filter(case_id=other, state="live").exists()


def test_a_closed_appeal_reads_as_if_it_had_never_been(cast: Cast) -> None:
    scene, appeal = opened(cast)
    cases.end_appeal(scene.case, appeal.pk, by=cast.alice)
    gone = Visitor().go(f"/a/{appeal.code}").page
    never = Visitor().go("/a/000000000000").page
    assert (gone.status_code, gone.content) == (never.status_code, never.content)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", ""), ("position", "here"), ("position", "12.0, 99.0"), ("starts", "soon"),
        ("starts", "2099-01-01T00:00"), ("ends", "1999-01-01T00:00"), ("ends", "2020-01-01T00:00"),
        ("wanted", "Footage"), ("closes", "yesterday"), ("closes", "2020-01-01"), ("closes", "2099-01-01"),
        ("wanted", "\x00" * 30),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_appeal_is_said_at_its_field(field: str, value: str) -> None:
    with pytest.raises(BadInput) as wrong:
        clean_appeal(typed(**{field: value}), timezone.now())
    assert wrong.value.field in (field, "ends")


@pytest.mark.parametrize("text", ["", "54", "54.5742", "abc,def", "91,181", "NaN,NaN", "1e5,2", "١٢,٣"])
def test_a_position_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        clean_position(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3 minutes 20 seconds", 200), ("3:20", 200), ("1:02:03", 3723), ("20 s", 20), ("3 munud a 20 eiliad", 200),
     ("2 h", 7200)],
)  # fmt: skip
def test_a_length_of_time_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert clean_span(text) == str(seconds)


@pytest.mark.parametrize("text", ["", "soon", "20", "3:xx", "99999999999 s", "-3 s"])
def test_a_length_of_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        clean_span(text)


def camera(**changed: str) -> Camera:
    """Put a camera on the register and return it."""
    said = {**SAID, **changed}
    places.register_camera(said, key=said["owner"])
    return Camera.objects.get(owner=said["owner"])


def test_each_request_is_a_duty_due_before_the_recording_is_overwritten(cast: Cast) -> None:
    scene, appeal = opened(cast)
    shop, quick = camera(), camera(owner="Quick", keeps="2")
    ids = [str(shop.pk), str(quick.pk)]
    assert duties.ask_for_footage(scene.case, appeal.pk, ids, by=cast.alice) == 2
    assert duties.ask_for_footage(scene.case, appeal.pk, ids, by=cast.alice) == 0, (
        "asking again changes nothing"
    )
    for one in (shop, quick):
        duty = Duty.objects.get(kind="footage", about=f"camera:{one.pk}")
        assert duty.due_at < appeal.starts_at + timedelta(days=one.keeps_days)
    duties.settle_footage(
        scene.case, str(shop.pk), "had", "The manager gave a copy on a stick.", by=cast.alice
    )
    assert list(Duty.objects.filter(kind="footage", state="live").values_list("about", flat=True)) == [
        f"camera:{quick.pk}"
    ]
    with pytest.raises(NotAllowed, match="asked"):
        duties.settle_footage(
            scene.case, str(shop.pk), "had", "Once more, the same recording.", by=cast.alice
        )
    with pytest.raises(BadInput, match="Say whether"):
        duties.settle_footage(scene.case, str(quick.pk), "maybe", "I am not sure at all.", by=cast.alice)


def test_a_recording_that_is_lost_or_a_camera_far_away_cannot_be_asked_for(cast: Cast) -> None:
    scene, appeal = opened(cast)
    Appeal.objects.filter(pk=appeal.pk).update(
        starts_at=timezone.now() - timedelta(days=40), ends_at=timezone.now() - timedelta(days=39)
    )
    lost, far = camera(), camera(owner="Far", position="54.700000,-1.234900")
    with pytest.raises(BadInput, match="overwritten already"):
        duties.ask_for_footage(scene.case, appeal.pk, [str(lost.pk)], by=cast.alice)
    with pytest.raises(BadInput, match="no longer on the register"):
        duties.ask_for_footage(scene.case, appeal.pk, [str(far.pk)], by=cast.alice)
    with pytest.raises(BadInput, match="at least one"):
        duties.ask_for_footage(scene.case, appeal.pk, [], by=cast.alice)
    with pytest.raises(NotAllowed, match="no part"):
        duties.ask_for_footage(scene.case, appeal.pk, [str(lost.pk)], by=cast.dilys)


def test_the_desk_opens_an_appeal_asks_and_settles_by_forms_alone(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    shop, alice = camera(), signed_in(cast, "alice")
    case = f"/desk/cases/{scene.case}"
    wrong = send(alice, f"{case}/appeals/new", **typed(position="by the shop"))
    assert wrong.status_code == 400
    assert "by the shop" in wrong.content.decode(), "what was typed is kept"
    made = send(alice, f"{case}/appeals/new", **typed())["Location"]
    page = alice.get(made).content.decode()
    appeal = Appeal.objects.get()
    assert f"/a/{appeal.code}" in page
    assert "<svg" in page
    assert "Corner Shop" in page
    assert send(alice, made, then="ask", camera=[str(shop.pk)]).status_code == 303
    assert Duty.objects.filter(kind="footage", state="live").count() == 1
    assert "QR code of the link" in alice.get(f"{made}/poster").content.decode()
    settle = f"{case}/footage/{shop.pk}"
    assert settle in alice.get(case).content.decode()
    assert (
        send(alice, settle, how="none", reason="It looks at the till and not at the road.").status_code == 303
    )
    answer(appeal)
    report = Report.objects.get(appeal=appeal)
    assert "The doorbell of number 12" in alice.get(made).content.decode()
    assert alice.post(f"{case}/answers/{report.pk}/looked").status_code == 303
    assert send(alice, made, then="end").status_code == 303
    assert Visitor().go(f"/a/{appeal.code}").page.status_code == 404


def test_the_qr_code_holds_the_link(cast: Cast) -> None:
    import cv2
    import numpy
    import segno

    from counterfoil.faces.desk.views.appeals import link_of

    _, appeal = opened(cast)
    card = reports.appeals([appeal.pk])[0]
    rows = [
        [0 if dark else 255 for dark in row]
        for row in segno.make(link_of(card), error="m", micro=False).matrix_iter(scale=8, border=4)
    ]
    found, _points, _straight = cv2.QRCodeDetector().detectAndDecode(numpy.array(rows, dtype=numpy.uint8))
    assert found == link_of(card)


@pytest.mark.parametrize("prefix", ["", "/cy"])
def test_a_business_registers_a_camera_and_takes_it_off_again(cast: Cast, prefix: str) -> None:
    cast.staff_the_desk()
    someone = Visitor(prefix).go("/cameras").press({})
    said: dict[str, Any] = {
        "owner": "Corner Shop", "where": "1 Sample Street", "position": "54.5742, -1.2349", "direction": "90",
        "reach": "60", "keeps": "31", "clock": "slow", "clock_by_how_much": "0:40", "clock_who": "the manager",
        "contact_email": "shop@example.com", "contact_phone": "",
    }  # fmt: skip
    for value in said.values():
        someone.press({"answer": value, "then": "next"})
    assert someone.at == f"{prefix}/check"
    someone.press({"then": "send"})
    assert someone.at == f"{prefix}/cameras/done", someone.words
    camera = Camera.objects.get()
    assert (camera.direction, camera.keeps_days, camera.clock_offset) == (90, 31, -40)
    assert not Report.objects.exists()
    code = someone.codes[0]
    someone.go("/cameras/withdraw").press({"code": "00000-00000-00000-00000-0"})
    someone.press({"code": code})
    assert "Corner Shop" in someone.words
    someone.press({"code": code, "then": "withdraw"})
    camera.refresh_from_db()
    assert camera.withdrawn_at
    assert camera.owner == "withdrawn"
