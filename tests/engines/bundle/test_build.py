"""What the builder makes, what it refuses to make, and what others' tools say of it."""

import asyncio
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc3161_client
from cryptography import x509
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from tests.engines.bundle import facts as maker
from tests.engines.bundle import forgery

from counterfoil.engines.bundle import (
    KeyPeriod,
    build,
    finish,
    key_history,
    payload,
    render,
    verify,
)
from counterfoil.engines.bundle.report import make_report, shown
from counterfoil.engines.errors import BadInput, Corrupt

HOSTILE = (
    '#import "/etc/passwd"\n#read("/etc/passwd") #sys.inputs *bold* _x_ $x^2$ `raw` <label> @check \\u{41}\n'
    "= Not a heading\n- not a list\n// not a comment /* nor this */ ~ -- --- ... http://example.com"
)


def paths_of(world_facts: Any) -> dict[str, str]:
    return {x.label: f"data/exhibits/{build.folder_of(x.label)}/master/x.bin" for x in world_facts.exhibits}


def report_of(keys: maker.Keys, **changes: Any) -> bytes:
    """Return an unsealed report of the invented case, changed."""
    facts = maker.make_facts(keys, **changes)
    return make_report(facts, b'{"exhibits":[]}', paths_of(facts))


def text_of(pdf: bytes, tmp_path: Path) -> str:
    """Return the words of a PDF in reading order, as poppler finds them."""
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def test_the_same_facts_give_the_same_report_in_another_process(world: forgery.World, tmp_path: Path) -> None:
    one = report_of(world.keys, key_history="")
    code = (
        "import sys, pickle; from tests.engines.bundle import test_build as t; from pathlib import Path;"
        "sys.stdout.buffer.write(t.report_of(None, key_history=''))"
    )
    stub = (
        "import tests.engines.bundle.facts as m; m.key_history = lambda *a: ''; m.KeyPeriod = lambda *a: a;"
    )
    stub += "import types; K = types.SimpleNamespace(vkey=''); k = types.SimpleNamespace(log=K, manifest=K);"
    code = stub + code.replace("report_of(None", "report_of(k")
    env = {**os.environ, "PYTHONPATH": ".:src", "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"}
    two = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=env, cwd=Path(__file__).parents[3]
    ).stdout
    assert hashlib.sha256(one).hexdigest() == hashlib.sha256(two).hexdigest()


