"""The bench: a prosecutor reads and releases, the defence opens with a code, and a bare link opens nothing."""

import hashlib
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from tests import scenes
from tests.cast import LENA, Cast
from tests.desk.signing import signed_in

from counterfoil.accounts.models import Pass
from counterfoil.courts import queries as courts
from counterfoil.courts.models import Release
from counterfoil.engines.bundle.words import NOT_PROVED, PROVED, SENTENCES
from counterfoil.faces.bench.words import sentences, verdicts
from counterfoil.faces.kit.language import speaking
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db
FIELDS = {
    "recipient": LENA.name,
    "firm": "Marsh and Hythe",
    "purpose": "Initial details for the first hearing",
}


def acts(case: Any) -> list[str]:
    return list(Entry.objects.filter(thread=case).order_by("at").values_list("act", flat=True))


def released(client: Client, bundle: Any) -> tuple[str, str]:
    """Release a bundle through the page and return the link's path and the code, as they are shown once."""
    page = client.post(f"/bench/bundles/{bundle}/release", FIELDS)
    text = page.content.decode()
    assert page.status_code == 200, text
    link = re.search(r'id="link">http://testserver([^<]+)<', text)
    code = re.search(r'id="code">([^<]+)<', text)
    assert link
    assert code
    return link[1], code[1]


