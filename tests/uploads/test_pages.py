"""The addresses where files arrive in pieces: whose they are, what they answer, and what becomes of a file."""

import base64
import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests import scenes
from tests.cast import Cast

from counterfoil.config import promises
from counterfoil.engines.tus import Stop, parse_creation, parse_patch
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import queries as exhibits
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import quarantine
from counterfoil.reports import actions, queries, receiving
from counterfoil.reports.models import Draft, Partial, Upload

pytestmark = pytest.mark.django_db
NAME = base64.b64encode("Drws cefn ŵ.mp4".encode()).decode()
OCTETS = "application/offset+octet-stream"


class Uploader:
    """A tus client of one session."""

    def __init__(self, client: Client, at: str = "/q/files/") -> None:
        self.client, self.at, self.token = client, at, ""

    def ask(self, verb: str, address: str = "", body: bytes = b"", kind: str = OCTETS, **headers: str) -> Any:
        said = {"Tus-Resumable": "1.0.0", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.generic(verb, address or self.at, body, content_type=kind, headers=said)

    def begin(self, length: int, **headers: str) -> Any:
        return self.ask(
            "POST", kind="", Upload_Length=str(length), Upload_Metadata=f"filename {NAME}", **headers
        )

    def patch(self, address: str, offset: int, body: bytes, **headers: str) -> Any:
        return self.ask("PATCH", address, body, Upload_Offset=str(offset), **headers)


def signed(data: bytes) -> str:
    return f"sha256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"


@pytest.fixture
def draft(cast: Cast) -> Draft:
    cast.queue()
    return scenes.draft(session="mine")


def session_of(key: str) -> Client:
    client = Client()
    session = client.session
    session["k"] = key
    session.save()
    return client


@pytest.fixture
def mine(draft: Draft) -> Uploader:
    return Uploader(session_of("mine"))


def test_a_file_in_pieces_is_in_quarantine_and_on_the_draft_when_its_last_byte_is_acknowledged(
    draft: Draft, mine: Uploader
) -> None:
    data = scenes.clip(1, 50_000)
    made = mine.begin(len(data))
    assert made.status_code == 201
    where = made["Location"]
    assert where.startswith("/q/files/")
    assert made["Upload-Offset"] == "0"
    assert made["Tus-Resumable"] == "1.0.0"
    assert "GMT" in made["Upload-Expires"]
    assert mine.patch(where, 0, data[:20_000])["Upload-Offset"] == "20000"
    head = mine.ask("HEAD", where)
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("20000", str(len(data)))
    assert head["Cache-Control"].startswith("no-store")
    assert head["Upload-Metadata"] == f"filename {NAME}"
    assert queries.files_of_draft(draft) == ()
    last = mine.patch(where, 20_000, data[20_000:], Upload_Checksum=signed(data[20_000:]))
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(data)))
    (card,) = queries.files_of_draft(draft)
    assert (card.name, card.sha256, card.size) == (
        "Drws cefn ŵ.mp4",
        hashlib.sha256(data).hexdigest(),
        len(data),
    )
    assert card.media_type == "video/mp4"
    assert str(card.id) in where
    assert quarantine().fsck([(card.sha256, card.size)]) == []
    assert receiving.store().names() == []
    assert not Partial.objects.exists()
    # A client that missed the last answer asks again and hears the same.
    again = mine.ask("HEAD", where)
    assert (again["Upload-Offset"], again["Upload-Length"]) == (str(len(data)), str(len(data)))
    accepted = actions.submit(draft)
    assert f"file 1 {card.sha256} {card.size}" in accepted.receipt
    assert queries.check_receipt(accepted.receipt).valid