def test_the_same_facts_and_log_give_the_same_archive(world: forgery.World, tmp_path: Path) -> None:
    made = payload(maker.make_facts(world.keys), world.keys.sealing)
    log = maker.make_log(world.keys, made)
    one = finish(made, log, world.keys.manifest, tmp_path / "one.zip")
    two = finish(made, log, world.keys.manifest, tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()


def test_it_never_replaces_a_bundle_that_is_there(world: forgery.World, tmp_path: Path) -> None:
    made = payload(maker.make_facts(world.keys), world.keys.sealing)
    log = maker.make_log(world.keys, made)
    out = finish(made, log, world.keys.manifest, tmp_path / "one.zip")
    before = out.read_bytes()
    with pytest.raises(FileExistsError):
        finish(made, log, world.keys.manifest, out)
    assert out.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["one.zip"]


def test_what_people_wrote_is_never_taken_for_markup(world: forgery.World, tmp_path: Path) -> None:
    facts = maker.make_facts(world.keys)
    statement = replace(facts.statements[0], text=HOSTILE, witness="#panic() *X*")
    exhibit = replace(facts.exhibits[0], title='Clip #sys.version "]) #{', original_name="../../#include.mp4")
    charge = replace(facts.charges[0], wording="On 1 May stole @check #(1+1) \\ $")
    pdf = report_of(
        world.keys,
        statements=[statement],
        exhibits=[exhibit],
        charges=[charge],
        summary=["#eval(`1`)"],
        titles={},
    )
    said = " ".join(text_of(pdf, tmp_path).split())
    for words in (
        '#import "/etc/passwd"',
        "*bold* _x_ $x^2$",
        "= Not a heading",
        "#panic() *X*",
        "#eval(`1`)",
        "#(1+1)",
    ):
        assert words in said, words
    assert "root:" not in said


@pytest.mark.parametrize(
    "text",
    [
        "日本語 🙂 हिन्दी ਪੰਜਾਬੀ",
        "عربي עברית mixed with English",
        "\u202eevil reordering\u202c \u200bzero\u2060 width",
        "control \x00\x07\x1b[31m characters \x7f",
        "private \ue000 use, tag \U000e0041, half \ufffe",
        "e\u0301 combining, \u0301alone, ŵ ŷ â Ŵ, naïve £5 – “quoted”",
        "",
        "x" * 4000,
        "\n\n\n",
    ],
)
def test_any_text_makes_a_report(world: forgery.World, tmp_path: Path, text: str) -> None:
    facts = maker.make_facts(world.keys)
    statement = replace(facts.statements[0], text=text, witness=text[:40].replace("\n", " ") or "A")
    exhibit = replace(facts.exhibits[0], title=text[:60], original_name=text[:60])
    pdf = report_of(world.keys, statements=[statement], exhibits=[exhibit], summary=[text])
    assert pdf.startswith(b"%PDF-")


def test_characters_that_hide_or_reorder_are_spelt_out() -> None:
    assert shown("a\u202eb") == "a[U+202E]b"
    assert shown("日") == "[U+65E5]"
    assert shown("Siân Ŵyn £5\r\nnext") == "Siân Ŵyn £5\nnext"


def test_page_numbers_bookmarks_and_links_all_lead_to_the_right_page(
    world: forgery.World, tmp_path: Path
) -> None:
    many = [
        replace(
            maker.exhibit(
                f"MO/{n}", f"Photograph number {n}", bytes([n]) * 500, "image/jpeg", f"{n}.jpg", 100 + 20 * n
            )
        )
        for n in range(1, 41)
    ]
    statements = [
        replace(maker.make_facts(world.keys).statements[0], witness=f"Witness {n}") for n in range(1, 6)
    ]
    pdf = report_of(world.keys, exhibits=many, statements=statements)
    reader = PdfFileReader(io.BytesIO(pdf))
    count = int(reader.root["/Pages"]["/Count"])
    pages = text_of(pdf, tmp_path).split("\f")[:count]
    assert count > 10
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {count}" in page
    index = "\n".join(pages[1:3])
    for n in range(1, 41):
        line = next(row for row in index.splitlines() if f"Exhibit MO/{n}: " in row)
        at = int(line.split()[-1].strip("\u2060"))
        assert f"Exhibit MO/{n}: Photograph number {n}" in pages[at - 1], line
    outline = [str(item["/Title"]) for item in bookmarks(reader.root["/Outlines"])]
    assert len([t for t in outline if t.startswith("5.")]) == 40
    assert any("Custody timeline" in t for t in outline)


def bookmarks(node: Any) -> list[Any]:
    """Return every bookmark below a node."""
    found: list[Any] = []
    child = node["/First"] if "/First" in node else None  # noqa: SIM401  (get() does not follow references)
    while child is not None:
        found += [child, *bookmarks(child)]
        child = child["/Next"] if "/Next" in child else None  # noqa: SIM401
    return found


def test_page_one_says_what_is_proved_and_that_keys_are_for_demonstration(
    world: forgery.World, tmp_path: Path
) -> None:
    page = text_of(report_of(world.keys), tmp_path).split("\f")[0]
    assert "What is proved" in page
    assert "What is not proved" in page
    assert "DEMONSTRATION KEYS" in page
    real = text_of(report_of(world.keys, development=False), tmp_path)
    assert "DEMONSTRATION KEYS" not in real


def test_the_sealed_report_keeps_its_conformance_marks_and_names_its_field(world: forgery.World) -> None:
    pdf = world.files["data/report.pdf"]
    reader = PdfFileReader(io.BytesIO(pdf))
    metadata = reader.root["/Metadata"].data
    assert b"pdfaid" in metadata
    assert b"pdfuaid" in metadata
    field = reader.embedded_regular_signatures[0].sig_field
    assert str(field["/TU"]).startswith("Seal over the whole report")


def test_every_exhibit_entry_shows_digest_size_duration_and_reference(
    world: forgery.World, tmp_path: Path
) -> None:
    said = text_of(world.files["data/report.pdf"], tmp_path)
    for x in maker.make_facts(world.keys).exhibits:
        assert x.sha256 in said
        assert f"Exhibit {x.label}" in said
        assert f"{x.size:,} bytes" in said
    assert "20 min 00.4 s" in said


def test_original_names_stay_in_the_data_and_paths_follow_the_content(world: forgery.World) -> None:
    listing = json.loads(world.files["data/exhibits.json"])
    assert [x["original_name"] for x in listing["exhibits"]] == [
        "Kamera 3 – door (copy).MP4",
        "IMG_2041.jpeg",
        "clip.mp4",
        "x.jpg",
    ]
    assert [(x["path"] or "").rpartition(".")[2] for x in listing["exhibits"]] == ["mp4", "jpg", "mp4", ""]
    assert not any("Kamera" in p for p in world.files)


# ---- what it refuses


def test_it_refuses_an_exhibit_whose_bytes_are_not_those_recorded(world: forgery.World) -> None:
    facts = maker.make_facts(world.keys)
    x = facts.exhibits[0]
    with pytest.raises(Corrupt, match="not those that were recorded"):
        payload(
            replace(facts, exhibits=[replace(x, open=lambda: io.BytesIO(maker.MP4[:-1] + b"!"))]),
            world.keys.sealing,
        )


def test_it_refuses_bytes_that_change_between_reading_and_writing(
    world: forgery.World, tmp_path: Path
) -> None:
    facts = maker.make_facts(world.keys)
    x = facts.exhibits[0]
    reads = itertools.count()

    def open_once() -> io.BytesIO:
        return io.BytesIO(maker.MP4 if next(reads) == 0 else maker.MP4[:-1] + b"!")

    made = payload(
        replace(facts, exhibits=[replace(x, open=open_once), facts.exhibits[1]]), world.keys.sealing
    )
    with pytest.raises(Corrupt, match="not those that were recorded"):
        finish(made, maker.make_log(world.keys, made), world.keys.manifest, tmp_path / "b.zip")
    assert list(tmp_path.iterdir()) == []


def test_it_refuses_an_exhibit_that_no_event_proves(world: forgery.World) -> None:
    facts = maker.make_facts(world.keys)
    x = facts.exhibits[0]
    with pytest.raises(BadInput, match="nothing proves it"):
        payload(replace(facts, exhibits=[replace(x, events=x.events[1:])]), world.keys.sealing)


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b", "Fall-ü", ".x"])
def test_it_refuses_a_name_that_no_archive_should_hold(world: forgery.World, name: str) -> None:
    with pytest.raises(BadInput):
        payload(maker.make_facts(world.keys, name=name), world.keys.sealing)


def test_it_refuses_two_exhibits_with_one_reference(world: forgery.World) -> None:
    facts = maker.make_facts(world.keys)
    with pytest.raises(BadInput, match="same reference"):
        payload(replace(facts, exhibits=[facts.exhibits[0], facts.exhibits[0]]), world.keys.sealing)


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (maker.Forge(sealed_body={"payload_sha256": "0" * 64}), "another payload"),
        (maker.Forge(proofs=lambda proofs: proofs[5].pop() and None), "not proved to be in the log"),
        (maker.Forge(sealed_body={"at": "2099-01-01T00:00:00.000000Z"}), "clock runs ahead"),
        (
            maker.Forge(
                log=lambda log: replace(log, tsrs=[replace(log.tsrs[0], tsr=log.tsrs[0].tsr + b"\0")])
            ),
            "after its end",
        ),
        (
            maker.Forge(
                log=lambda log: replace(log, tsrs=[replace(log.tsrs[0], tsr=log.tsrs[1].renewals[0])])
            ),
            "other bytes",
        ),
    ],
)
def test_it_refuses_to_finish_what_no_verifier_would_accept(
    world: forgery.World, tmp_path: Path, forge: maker.Forge, words: str
) -> None:
    made = payload(maker.make_facts(world.keys), world.keys.sealing)
    log = maker.make_log(world.keys, made, forge)
    with pytest.raises(Corrupt, match=words):
        finish(made, log, world.keys.manifest, tmp_path / "b.zip")
    assert list(tmp_path.iterdir()) == []


