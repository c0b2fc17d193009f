"""The untouched bundle is accepted, every flip and every forgery refused, by both verifiers, naming the same check."""

import contextlib
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.engines.bundle import facts as maker
from tests.engines.bundle import forgery
from tests.engines.bundle.conftest import STANDALONE, PageChecks

from counterfoil.engines.bundle import Verdict, finish, payload, render, verify
from counterfoil.engines.bundle import verify as verify_function
from counterfoil.engines.bundle.words import CHECKS, EXIT, SENTENCES

FULL = os.environ.get("COUNTERFOIL_DEPTH") == "full"
FLIPS = int(os.environ.get("COUNTERFOIL_FLIPS", "5000" if FULL else "40"))
CLEAN = int(os.environ.get("COUNTERFOIL_CLEAN", "1000" if FULL else "2"))
TIMES = 100 if FULL else 3
# The suite tries two stories of each check; all of them are tried under full depth (make faults).
STORIES = [
    case
    for n, case in enumerate(forgery.CASES)
    if FULL or [c for _, c, _ in forgery.CASES[:n]].count(case[1]) < 2
]
engine = sys.modules[verify_function.__module__]


THIRD: list[PageChecks] = []


@pytest.fixture(autouse=True)
def third(page_checks: PageChecks) -> None:
    """Let the page's checks speak too, whenever the other two do."""
    THIRD[:] = [page_checks]


def both(path: Path, policy: str | None, standalone: ModuleType) -> tuple[Verdict, tuple[str, str | None]]:
    """Return what each Python verifier says of a bundle; the page, which reads archives only, must say as ours."""
    ours = verify(path, policy)
    if path.is_file():
        page = THIRD[0](path, policy)
        states = {c.name: c.state for c in ours.checks}
        assert (page["word"], page["failed"], page["exit"]) == (ours.word, ours.failed, ours.exit_code), page
        assert page["states"] == states, page
    file = None
    if policy is not None:
        file = path.parent / "policy-for-both.txt"
        file.write_text(policy)
    word, failed, _ = standalone.verify(str(path), file and str(file))
    return ours, (word, failed)