def test_every_refusal_is_a_status_of_tus_and_a_sentence(mine: Uploader) -> None:
    where = mine.begin(10)["Location"]
    mine.patch(where, 0, b"01234")
    cases: list[tuple[int, Any]] = [
        (409, mine.patch(where, 4, b"x")),
        (460, mine.patch(where, 5, b"56789", Upload_Checksum=signed(b"other"))),
        (413, mine.patch(where, 5, b"5678901234")),
        (415, mine.ask("PATCH", where, b"x", kind="text/plain", Upload_Offset="5")),
        (400, mine.ask("PATCH", where, b"x", Upload_Offset="-5")),
        (400, mine.ask("PATCH", where, b"x", Upload_Offset="5" * 5000)),
        (400, mine.ask("PATCH", where, b"x")),
        (400, mine.patch(where, 5, b"56789", Upload_Checksum="md5 abc")),
        (412, mine.client.patch(where, b"x", content_type=OCTETS, headers={"Upload-Offset": "5"})),
        (400, mine.begin(0)),
        (400, mine.ask("POST", kind="", Upload_Length="ten")),
        (400, mine.ask("POST", kind="", Upload_Length="10", Upload_Metadata="filename ***")),
        (413, mine.begin(200 * 10**9)),
        (404, mine.ask("HEAD", "/q/files/00000000-0000-4000-8000-000000000000")),
        (404, mine.patch("/q/files/00000000-0000-4000-8000-000000000000", 0, b"x")),
        (405, mine.client.get(where)),
        (405, mine.client.put(where)),
        (400, mine.ask("POST", where, kind="", X_HTTP_Method_Override="TRACE")),
        (400, mine.ask("POST", kind="", Upload_Concat="final;/q/files/nothing")),
    ]
    for status, answer in cases:
        assert answer.status_code == status, answer.content
        assert answer["Tus-Resumable"] == "1.0.0"
        if answer.content:
            assert answer["Content-Type"].startswith("text/plain")
            assert answer.content.decode().strip().endswith(".")
    assert mine.ask("HEAD", where)["Upload-Offset"] == "5"
    assert (
        mine.ask("POST", where, b"56789", Upload_Offset="5", X_HTTP_Method_Override="PATCH").status_code
        == 204
    )


def test_it_says_what_it_can_do(mine: Uploader) -> None:
    said = mine.client.options("/q/files/")
    assert said.status_code == 204
    assert said["Tus-Version"] == "1.0.0"
    assert said["Tus-Max-Size"] == str(100 * 10**9)
    assert said["Tus-Checksum-Algorithm"] == "sha256"
    for extension in (
        "creation",
        "creation-with-upload",
        "checksum",
        "expiration",
        "termination",
        "concatenation",
    ):
        assert extension in said["Tus-Extension"].split(",")


def test_an_upload_of_one_session_is_absent_for_every_other(cast: Cast, draft: Draft, mine: Uploader) -> None:
    where = mine.begin(10)["Location"]
    scenes.draft(session="another")
    for other in (Uploader(session_of("another")), Uploader(Client())):
        nothing = other.ask("HEAD", "/q/files/00000000-0000-4000-8000-000000000000")
        for answer in (other.ask("HEAD", where), other.patch(where, 0, b"x"), other.ask("DELETE", where)):
            assert answer.status_code == 404
        assert dict(other.ask("HEAD", where).headers) == dict(nothing.headers)
    assert mine.ask("HEAD", where)["Upload-Offset"] == "0"


def test_a_change_without_the_sessions_token_is_refused(draft: Draft) -> None:
    client = Client(enforce_csrf_checks=True)
    session = client.session
    session.update({"k": "mine", "_csrftoken": "t" * 32})
    session.save()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    assert client.post("/q/files/", headers=headers).status_code == 403
    assert client.post("/q/files/", headers={**headers, "X-CSRFToken": "u" * 32}).status_code == 403
    assert not Partial.objects.exists()
    good = {**headers, "X-CSRFToken": "t" * 32}
    assert (
        client.post("/q/files/", headers={**good, "Origin": "https://elsewhere.example"}).status_code == 403
    )
    made = client.post("/q/files/", headers=good)
    assert made.status_code == 201
    for verb in ("PATCH", "DELETE"):
        assert client.generic(verb, made["Location"], headers={"Tus-Resumable": "1.0.0"}).status_code == 403


def test_bytes_may_come_with_the_creation(draft: Draft, mine: Uploader) -> None:
    made = mine.ask("POST", body=b"01234", Upload_Length="10", Upload_Checksum=signed(b"01234"))
    assert (made.status_code, made["Upload-Offset"]) == (201, "5")
    whole = mine.ask("POST", body=b"0123456789", Upload_Length="10")
    assert (whole.status_code, whole["Upload-Offset"]) == (201, "10")
    assert len(queries.files_of_draft(draft)) == 1
    wrong = mine.ask("POST", body=b"01234", Upload_Length="10", Upload_Checksum=signed(b"x"))
    assert wrong.status_code == 460