# ---- time passes


def test_an_old_bundle_still_verifies_after_every_key_was_changed(
    world: forgery.World, tmp_path: Path
) -> None:
    fresh = maker.make_keys(tmp_path / "fresh", who="counterfoil.example/DEVELOPMENT-second-")
    policy = (
        f"log {fresh.log.vkey}\nlog {world.keys.log.vkey}\n"
        f"witness old {world.keys.witness.vkey}\nwitness new {fresh.witness.vkey}\ngroup any any old new\nquorum any\n"
        f"#counterfoil tsa-root new {fresh.tsa.root_sha256}\n#counterfoil tsa-root old {world.keys.tsa.root_sha256}\n"
        f"#counterfoil tsa-root new2 {fresh.second.root_sha256}\n"
        f"#counterfoil tsa-root old2 {world.keys.second.root_sha256}\n"
        f"#counterfoil seal-root new {fresh.seal.root_sha256}\n"
        f"#counterfoil seal-root old {world.keys.seal.root_sha256}\n"
        f"#counterfoil manifest-key {fresh.manifest.vkey}\n#counterfoil manifest-key {world.keys.manifest.vkey}\n"
    )
    start = maker.START.replace(year=2025)
    note = key_history(
        [
            KeyPeriod("log", world.keys.log.vkey, start, maker.START),
            KeyPeriod("manifest", world.keys.manifest.vkey, start, maker.START),
            KeyPeriod("log", fresh.log.vkey, maker.START),
            KeyPeriod("manifest", fresh.manifest.vkey, maker.START),
        ],
        [fresh.log],
    )
    new = maker.make_bundle(fresh, tmp_path, maker.make_facts(fresh, key_history=note))
    for path in (world.bundle, new):
        verdict = verify(path, policy)
        assert verdict.word == "VERIFIED-UNWITNESSED", render(verdict)


