"""The page's own building blocks against published vectors and the platform's: hashes, signatures, large archives."""

import hashlib
import json
import random
import re
import shutil
import subprocess
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.engines.bundle.conftest import PAGE

from counterfoil.engines.bundle.archive import central_entry, end_record, local_header

# RFC 8032, section 7.1: secret key, public key, message, signature.
RFC_8032 = (
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
)  # fmt: skip


def run(script: str, given: Any) -> Any:
    """Run a few lines of JavaScript over the page's checks in node and return what they print as JSON."""
    node = shutil.which("node")
    assert node, "Node is needed to test the page."
    whole = (
        f"const v = require({json.dumps(str(PAGE / 'checks.js'))}); const given = JSON.parse(require('fs')"
        f".readFileSync(0, 'utf8')); (async () => {{ {script} }})();"
    )
    done = subprocess.run(
        [node, "-e", whole], input=json.dumps(given), capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def slow(rows: list[tuple[str, str, str]]) -> list[bool]:
    script = (
        "const out = []; for (const [k, m, s] of given) "
        "out.push(await v.slowEd25519(v.unhex(k), v.unhex(m), v.unhex(s))); console.log(JSON.stringify(out));"
    )
    found: list[bool] = run(script, rows)
    return found


def test_its_own_ed25519_holds_the_vectors_of_rfc_8032_and_refuses_every_change_to_them() -> None:
    assert slow(list(RFC_8032)) == [True] * 3
    rng = random.Random(5)
    broken = []
    for key, message, signature in RFC_8032:
        for _ in range(6):
            raw = bytearray(bytes.fromhex(signature))
            raw[rng.randrange(64)] ^= 1 << rng.randrange(8)
            broken.append((key, message, raw.hex()))
        broken.append((key, message + "00", signature))
        order = 2**252 + 27742317777372353535851937790883648493
        s = (
            int.from_bytes(bytes.fromhex(signature)[32:], "little") + order
        )  # the same point, written with a larger number
        broken.append((key, message, signature[:64] + s.to_bytes(32, "little").hex()))
        broken.append(("ff" * 32, message, signature))
    assert slow(broken) == [False] * len(broken)


def test_its_own_ed25519_agrees_with_the_library_on_random_keys() -> None:
    rows = []
    for n in range(8):
        key = Ed25519PrivateKey.generate()
        message = bytes(n * 37)
        rows.append((key.public_key().public_bytes_raw().hex(), message.hex(), key.sign(message).hex()))
    assert slow(rows) == [True] * len(rows)


def test_its_own_sha256_and_crc_agree_with_the_platforms_in_any_pieces() -> None:
    rng = random.Random(9)
    rows = []
    for size in (0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000, 70_001):
        data = rng.randbytes(size)
        cuts = sorted(rng.randrange(size + 1) for _ in range(3))
        rows.append((data.hex(), cuts))
    script = """
      const out = given.map(([h, cuts]) => {
        const data = v.unhex(h), sum = new v.Sha256(); let at = 0, crc = 0;
        for (const cut of [...cuts, data.length]) {
          const piece = data.subarray(at, cut);
          sum.update(piece); crc = v.crc32(piece, crc); at = cut;
        }
        return [v.hex(sum.digest()), crc];
      });
      console.log(JSON.stringify(out));"""
    wanted = [[hashlib.sha256(bytes.fromhex(h)).hexdigest(), zlib.crc32(bytes.fromhex(h))] for h, _ in rows]
    assert run(script, rows) == wanted


@pytest.mark.parametrize("at", [0, 2**32 - 2, 2**32 - 1, 3 * 2**40])
def test_it_writes_large_archives_as_the_builder_does(at: int) -> None:
    sizes = [0, 1, 2**32 - 2, 2**32 - 1, 2**32, 5 * 2**40]
    counts = [1, 65534, 65535, 70000]
    script = """
      const name = new TextEncoder().encode("top/a"), { sizes, counts, at } = given;
      console.log(JSON.stringify(sizes.map((s) => [v.hex(v.localHeader(name, 7, s)),
        v.hex(v.centralEntry(name, 7, s, at)), ...counts.map((c) => v.hex(v.ending(c, s, at)))])));"""
    wanted = [
        [
            local_header(b"top/a", 7, s).hex(),
            central_entry(b"top/a", 7, s, at).hex(),
            *(end_record(c, s, at).hex() for c in counts),
        ]
        for s in sizes
    ]
    assert run(script, {"sizes": sizes, "counts": counts, "at": at}) == wanted


def test_every_word_of_the_page_is_there_in_both_languages_with_the_same_blanks() -> None:
    text = (PAGE / "words-cy.js").read_text(encoding="utf-8")
    english = (PAGE / "words.js").read_text(encoding="utf-8")
    script = f"{english}\n{text}\nconsole.log(JSON.stringify(WORDS))"
    words = subprocess.run(
        [shutil.which("node") or "node", "-e", script], capture_output=True, text=True, check=True
    )
    found = json.loads(words.stdout)
    assert set(found["en"]) == set(found["cy"])
    for code, sentence in found["en"].items():
        assert blanks(sentence) == blanks(found["cy"][code]), code


def blanks(text: str) -> list[str]:
    """Return the names of the blanks of a sentence, in order."""
    return sorted(re.findall(r"\{(\w+)\}", text))