def test_a_length_may_come_later_and_counts_then(draft: Draft, mine: Uploader) -> None:
    where = mine.ask("POST", kind="", Upload_Defer_Length="1")["Location"]
    assert mine.ask("HEAD", where)["Upload-Defer-Length"] == "1"
    assert mine.patch(where, 0, b"01234")["Upload-Offset"] == "5"
    assert mine.patch(where, 5, b"5", Upload_Length=str(101 * 10**9)).status_code == 413
    assert mine.patch(where, 5, b"56789", Upload_Length="10").status_code == 204
    assert queries.files_of_draft(draft)[0].size == 10


def test_parts_are_joined_into_one_file_and_thrown_away(draft: Draft, mine: Uploader) -> None:
    parts = []
    for piece in (b"hello ", b"world"):
        made = mine.ask("POST", body=piece, Upload_Length=str(len(piece)), Upload_Concat="partial")
        assert made.status_code == 201
        assert mine.ask("HEAD", made["Location"])["Upload-Concat"] == "partial"
        parts.append(made["Location"])
    assert queries.files_of_draft(draft) == ()
    open_ = mine.ask("POST", kind="", Upload_Length="5", Upload_Concat="partial")["Location"]
    assert mine.ask("POST", kind="", Upload_Concat=f"final;{parts[0]} {open_}").status_code == 400
    done = mine.ask(
        "POST", kind="", Upload_Concat="final;" + " ".join(parts), Upload_Metadata=f"filename {NAME}"
    )
    assert (done.status_code, done["Upload-Offset"]) == (201, "11")
    (card,) = queries.files_of_draft(draft)
    assert card.sha256 == hashlib.sha256(b"hello world").hexdigest()
    assert mine.ask("HEAD", parts[0]).status_code == 404


def test_what_was_begun_can_be_thrown_away_and_what_was_sent_cannot(draft: Draft, mine: Uploader) -> None:
    where = mine.begin(10)["Location"]
    assert mine.ask("DELETE", where).status_code == 204
    assert mine.ask("HEAD", where).status_code == 404
    assert mine.ask("DELETE", where).status_code == 404
    assert receiving.store().names() == []
    done = mine.ask("POST", body=b"0123456789", Upload_Length="10")["Location"]
    assert mine.ask("DELETE", done).status_code == 204
    assert queries.files_of_draft(draft) == ()
    kept = mine.ask("POST", body=b"0123456789", Upload_Length="10")["Location"]
    begun = mine.begin(10)["Location"]
    actions.submit(draft)
    assert mine.ask("DELETE", kept).status_code == 403
    assert mine.patch(begun, 0, b"0").status_code == 403
    assert mine.begin(10).status_code == 403