def test_a_prosecutor_finds_what_was_sent_and_reads_what_was_proved_and_what_was_not(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    bundle = courts.bundles_for_prosecutor(cast.petra)[0]
    assert bundle.urn in petra.get("/bench/").content.decode()
    page = petra.get(f"/bench/bundles/{scene.bundle}").content.decode()
    for seen in (
        bundle.verdict,
        bundle.sha256,
        "must not be used as evidence",
        "not altered after it was sealed",
    ):
        assert seen in page, seen
    for sentence in bundle.not_proved:
        assert sentence.replace("'", "&#39;") in page, sentence


def test_a_prosecutor_to_whom_nothing_was_sent_finds_nothing_and_no_difference(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    piers = signed_in(cast, "piers")
    assert "No bundle has been sent to you yet" in piers.get("/bench/").content.decode()
    for path in ("", "/file", "/release"):
        theirs, absent = (piers.get(f"/bench/bundles/{i}{path}") for i in (scene.bundle, uuid4()))
        assert (theirs.status_code, theirs.content) == (absent.status_code, absent.content)
        assert theirs.status_code == 404
    answer = piers.post(f"/bench/bundles/{scene.bundle}/release", FIELDS)
    assert answer.status_code == 404
    assert not Release.objects.filter(kind="defence").exists()


def test_officers_and_strangers_do_not_reach_the_bench(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    alice = signed_in(cast, "alice")
    assert alice.get("/bench/").status_code == 403
    assert alice.post(f"/bench/bundles/{scene.bundle}/release", FIELDS).status_code == 403
    assert Client().get(f"/bench/bundles/{scene.bundle}")["Location"].startswith("/staff/sign-in?next=")
    assert signed_in(cast, "petra").get(f"/desk/cases/{scene.case}").status_code == 403


def test_a_download_is_the_very_bundle_and_its_entry_comes_first(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    answer = petra.get(f"/bench/bundles/{scene.bundle}/file")
    assert acts(scene.case).count("bundle.downloaded") == 1
    assert (
        hashlib.sha256(answer.getvalue()).hexdigest() == courts.bundles_for_prosecutor(cast.petra)[0].sha256
    )
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert petra.head(f"/bench/bundles/{scene.bundle}/file").status_code == 405
    assert acts(scene.case).count("bundle.downloaded") == 1


def test_a_release_says_what_is_missing_and_keeps_what_was_typed(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    answer = petra.post(
        f"/bench/bundles/{scene.bundle}/release", {**FIELDS, "recipient": "", "firm": "A & <B>"}
    )
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "Give the name of the person the bundle is for." in text
    assert 'value="A &amp; &lt;B&gt;"' in text
    assert 'href="#recipient"' in text


def test_a_bare_link_opens_nothing_and_looks_like_one_that_never_was(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    link, _ = released(signed_in(cast, "petra"), scene.bundle)
    stranger = Client()
    good, unknown = stranger.get(link), stranger.get("/bench/open/" + "x" * 32)

    def bare(answer: Any, path: str) -> bytes:
        return re.sub(rb'value="[A-Za-z0-9]{64}"', b"", answer.content.replace(path.encode(), b"PATH"))

    assert (good.status_code, unknown.status_code) == (200, 200)
    assert bare(good, link) == bare(unknown, "/bench/open/" + "x" * 32)
    for answer in (good, unknown):
        assert "99CF" not in answer.content.decode(), "no word of the case"
    wrong = [
        stranger.post(p, {"code": "00000-00000-00000-00000-0"}) for p in (link, "/bench/open/" + "x" * 32)
    ]
    assert wrong[0].status_code == wrong[1].status_code == 400
    assert bare(wrong[0], link) == bare(wrong[1], "/bench/open/" + "x" * 32)
    assert stranger.get("/bench/opened").status_code == 404
    assert stranger.get("/bench/opened/file").status_code == 404
    assert "release.opened" not in acts(scene.case)


def test_the_defence_opens_a_release_once_with_its_code_and_takes_the_bundle(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    link, code = released(petra, scene.bundle)
    assert acts(scene.case).count("bundle.released") == 1
    assert code not in petra.get(f"/bench/bundles/{scene.bundle}").content.decode(), "shown once"
    lena = Client()
    assert lena.post(link, {"code": code.lower().replace("-", " ")})["Location"] == "/bench/opened"
    assert acts(scene.case).count("release.opened") == 1
    page = lena.get("/bench/opened").content.decode()
    assert scene.bundle
    bundle = courts.defence_bundle(cast.petra, scene.bundle)
    assert bundle
    for seen in (LENA.name, bundle.verdict, bundle.sha256, "--policy policy.txt"):
        assert seen in page, seen
    taken = lena.get("/bench/opened/file")
    assert hashlib.sha256(taken.getvalue()).hexdigest() == bundle.sha256
    assert acts(scene.case).count("bundle.downloaded") == 1
    other = Client()
    assert other.post(link, {"code": code}).status_code == 400, "a code works once"
    assert other.get("/bench/opened").status_code == 404
    seen = petra.get(f"/bench/bundles/{scene.bundle}").content.decode()
    assert LENA.name in seen
    assert "not yet" not in seen


def test_the_prosecutor_reads_both_schedules_marks_a_line_and_makes_the_defences_bundle_again(
    cast: Cast,
) -> None:
    from counterfoil.courts.actions import build_bundle

    scene = scenes.bundled(cast)
    assert scene.bundle
    petra = signed_in(cast, "petra")
    page = petra.get(f"/bench/bundles/{scene.bundle}/schedules").content.decode()
    assert "MG6C" in page
    assert "MG6D" in page
    assert "Endorsed nil" in page
    address = f"/bench/bundles/{scene.bundle}/schedules/MG6C/1"
    empty = petra.post(address, {"comment": "A & <B>"})
    assert empty.status_code == 400
    assert "Choose one of the marks." in empty.content.decode()
    assert 'value="A &amp; &lt;B&gt;"' in empty.content.decode()
    assert petra.post(address, {"decision": "D", "comment": "It may help him."}).status_code == 303
    assert "It may help him." in petra.get(f"/bench/bundles/{scene.bundle}/schedules").content.decode()
    refused = petra.post(f"/bench/bundles/{scene.bundle}/release", FIELDS)
    assert refused.status_code == 400
    assert "Make it again first" in refused.content.decode()
    assert petra.post(f"/bench/bundles/{scene.bundle}/defence").status_code == 303
    assert "It is being made" in petra.get(f"/bench/bundles/{scene.bundle}/schedules").content.decode()
    beside = courts.defence_bundle(cast.petra, scene.bundle)
    assert beside
    build_bundle(beside.id)
    released(petra, scene.bundle)
    for path in ("MG6C/2", "MG6D/1", "MG12/1"):
        assert petra.get(f"/bench/bundles/{scene.bundle}/schedules/{path}").status_code == 404
    assert signed_in(cast, "piers").get(address).status_code == 404


def test_five_wrong_codes_end_a_link_even_for_the_right_one(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    link, code = released(signed_in(cast, "petra"), scene.bundle)
    stranger = Client()
    for _ in range(5):
        assert stranger.post(link, {"code": "00000-00000-00000-00000-0"}).status_code == 400
    assert stranger.post(link, {"code": code}).status_code == 400


def test_an_opened_release_closes_when_its_time_is_over_or_the_prosecutor_ends_it(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    link, code = released(petra, scene.bundle)
    lena = Client()
    lena.post(link, {"code": code})
    release = Release.objects.get(kind="defence")
    Pass.objects.filter(pk=release.access_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert lena.get("/bench/opened").status_code == 404
    Pass.objects.filter(pk=release.access_id).update(expires_at=timezone.now() + timedelta(days=1))
    assert lena.get("/bench/opened").status_code == 200
    ended = petra.post(f"/bench/bundles/{scene.bundle}/releases/{release.pk}/end")
    assert ended.status_code == 303
    assert lena.get("/bench/opened").status_code == 404
    assert lena.get("/bench/opened/file").status_code == 404
    session = lena.session
    session["opened_pass"] = {"pass": str(release.access_id), "at": 0}
    session.save()
    assert lena.get("/bench/opened").status_code == 404


def test_the_pages_speak_welsh_and_keep_to_it(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    for path in (
        "/cy/bench/",
        f"/cy/bench/bundles/{scene.bundle}",
        f"/cy/bench/bundles/{scene.bundle}/release",
    ):
        answer = petra.get(path)
        text = answer.content.decode()
        assert answer["Content-Language"] == "cy"
        assert '<html lang="cy"' in text
        assert 'href="/cy/bench/' in text
    for english in ("What was proved", "Released to the defence", "Download the bundle", "Check it yourself"):
        assert english not in petra.get(f"/cy/bench/bundles/{scene.bundle}").content.decode(), english


def test_what_the_verifier_says_is_what_the_pages_say() -> None:
    with speaking("en"):
        assert verdicts() == SENTENCES
        assert list(sentences().items()) == [(s, s) for s in (*PROVED, *NOT_PROVED)]
    with speaking("cy"):
        assert all(welsh != english for english, welsh in sentences().items())


def test_a_bundle_is_asked_for_watched_built_and_sent_from_the_desk(cast: Cast) -> None:
    from counterfoil.courts.actions import build_bundle

    scene = scenes.disclosed(cast)
    alice = signed_in(cast, "alice")
    case = f"/desk/cases/{scene.case}"
    asked = alice.post(f"{case}/bundles/new", {"token": "t"})
    assert asked.status_code == 303
    page = asked["Location"].split("?")[0]
    building = alice.get(asked["Location"]).content.decode()
    assert '<meta http-equiv="refresh"' in building
    assert "You may leave this page" in building
    again = alice.post(f"{case}/bundles/new", {"token": "u"})
    assert again["Location"] == asked["Location"], "one is built at a time"
    bundle = next(b for b in courts.bundles_of(cast.alice, scene.case) if b.audience == "prosecutor")
    build_bundle(bundle.id)
    built = alice.get(page).content.decode()
    assert '<meta http-equiv="refresh"' not in built
    assert "VERIFIED-UNWITNESSED" in built
    assert alice.post(page, {"prosecutor": ""}).status_code == 400
    assert alice.post(page, {"prosecutor": cast.id("bruno")}).status_code == 400
    assert alice.post(page, {"prosecutor": cast.id("petra")}).status_code == 303
    assert "Petra Quill" in alice.get(page).content.decode()
    assert [b.id for b in courts.bundles_for_prosecutor(cast.petra)] == [bundle.id]
    taken = alice.get(f"{page}/file")
    kept = next(b for b in courts.bundles_of(cast.alice, scene.case) if b.id == bundle.id)
    assert hashlib.sha256(taken.getvalue()).hexdigest() == kept.sha256


def test_the_list_of_bundles_asks_the_database_no_more_often_when_it_is_longer(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    from counterfoil.courts.models import Bundle

    scene = scenes.bundled(cast)
    petra = signed_in(cast, "petra")
    with django_assert_max_num_queries(30) as few:
        petra.get("/bench/")
    row = Bundle.objects.get(audience="prosecutor")
    for n in range(2, 12):
        row.pk, row.number = uuid4(), n
        row.save(force_insert=True)
        Release.objects.create(
            bundle_id=row.pk, kind="prosecutor", prosecutor_id=cast.id("petra"), recipient="Petra Quill",
            made_at=timezone.now(), made_by_id=cast.id("alice"),
        )  # fmt: skip
    with django_assert_max_num_queries(30) as many:
        assert petra.get("/bench/").content.decode().count(scene.bundle and row.urn) >= 10
    assert len(many) == len(few)
