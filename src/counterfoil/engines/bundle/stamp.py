"""RFC 3161 timestamps: ask for one, and check a reply completely before anybody relies on it.

The whole `TimeStampResp` is kept, never only the token; the chain is checked at the time in the token, because court
checks happen years after the authority's certificate has expired.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import rfc3161_client
from asn1crypto import algos, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from counterfoil.engines.bundle.identity import fingerprint
from counterfoil.engines.errors import BadInput, Corrupt

SHA256 = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True)
class Stamped:
    """What a checked reply says: the authority's time (UTC), its leaf's name and the root it chains to."""

    at: dt.datetime
    authority: str
    root_sha256: str
    development: bool


def request(digest: bytes) -> tuple[int, bytes]:
    """Return (nonce, DER `TimeStampReq`) for a SHA-256 digest, asking for the authority's certificate."""
    if len(digest) != 32:
        raise BadInput("digest", "A timestamp is asked for a SHA-256 digest of exactly 32 bytes.")
    nonce = secrets.randbits(63)
    asked = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": tsp.MessageImprint(
                {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": digest}
            ),
            "nonce": core.Integer(nonce),
            "cert_req": True,
        }
    )
    der: bytes = asked.dump()
    return nonce, der


def check_reply(
    reply: bytes,
    digest: bytes,
    *,
    chain: Sequence[x509.Certificate],
    roots: Sequence[str],
    crls: Sequence[x509.CertificateRevocationList] = (),
    nonce: int | None = None,
) -> Stamped:
    """Check every part of a `TimeStampResp` over `digest`, or raise Corrupt with the reason.

    `chain`: certificates offered (any order); `roots`: SHA-256 fingerprints of the roots that are trusted. Checked:
    no trailing bytes, status granted, imprint and algorithm, nonce when given, signature, critical timestamping
    usage, chain to a trusted root at the token's time, and not revoked before that time.
    """
    try:
        return _judge(reply, digest, chain, set(roots), crls, nonce)
    except Corrupt:
        raise
    except Exception as error:  # hostile bytes: any failure to make sense of them is a refusal
        raise Corrupt(f"The timestamp reply cannot be judged: {type(error).__name__}.") from None


def _judge(
    reply: bytes,
    digest: bytes,
    chain: Sequence[x509.Certificate],
    roots: set[str],
    crls: Sequence[x509.CertificateRevocationList],
    nonce: int | None,
) -> Stamped:
    if der_length(reply) != len(reply):
        raise Corrupt("The timestamp reply has bytes after its end.")
    try:
        response = rfc3161_client.decode_timestamp_response(reply)
        info = response.tst_info
        at = info.gen_time.astimezone(dt.UTC)
        embedded = [x509.load_der_x509_certificate(c) for c in response.signed_data.certificates]
        imprint = info.message_imprint
    except Exception as error:  # hostile bytes: any failure to read is a refusal
        raise Corrupt(f"The timestamp reply cannot be read: {error}") from None
    if imprint.hash_algorithm.dotted_string != SHA256 or imprint.message != digest:
        raise Corrupt("The timestamp was given for other bytes.")
    if len(embedded) != 1:
        raise Corrupt(f"The timestamp reply must carry its authority's one certificate, not {len(embedded)}.")
    _refuse_odd(reply)
    trusted = [c for c in chain if fingerprint(c) in roots]
    if not trusted:
        raise Corrupt("The timestamp is from an authority that the policy does not name.")
    leaf = embedded[0]
    between = [c for c in chain if fingerprint(c) not in {fingerprint(t) for t in [*trusted, leaf]}]
    path = _path(leaf, between, trusted, at)
    builder = rfc3161_client.VerifierBuilder(
        roots=[path[-1]], intermediates=list(path[1:-1]), tsa_certificate=leaf, nonce=nonce
    )
    try:
        builder.build().verify(response, digest)
    except Exception as error:  # hostile bytes: any failure to verify is a refusal
        raise Corrupt(f"The timestamp's signature does not check: {error}") from None
    for cert, issuer in pairwise(path):
        refuse_revoked(cert, issuer, crls, at)
    names = [c.subject.rfc4514_string() for c in path]
    return Stamped(at, names[0], fingerprint(path[-1]), any("DEVELOPMENT" in n for n in names))