def test_there_is_a_limit_of_files_of_bytes_and_of_room(
    draft: Draft, mine: Uploader, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DRAFT_LIMIT = 100
    assert mine.begin(60).status_code == 201
    assert mine.begin(60).status_code == 413
    monkeypatch.setattr(receiving, "FILES_LIMIT", 2)
    assert mine.begin(10).status_code == 201
    assert mine.begin(10).status_code == 403
    settings.DRAFT_LIMIT = 10**12
    monkeypatch.setattr(receiving, "FILES_LIMIT", 30)
    assert mine.begin(90 * 10**9).status_code in (201, 507)


def test_below_the_mark_of_free_space_files_are_refused_and_reports_are_taken(
    draft: Draft, mine: Uploader, settings: Any
) -> None:
    where = mine.begin(10)["Location"]
    settings.KEEP_FREE = 10**18
    for answer in (mine.begin(10), mine.patch(where, 0, b"01234")):
        assert answer.status_code == 507
        assert "Send your report without it" in answer.content.decode()
    with pytest.raises(Stop, match="no room"):
        actions.add_upload(draft, "1.jpg", io.BytesIO(scenes.photo(1)))
    for n in range(10):
        other = scenes.draft(session=f"text {n}")
        assert actions.submit(other).reference
    assert mine.client.get("/").status_code == 200


def test_an_upload_left_alone_expires_and_is_swept(draft: Draft, mine: Uploader, settings: Any) -> None:
    where = mine.begin(10)["Location"]
    mine.patch(where, 0, b"01234")
    now = timezone.now()
    receiving.sweep(now + settings.UPLOAD_LIFE - timedelta(minutes=1))
    assert mine.ask("HEAD", where).status_code == 200
    life, settings.UPLOAD_LIFE = settings.UPLOAD_LIFE, timedelta(0)
    gone = mine.ask("HEAD", where)
    assert gone.status_code == 410
    settings.UPLOAD_LIFE = life
    receiving.sweep(now + life + timedelta(minutes=1))
    assert mine.ask("HEAD", where).status_code == 404
    assert receiving.store().names() == []


def test_the_sweep_finishes_what_a_stopped_process_left(
    draft: Draft, mine: Uploader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stop_at in ("finish", "_make", "drop"):
        data = f"stopped at {stop_at}".encode()
        where = mine.begin(len(data))["Location"]
        with monkeypatch.context() as stopping:
            target = receiving.Partials if stop_at == "drop" else receiving

            def stop(*_: object, **__: object) -> None:
                raise KeyboardInterrupt

            stopping.setattr(target, stop_at, stop)
            with pytest.raises(KeyboardInterrupt):
                mine.patch(where, 0, data)
        # The sender asks how far it is, and hears that all of it is here.
        assert mine.ask("HEAD", where)["Upload-Offset"] == str(len(data))
        receiving.sweep(timezone.now())
        receiving.sweep(timezone.now())
        digest = hashlib.sha256(data).hexdigest()
        assert [f.sha256 for f in queries.files_of_draft(draft)].count(digest) == 1
        assert receiving.store().names() == []
        assert not Partial.objects.exists()


def test_a_report_that_was_sent_meanwhile_takes_no_late_file(draft: Draft, mine: Uploader) -> None:
    where = mine.begin(10)["Location"]
    mine.patch(where, 0, b"01234")
    accepted = actions.submit(draft)
    assert mine.patch(where, 5, b"56789").status_code == 403
    receiving.sweep(timezone.now())
    assert receiving.store().names() == []
    assert queries.report_card(accepted.report_id).files == ()


def test_what_the_disk_changed_is_never_listed(draft: Draft, mine: Uploader) -> None:
    where = mine.begin(10)["Location"]
    mine.patch(where, 0, b"01234")
    data = receiving.store().root / where.rpartition("/")[2].replace("-", "") / "data"
    data.write_bytes(b"01x34")
    answer = mine.patch(where, 5, b"56789")
    assert answer.status_code == 500
    assert "is not what you sent" in answer.content.decode()
    assert queries.files_of_draft(draft) == ()
    assert list(quarantine().all()) == []


def test_any_kind_of_file_is_taken(draft: Draft, mine: Uploader) -> None:
    assert mine.ask("POST", body=b"MZ programme", Upload_Length="12").status_code == 201
    assert queries.files_of_draft(draft)[0].name == "file"


def test_an_officer_adds_a_file_to_a_case_and_it_is_an_entry(cast: Cast) -> None:
    case = scenes.recorded(cast).case
    alice = cast.alice
    receives = receiving.Receiving(f"case:{case}", by=alice)
    data = scenes.clip(5, 30_000)
    made = receives.begin(
        parse_creation({"upload-length": str(len(data)), "upload-metadata": f"filename {NAME}"})
    )
    patch = parse_patch({"upload-offset": "0", "content-type": OCTETS})
    assert receives.append(made.id, patch, io.BytesIO(data), len(data))
    entry = Entry.objects.get(act="upload.received")
    assert (entry.by, entry.subject_id, str(entry.thread)) == (alice.id, str(made.id), str(case))
    assert entry.body["sha256"] == hashlib.sha256(data).hexdigest()
    assert made.id in [f.id for f in exhibits.quarantined(alice, case)]
    evidence.seal(case, made.id, "CCTV of the yard", by=alice)
    assert made.id not in [f.id for f in exhibits.quarantined(alice, case)]
    with pytest.raises(Stop):
        receives.drop(made.id)
    assert receiving.Receiving("case:other", by=alice).find(made.id) is None
    assert promises.broken() == []


def test_an_officers_file_without_an_entry_is_noticed(cast: Cast) -> None:
    case = scenes.recorded(cast).case
    receiving.add_file(f"case:{case}", "yard.mp4", io.BytesIO(scenes.clip(1, 900)), by=cast.alice)
    assert promises.broken() == []
    Upload.objects.filter(owner=f"case:{case}").update(sha256="0" * 64)
    assert any("officer" in s for s in promises.broken())
    Upload.objects.filter(owner=f"case:{case}").delete()
    assert any("officer" in s for s in promises.broken())