def run(path: Path, *more: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the shipped verifier as a court would."""
    return subprocess.run(
        [sys.executable, "-I", str(STANDALONE), str(path), *more],
        capture_output=True,
        text=True,
        check=False,
        env=env,
        timeout=120,
    )


@pytest.mark.faults
def test_it_accepts_the_untouched_bundle_every_time(world: forgery.World, standalone: ModuleType) -> None:
    for _ in range(TIMES):
        ours, theirs = both(world.bundle, world.policy, standalone)
        assert ours.word == "VERIFIED-UNWITNESSED", render(ours)
        assert ours.exit_code == 3
        assert theirs == ("VERIFIED-UNWITNESSED", None)


@pytest.mark.faults
def test_honest_bundles_of_every_shape_are_never_accused(
    world: forgery.World, standalone: ModuleType, tmp_path: Path
) -> None:
    rng = random.Random(3)
    for _ in range(CLEAN):
        facts, forge = maker.varied(world.keys, rng)
        made = payload(facts, world.keys.sealing)
        path = finish(
            made, maker.make_log(world.keys, made, forge), world.keys.manifest, tmp_path / "clean.zip"
        )
        ours, theirs = both(path, world.policy, standalone)
        assert ours.word == "VERIFIED-UNWITNESSED", render(ours)
        assert theirs == (ours.word, None)
        path.unlink()


def test_without_a_policy_from_outside_the_best_is_integrity_only(
    world: forgery.World, standalone: ModuleType
) -> None:
    ours, theirs = both(world.bundle, None, standalone)
    assert (ours.word, ours.exit_code) == ("INTEGRITY-ONLY", 4)
    assert theirs == ("INTEGRITY-ONLY", None)
    assert not ours.proved


def test_a_folder_gives_the_same_verdict_as_its_archive(world: forgery.World, standalone: ModuleType) -> None:
    folder = forgery.unfolded(lambda root: None)(world)
    ours, theirs = both(folder, world.policy, standalone)
    assert (ours.word, theirs) == ("VERIFIED-UNWITNESSED", ("VERIFIED-UNWITNESSED", None))


def test_it_runs_by_itself_with_nothing_but_python_and_openssl(world: forgery.World, tmp_path: Path) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_text(world.policy)
    done = run(world.bundle, "--policy", str(policy))
    assert (done.returncode, done.stdout.split("\n")[0]) == (3, "VERIFIED-UNWITNESSED"), done.stdout
    assert done.stderr == ""
    assert run(world.bundle).returncode == 4
    broken = world.raw(world.bundle.read_bytes()[:-1] + b"\1")
    done = run(broken, "--policy", str(policy))
    assert done.returncode == 6
    assert "Failed check: container" in done.stdout


def test_without_openssl_nothing_is_concluded(world: forgery.World, tmp_path: Path) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_text(world.policy)
    done = run(world.bundle, "--policy", str(policy), env={"PATH": str(tmp_path)})
    assert done.returncode == 5
    assert done.stdout.startswith("NOT-VERIFIABLE")
    assert "openssl" in done.stdout


def test_an_openssl_that_cannot_do_ed25519_is_not_taken_for_a_bad_signature(
    world: forgery.World, tmp_path: Path
) -> None:
    fake = tmp_path / "openssl"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    done = run(world.bundle, env={"PATH": str(tmp_path)})
    assert done.returncode == 5, done.stdout


def test_an_authority_that_the_machine_trusts_is_not_one_that_the_policy_trusts(
    world: forgery.World, tmp_path: Path
) -> None:
    path, policy = world.forged("a report sealed by a stranger")
    (tmp_path / "policy.txt").write_text(policy)
    (tmp_path / "root.pem").write_text(
        world.stranger.seal.chain_pem[-1] + "".join(world.stranger.seal.crls_pem)
    )
    (tmp_path / "store").mkdir()
    (tmp_path / "store/root.pem").write_text(world.stranger.seal.chain_pem[-1])
    subprocess.run(["openssl", "rehash", str(tmp_path / "store")], check=True, capture_output=True)
    env = {**os.environ, "SSL_CERT_DIR": str(tmp_path / "store"), "SSL_CERT_FILE": str(tmp_path / "root.pem")}
    done = run(path, "--policy", str(tmp_path / "policy.txt"), env=env)
    assert done.returncode == 6
    assert "Failed check: seal" in done.stdout


@pytest.mark.faults
def test_every_flip_of_a_byte_is_refused_and_named_alike(
    world: forgery.World, standalone: ModuleType
) -> None:
    data = world.bundle.read_bytes()
    rng = random.Random(20261121)
    known = {name for name, _ in CHECKS}
    path = world.path()
    for number in range(FLIPS):
        at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        ours, theirs = both(path, world.policy, standalone)
        assert ours.word == "INVALID", (number, at, bit)
        assert ours.failed in known
        assert theirs == ("INVALID", ours.failed), (number, at, bit)


@pytest.mark.faults
def test_every_flip_in_an_unpacked_bundle_is_refused(world: forgery.World, standalone: ModuleType) -> None:
    rng = random.Random(7)
    root = forgery.unfolded(lambda root: None)(world)
    paths = sorted(p for p in root.rglob("*") if p.is_file())
    for _ in range(max(40, FLIPS // 5)):
        path = rng.choice(paths)
        data = path.read_bytes()
        at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        ours, theirs = both(root, world.policy, standalone)
        path.write_bytes(data)
        assert ours.word == "INVALID", (path, at, bit)
        assert theirs == ("INVALID", ours.failed), (path, at, bit)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("story", "check"), [c[:2] for c in STORIES], ids=[c[0].replace(" ", "-") for c in STORIES]
)
def test_it_refuses_and_names_the_check(
    world: forgery.World, standalone: ModuleType, story: str, check: str
) -> None:
    path, policy = world.forged(story)
    ours, theirs = both(path, policy, standalone)
    assert (ours.word, ours.failed) == ("INVALID", check), f"{story}\n{render(ours)}"
    assert theirs == ("INVALID", check), story
    assert ours.exit_code == 6


@pytest.mark.parametrize("story", [story for story, check, _ in forgery.CASES if check == "report"])
def test_a_large_report_is_compared_by_our_own_rule_alone_and_as_strictly(
    world: forgery.World, monkeypatch: pytest.MonkeyPatch, story: str
) -> None:
    monkeypatch.setattr("counterfoil.engines.bundle.seal.SMALL_REPORT", 0)
    assert verify(world.bundle, world.policy).word == "VERIFIED-UNWITNESSED"
    assert verify(*world.forged(story)).failed == "report"


def test_running_out_of_depth_or_memory_concludes_nothing(
    world: forgery.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(case: object) -> None:
        raise RecursionError

    monkeypatch.setitem(engine.STEPS, "report", exhausted)
    verdict = verify(world.bundle, world.policy)
    assert (verdict.word, verdict.failed) == ("NOT-VERIFIABLE", None)


@pytest.mark.parametrize("check", [name for name, _ in CHECKS if name != "policy"])
def test_every_check_is_needed(world: forgery.World, monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    """Negative control: with a check mute the table of forgeries notices, and some forgery is believed."""
    real = engine.STEPS[check]

    def mute(case: object) -> None:
        with contextlib.suppress(Exception):
            real(case)

    monkeypatch.setitem(engine.STEPS, check, mute)
    words = set()
    for story, named, _ in forgery.CASES:
        if named == check and "VERIFIED-UNWITNESSED" not in words:
            verdict = verify(*world.forged(story))
            assert verdict.failed != check
            words.add(verdict.word)
    # Later checks stand behind these; all others are alone between a forger and a good verdict.
    backed = {"container", "files", "custody", "manifest-note", "checkpoint", "timestamp", "report"}
    assert check in backed or "VERIFIED-UNWITNESSED" in words


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "log nonsense\nquorum none\n",
        "quorum nobody\n",
        "\x00",
        "#counterfoil tsa-root x y\nquorum none\n",
    ],
)
def test_a_policy_that_cannot_be_read_concludes_nothing(
    world: forgery.World, standalone: ModuleType, policy: str
) -> None:
    ours, theirs = both(world.bundle, policy, standalone)
    assert (ours.word, ours.exit_code, ours.failed) == ("NOT-VERIFIABLE", 5, None)
    assert theirs == ("NOT-VERIFIABLE", None)


@pytest.mark.parametrize("line", ["tsa-root", "seal-root", "manifest-key"])
def test_a_policy_without_a_pin_leaves_that_check_not_proved(
    world: forgery.World, standalone: ModuleType, line: str
) -> None:
    policy = "".join(f"{row}\n" for row in world.policy.splitlines() if line not in row)
    ours, theirs = both(world.bundle, policy, standalone)
    assert ours.word == "VERIFIED-UNWITNESSED"
    assert theirs == (ours.word, None)
    states = {c.name: c.state for c in ours.checks}
    wanted = {"tsa-root": "timestamp", "seal-root": "seal", "manifest-key": "manifest-note"}[line]
    assert states[wanted] == "not-proved"
    rows = standalone.verify(str(world.bundle), str(world.bundle.parent / "policy-for-both.txt"))[2]
    assert {name: state for name, state, _ in rows} == states


@pytest.fixture(scope="module")
def real_world(tmp_path_factory: pytest.TempPathFactory) -> forgery.World:
    """A bundle of an installation whose keys are not development ones."""
    from counterfoil.engines.bundle import identity

    folder = tmp_path_factory.mktemp("production")
    with pytest.MonkeyPatch.context() as patch:
        named = identity._name
        patch.setattr(identity, "_name", lambda common: named(common.replace("DEVELOPMENT ", "")))
        keys = maker.make_keys(folder / "keys", who="force.example/")
    path = maker.make_bundle(keys, folder, maker.make_facts(keys, development=False))
    top, files = forgery.unpack(path)
    return forgery.World(folder, keys, keys, path, top, files)


def test_real_keys_and_a_real_witness_reach_the_best_verdict(
    real_world: forgery.World, standalone: ModuleType
) -> None:
    ours, theirs = both(real_world.bundle, real_world.policy, standalone)
    assert (ours.word, ours.exit_code) == ("VERIFIED-WITNESSED", 0), render(ours)
    assert theirs == ("VERIFIED-WITNESSED", None)


def test_without_the_witness_it_says_so(real_world: forgery.World, standalone: ModuleType) -> None:
    path = forgery.the_force(
        real_world,
        facts=maker.make_facts(real_world.keys, development=False),
        forge=maker.Forge(cosign=False),
    )
    ours, theirs = both(path, real_world.policy, standalone)
    assert (ours.word, ours.failed) == ("INVALID", "witnesses")
    assert theirs == ("INVALID", "witnesses")
    ours, theirs = both(path, real_world.policy.replace("quorum neighbour", "quorum none"), standalone)
    assert ours.word == "VERIFIED-UNWITNESSED"
    assert theirs == (ours.word, None)


def test_a_bundle_that_calls_itself_a_demonstration_never_reaches_the_best_verdict(
    real_world: forgery.World, standalone: ModuleType
) -> None:
    path = forgery.the_force(real_world, facts=maker.make_facts(real_world.keys))
    ours, theirs = both(path, real_world.policy, standalone)
    assert ours.word == "VERIFIED-UNWITNESSED"
    assert theirs == (ours.word, None)


def test_both_verifiers_use_the_same_words(standalone: ModuleType) -> None:
    assert {word: code for word, (code, _) in standalone.SENTENCES.items()} == EXIT
    assert {word: said for word, (_, said) in standalone.SENTENCES.items()} == SENTENCES
    assert [(c.__name__.replace("_", "-"), c.__defaults__[0]) for c in standalone.CHECKS] == list(CHECKS)


def test_the_shipped_verifier_is_short_and_imports_only_the_standard_library() -> None:
    text = STANDALONE.read_text()
    assert len(text.splitlines()) <= 400
    assert max(map(len, text.splitlines())) <= 150
    words = {
        line.split()[1].split(".")[0].rstrip(",")
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    }
    more = {
        w.strip()
        for line in text.splitlines()
        if line.startswith("import ")
        for w in line[7:].split("#")[0].split(",")
    }
    assert words | more <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"\x00" * 1000, b"PK\x03\x04" + b"\xff" * 40]
)
def test_bytes_that_are_no_bundle_are_refused_without_a_traceback(
    world: forgery.World, standalone: ModuleType, content: bytes
) -> None:
    ours, theirs = both(world.raw(content), world.policy, standalone)
    assert ours.word == theirs[0] == "INVALID"
    assert ours.failed == theirs[1]


def test_a_path_that_is_not_there_concludes_nothing(world: forgery.World, standalone: ModuleType) -> None:
    ours, theirs = both(world.folder / "nowhere.zip", world.policy, standalone)
    assert ours.word == theirs[0] == "NOT-VERIFIABLE"


@pytest.mark.parametrize("size", [0, 1, 2**32 - 2, 2**32 - 1, 2**32, 5 * 2**40])
@pytest.mark.parametrize("at", [0, 2**32 - 2, 2**32 - 1, 3 * 2**40])
def test_both_verifiers_write_large_archives_alike(standalone: ModuleType, size: int, at: int) -> None:
    from counterfoil.engines.bundle.archive import central_entry, end_record, local_header

    assert local_header(b"top/a", 7, size) == standalone.header(b"top/a", 7, size)
    assert central_entry(b"top/a", 7, size, at) == standalone.entry(b"top/a", 7, size, at)
    for count in (1, 65534, 65535, 70000):
        assert end_record(count, size, at) == standalone.ending(count, size, at)
