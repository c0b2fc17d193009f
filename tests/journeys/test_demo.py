"""The demonstration as an acceptance test: one command, one case, one bundle, judged by other people's tools."""

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests import published

DATA = Path(os.environ.get("COUNTERFOIL_DATA", Path(__file__).parents[3] / "shared" / "data"))
CLIP = DATA / "cctv" / "one-by-one-person-detection.mp4"
CRIMES = DATA / "police_uk" / "raw_csv_cleveland_city-of-london_2021-03_2022-02.tar.xz"
STEPS = [
    "Files taken into quarantine",
    "Report sent, with evidence",
    "Triaged by a person, reason kept",
    "Crime recorded within 24 hours",
    "Exhibit taken out of quarantine",
    "Statement read, declared and signed",
    "Suspect named with custody reference",
    "Charging decision recorded",
    "Outcome recorded, case closed, sender told",
    "Bundle built, sealed, logged and timestamped",
    "Bundle sent to the prosecutor",
    "Released to the defence, by name",
    "The defence opens it with a one-time code",
    "The sender sees what happened",
    "Verified offline under the court's policy",
    "Verified by the bundle's own verify.py",
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tell the story once, with real footage and real crime tables where the data are, and return its folder."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "counterfoil.cli", "demo", "--once"]
    command += ["--out", str(folder / "out"), "--json", str(folder / "steps.json")]
    if CLIP.exists():
        command += ["--evidence", str(CLIP)]
    if CRIMES.exists():
        with tarfile.open(CRIMES) as archive:
            published.unpack(archive, folder / "crimes")
        command += ["--crimes", str(folder / "crimes")]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "output.txt").write_text(done.stdout)
    return folder


def bundle_of(folder: Path) -> Path:
    """Return the one bundle."""
    (found,) = (folder / "out").glob("*.zip")
    return found


def test_it_tells_every_step_in_order_and_gives_exactly_one_bundle_and_the_policy(told: Path) -> None:
    """The table holds every step, and the folder one zip and policy.txt."""
    rows = json.loads((told / "steps.json").read_text())
    steps = [r["step"] for r in rows]
    positions = [steps.index(s) for s in STEPS]
    assert positions == sorted(positions)
    assert all(set(r) == {"step", "reference", "time"} for r in rows)
    assert sorted(p.suffix for p in (told / "out").iterdir()) == [".txt", ".zip"]
    if CRIMES.exists():
        assert "Published crime tables on the board" in steps
    else:
        pytest.skip("the published crime tables are not here, so the board was not part of this run")


def test_both_verifiers_say_verified_unwitnessed_and_exit_with_3(told: Path) -> None:
    """`counterfoil verify` and the bundle's own verify.py agree, from outside, under the court's policy."""
    path, policy = bundle_of(told), told / "out" / "policy.txt"
    with zipfile.ZipFile(path) as z:
        member = next(n for n in z.namelist() if n.count("/") == 1 and n.endswith("/verify.py"))
        (told / "verify.py").write_bytes(z.read(member))
    ours = [sys.executable, "-m", "counterfoil.cli", "verify", str(path), "--policy", str(policy)]
    theirs = [sys.executable, "-I", str(told / "verify.py"), str(path), "--policy", str(policy)]
    for command in (ours, theirs):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.split("\n")[0]) == (3, "VERIFIED-UNWITNESSED"), done.stdout
    bare = subprocess.run(ours[:-2], capture_output=True, text=True, check=False)
    assert (bare.returncode, bare.stdout.split("\n")[0]) == (4, "INTEGRITY-ONLY")


@pytest.fixture(scope="module")
def opened(told: Path) -> Path:
    """Unpack the bundle as a clerk would."""
    with zipfile.ZipFile(bundle_of(told)) as z:
        z.extractall(told / "opened")
    (top,) = (told / "opened").iterdir()
    return top


def test_bagit_accepts_the_bag(opened: Path) -> None:
    """The reference implementation of RFC 8493 validates it."""
    done = subprocess.run(
        [sys.executable, "-m", "bagit", "--validate", str(opened)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["tsa1", "tsa2"])
def test_openssl_accepts_the_timestamp_of_each_authority_over_the_checkpoint(opened: Path, name: str) -> None:
    """`openssl ts -verify` with the root that the policy names, as HOWTO.txt says."""
    chain = sorted((opened / "tsa" / name / "chain").glob("[0-9]*.pem"))
    done = subprocess.run(
        [
            "openssl", "ts", "-verify", "-data", str(opened / "log" / "checkpoint"),
            "-in", str(opened / "tsa" / f"{name}.tsr"), "-CAfile", str(chain[-1]), "-untrusted", str(chain[0]),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stdout + done.stderr


def test_pyhanko_accepts_the_report_for_the_long_term(told: Path, opened: Path) -> None:
    """Signature and archive timestamp hold offline, trusting only the two roots that the court's policy names."""
    from asn1crypto import x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
    from pyhanko_certvalidator import ValidationContext

    policy = (told / "out" / "policy.txt").read_text()
    named = set(re.findall(r"^#counterfoil (?:tsa|seal)-root \S+ ([0-9a-f]{64})$", policy, re.MULTILINE))
    assert len(named) == 3  # two timestamp authorities, of which the first one sealed, and the sealing root

    def judge() -> None:
        with (opened / "data" / "report.pdf").open("rb") as f:
            reader = PdfFileReader(f)
            shipped = [x509.Certificate.load(ref.get_object().data) for ref in reader.root["/DSS"]["/Certs"]]
            roots = [c for c in shipped if c.sha256.hex() in named]
            assert len(roots) == 2
            crls = [ref.get_object().data for ref in reader.root["/DSS"]["/CRLs"]]
            trust = ValidationContext(
                trust_roots=roots,
                other_certs=shipped,
                crls=crls,
                allow_fetching=False,
                revocation_mode="hard-fail",
            )
            (signature,) = reader.embedded_regular_signatures
            status = validate_pdf_signature(signature, trust, trust)
            assert status.bottom_line, status.pretty_print_details()
            stamps = reader.embedded_timestamp_signatures
            assert len(stamps) == 1
            stamp = validate_pdf_timestamp(stamps[0], trust)
            assert stamp.valid
            assert stamp.intact
            assert stamp.trusted

    # In a thread of its own: pyHanko starts an event loop, and the browser tests may have one running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(judge).result()


def test_the_original_bytes_are_in_the_bag_unchanged(told: Path, opened: Path) -> None:
    """The master of the exhibit is, byte for byte, the file that was sent."""
    if not CLIP.exists():
        pytest.skip("the real footage is not here")
    (master,) = (opened / "data" / "exhibits" / "AB-1" / "master").iterdir()
    assert master.read_bytes() == CLIP.read_bytes()


def test_the_output_names_no_real_force_and_says_what_it_is_not(told: Path) -> None:
    """Nobody may take the demonstration for the real thing."""
    output = (told / "output.txt").read_text()
    assert "Not for emergencies: call 999" in output
    assert re.search(r"DEMONSTRATION-\S+\.zip", bundle_of(told).name)