# ---- other people's tools


@pytest.fixture
def unpacked(world: forgery.World) -> Path:
    """The honest bundle as a folder."""
    return forgery.unfolded(lambda root: None)(world)


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a foreign tool."""
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)


def test_bagit_validates_it(unpacked: Path) -> None:
    tool = Path(sys.executable).with_name("bagit.py")
    done = run(sys.executable, str(tool), "--validate", str(unpacked))
    assert done.returncode == 0, done.stderr


def test_unzip_and_sha256sum_agree(world: forgery.World, unpacked: Path, tmp_path: Path) -> None:
    assert run(sys.executable, "-m", "zipfile", "-t", str(world.bundle)).returncode == 0
    assert run("sha256sum", "--check", "--strict", "manifest-sha256.txt", cwd=unpacked).returncode == 0
    assert run("sha256sum", "--check", "--strict", "tagmanifest-sha256.txt", cwd=unpacked).returncode == 0


def test_openssl_verifies_the_timestamp_also_after_the_authority_has_expired(unpacked: Path) -> None:
    text = run("openssl", "ts", "-reply", "-in", "tsa/tsa1.tsr", "-text", cwd=unpacked).stdout
    when = next(
        line.removeprefix("Time stamp: ") for line in text.splitlines() if line.startswith("Time stamp: ")
    )
    at = run("date", "-u", "-d", when, "+%s").stdout.strip()
    (unpacked.parent / "chain.pem").write_text(
        "".join(p.read_text() for p in (unpacked / "tsa/tsa1/chain").glob("??.pem"))
    )
    words = ["openssl", "ts", "-verify", "-data", "log/checkpoint", "-in", "tsa/tsa1.tsr"]
    words += ["-CAfile", str(unpacked.parent / "chain.pem")]
    assert "Verification: OK" in run(*words, "-attime", at, cwd=unpacked).stdout
    assert run(*words, "-attime", str(int(at) + 30 * 365 * 86400), cwd=unpacked).returncode != 0


def test_rfc3161_client_verifies_the_timestamp(world: forgery.World) -> None:
    reply = rfc3161_client.decode_timestamp_response(world.files["tsa/tsa1.tsr"])
    root = x509.load_pem_x509_certificate(world.files["tsa/tsa1/chain/02.pem"])
    verifier = rfc3161_client.VerifierBuilder().add_root_certificate(root).build()
    assert verifier.verify_message(reply, world.files["log/checkpoint"])
    with pytest.raises(rfc3161_client.VerificationError):
        verifier.verify_message(reply, world.files["log/checkpoint"] + b"x")


def test_pyhanko_validates_the_seal_by_the_strict_long_term_rules_offline(world: forgery.World) -> None:
    reader = PdfFileReader(io.BytesIO(world.files["data/report.pdf"]), strict=True)
    roots = [
        next(iter(load_certs_from_pemder_data(pem.encode())))
        for pem in (world.keys.seal.chain_pem[-1], world.keys.tsa.chain[-1])
    ]
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=roots),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
        ),
    )
    result = asyncio.run(
        ades.ades_lta_validation(reader.embedded_regular_signatures[0], PdfSignatureValidationSpec(spec))
    )
    assert isinstance(result.ades_subindic, AdESPassed)


def test_poppler_finds_the_seal_valid_the_whole_file_signed_and_the_attachment_equal(
    unpacked: Path, tmp_path: Path
) -> None:
    said = run("pdfsig", "data/report.pdf", cwd=unpacked).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said.split("Signature #2")[1]
    out = tmp_path / "exhibits.json"
    assert run("pdfdetach", "-save", "1", "-o", str(out), "data/report.pdf", cwd=unpacked).returncode == 0
    assert out.read_bytes() == (unpacked / "data/exhibits.json").read_bytes()


def test_every_command_of_the_howto_works_as_printed(world: forgery.World, unpacked: Path) -> None:
    (unpacked.parent / "policy.txt").write_text(world.policy)
    text = (unpacked / "HOWTO.txt").read_text()
    starts = (
        "sha256sum",
        "openssl",
        "AT=",
        "CHAIN=",
        "done",
        "cat ",
        "for ",
        "KEY=",
        "{",
        "printf",
        "}",
        "sed ",
        "NAME=",
        "grep ",
    )
    more = ("-sigfile", "pdfsig", "pdfdetach")
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith((*starts, *more))]
    script = "\n".join(
        ["set -e", *(row.split("   (poppler")[0] for row in rows if not row.startswith("pdfsig"))]
    )
    done = run("bash", "-c", script.replace("/tmp/", f"{unpacked.parent}/"), cwd=unpacked)
    assert done.returncode == 0, done.stderr + script
    assert "Verification: OK" in done.stdout
    assert "Signature Verified Successfully" in done.stdout
