"""The plain texts of a bundle: bag-info.txt, CLAIMS.md and HOWTO.txt."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.engines.bundle.words import CHECKS, NOT_PROVED, PROVED, SENTENCES

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def one_line(text: str) -> str:
    """Return a text as one printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def bag_info(listing: Mapping[str, Any], oxum: str) -> bytes:
    """Return bag-info.txt, which follows from the exhibit list and the payload's size alone."""
    lines = (
        f"Bag-Software-Agent: Counterfoil {listing['format']}",
        f"Bagging-Date: {listing['built_at'][:10]}",
        f"External-Identifier: {listing['urn']}",
        f"Payload-Oxum: {oxum}",
        f"Source-Organization: {listing['force']}",
    )
    return ("\n".join(lines) + "\n").encode()


def claims(name: str, *, development: bool) -> bytes:
    """Return CLAIMS.md: what a full verification proves, what it does not, and what each verdict means."""
    lines = [f"# What bundle {name} proves, and what it does not", ""]
    if development:
        lines += [
            "**DEMONSTRATION KEYS.** Sealed with development keys: VERIFIED-UNWITNESSED is the best verdict there is,",
            "and this bundle must not be used as evidence.",
            "",
        ]
    lines += ["## Proved, once verified with the court's own policy file", ""]
    lines += [f"- {p}" for p in PROVED]
    lines += ["", "## Not proved", ""]
    lines += [f"- {p}" for p in NOT_PROVED]
    lines += ["", "## The checks, in order", ""]
    lines += [f"{n}. `{check}`: {what}" for n, (check, what) in enumerate(CHECKS, 1)]
    lines += ["", "## The verdicts", ""]
    lines += [f"- `{word}`: {sentence}" for word, sentence in SENTENCES.items()]
    lines += [
        "",
        "The forms in report.pdf are models of the papers a court expects, not official forms. The software is not",
        "approved by any force, prosecutor, court or department, and is not forensically validated.",
        "",
    ]
    return "\n".join(lines).encode()


def howto(name: str, proofs: Sequence[str]) -> bytes:
    """Return HOWTO.txt: the whole verification in a browser or one command, and its parts as openssl commands."""
    first = proofs[0] if proofs else "bundle"
    return f"""How to check bundle {name}

1. Everything, in a browser or in one command
   Open verify.html in a browser (no network is needed) and drop {name}.zip and policy.txt on it. Or:
   python3 verify.py {name}.zip --policy policy.txt
   Use a verify.html or verify.py, and a policy.txt, that you got from outside this bundle. Exit code 0
   VERIFIED-WITNESSED, 3 VERIFIED-UNWITNESSED, 4 INTEGRITY-ONLY, 5 NOT-VERIFIABLE, 6 INVALID.

The rest needs only common tools. Unpack the bundle and go into the folder {name}/.

2. Every payload file (sha256sum, from coreutils)
   sha256sum --check manifest-sha256.txt
   sha256sum --check tagmanifest-sha256.txt

3. The timestamps over the log's statement (openssl), one authority after the other
   for TSR in $(ls tsa/*.tsr | grep -v renewed); do
     CHAIN=${{TSR%.tsr}}/chain
     openssl ts -reply -in "$TSR" -text
     AT=$(date -u -d "$(openssl ts -reply -in "$TSR" -text 2>/dev/null | sed -n 's/^Time stamp: //p')" +%s)
     cat "$CHAIN"/*.pem > /tmp/chain.pem
     openssl ts -verify -data log/checkpoint -in "$TSR" -CAfile /tmp/chain.pem -attime "$AT"
     for c in "$CHAIN"/[0-9]*.pem; do openssl x509 -in "$c" -noout -subject -fingerprint -sha256; done
   done
   Each must print "Verification: OK". Without -attime it fails once the authority's certificate has expired. Compare
   the roots with the lines "#counterfoil tsa-root" of your policy.txt. A file like tsa/NAME.renewed-1.tsr stamps the
   reply before it (-data tsa/NAME.tsr), for the time after the first authority's certificate has expired.

4. The signature of the log (openssl 3, Ed25519)
   Your policy.txt has a line: log NAME+ID+KEY. KEY is base64 of one type byte and the 32-byte key.
   KEY=$(sed -n 's/^log [^+]*+[0-9a-f]*+\\([^ ]*\\).*/\\1/p' ../policy.txt | head -n 1)
   {{
     printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'
     printf %s "$KEY" | base64 -d | tail -c +2
   }} > /tmp/log.der
   sed '/^$/,$d' log/checkpoint > /tmp/checkpoint.txt
   NAME=$(head -n 1 log/checkpoint)
   grep -F -- "— $NAME " log/checkpoint | head -n 1 | sed 's/.* //' | base64 -d | tail -c +5 > /tmp/checkpoint.sig
   openssl pkeyutl -verify -pubin -keyform DER -inkey /tmp/log.der -rawin -in /tmp/checkpoint.txt \\
     -sigfile /tmp/checkpoint.sig

5. One exhibit's place in the log
   proofs/{first}.tlog-proof is a C2SP tlog-proof (https://c2sp.org/tlog-proof); any verifier of that format reads it.
   The entry is SHA-256("counterfoil/entry/v1", a zero byte, salt, body) with salt and body from custody/events.jsonl.

6. The report's seal
   pdfsig data/report.pdf            (poppler; look for "Total document signed" on the last signature)
   pdfdetach -save 1 -o /tmp/exhibits.json data/report.pdf && cmp /tmp/exhibits.json data/exhibits.json
""".encode()