def _refuse_odd(reply: bytes) -> None:
    """Refuse a reply whose unsigned parts are not what the signed parts make them: nothing else would notice."""
    signed = tsp.TimeStampResp.load(reply, strict=True)["time_stamp_token"]["content"]
    signer = signed["signer_infos"][0]
    scheme = signer["signature_algorithm"]
    digest = signer["digest_algorithm"]["algorithm"].native
    if (
        signed["version"].native != "v3"
        or signer["version"].native != ("v1" if signer["sid"].name == "issuer_and_serial_number" else "v3")
        or scheme.signature_algo not in ("ecdsa", "rsassa_pkcs1v15", "rsassa_pss")
        or (scheme["algorithm"].native != "rsassa_pkcs1v15" and scheme.hash_algo != digest)
    ):
        raise Corrupt("The timestamp reply is not put together as it should be.")


def refuse_revoked(
    cert: x509.Certificate,
    issuer: x509.Certificate,
    crls: Sequence[x509.CertificateRevocationList],
    at: dt.datetime,
) -> None:
    """Raise Corrupt if a revocation list of the issuer, in force at `at`, names the certificate.

    When there are lists at all, one must be from the issuer and in force then; lists of other times are for renewals.
    """
    mine = [c for c in crls if c.issuer == issuer.subject]
    if crls and not mine:
        raise Corrupt("No revocation list is from the authority that issued the timestamp's certificate.")
    in_force = [c for c in mine if c.last_update_utc <= at <= (c.next_update_utc or at)]
    if mine and not in_force:
        raise Corrupt("A revocation list was not in force when the timestamp was made.")
    for crl in in_force:
        if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            raise Corrupt("A revocation list in the bundle is not signed by the authority it names.")
        if crl.get_revoked_certificate_by_serial_number(cert.serial_number) is not None:
            raise Corrupt(
                "The timestamp authority's certificate had been revoked before the timestamp was made."
            )


def der_length(data: bytes) -> int:
    """Return how many bytes the first DER value in `data` takes, header included; 0 if it cannot be told."""
    if len(data) < 2:
        return 0
    first = data[1]
    if first < 0x80:
        return 2 + first
    count = first & 0x7F
    if count == 0 or count > 4 or len(data) < 2 + count:
        return 0
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def _path(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    at: dt.datetime,
) -> list[x509.Certificate]:
    """Return leaf … root, each signed by the next and valid at `at`, or raise Corrupt."""
    path = [leaf]
    while True:
        last = path[-1]
        if not last.not_valid_before_utc <= at <= last.not_valid_after_utc:
            raise Corrupt(
                "A certificate of the timestamp's chain was not valid at the time of the timestamp."
            )
        if any(fingerprint(last) == fingerprint(t) for t in trusted):
            return path
        for candidate in [*trusted, *between]:
            if candidate.subject == last.issuer and candidate not in path and _signed_by(last, candidate):
                path.append(candidate)
                break
        else:
            raise Corrupt("The timestamp's certificate does not chain to a root named by the policy.")
        if len(path) > 6:
            raise Corrupt("The timestamp's certificate chain is too long.")


def _signed_by(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not basic.ca:
            return False
        key = issuer.public_key()
        algorithm = cert.signature_hash_algorithm
        if algorithm is None:
            return False
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
        else:
            return False
    except Exception:
        return False
    return True


def embedded_certificates(reply: bytes) -> list[x509.Certificate]:
    """Return the certificates that a reply carries; Corrupt if it cannot be read."""
    try:
        response = rfc3161_client.decode_timestamp_response(reply)
        return [x509.load_der_x509_certificate(c) for c in response.signed_data.certificates]
    except Exception as error:  # hostile bytes: any failure to read is a refusal
        raise Corrupt(f"The timestamp reply cannot be read: {error}") from None
