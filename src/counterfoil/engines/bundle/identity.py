"""X.509 identities for sealing PDFs and for a development timestamp authority, kept as three PEM files in a folder.

A production installation puts its own `key.pem`, `chain.pem` (leaf first, root last) and `crl.pem` in place; the
development maker below writes DEVELOPMENT into every name, so that nobody can mistake what it sealed.
"""

import datetime as dt
import fcntl
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from counterfoil.engines.disk import place
from counterfoil.engines.errors import NotAllowed

YEARS_10 = dt.timedelta(days=3653)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Identity:
    """A private key, its certificates (leaf first, root last) and revocation lists, all as PEM or objects."""

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]
    crls: tuple[x509.CertificateRevocationList, ...]

    @property
    def chain_pem(self) -> tuple[str, ...]:
        """Return the certificates as PEM texts, leaf first."""
        return tuple(c.public_bytes(serialization.Encoding.PEM).decode() for c in self.chain)

    @property
    def crls_pem(self) -> tuple[str, ...]:
        """Return the revocation lists as PEM texts."""
        return tuple(c.public_bytes(serialization.Encoding.PEM).decode() for c in self.crls)

    @property
    def root_sha256(self) -> str:
        """Return the root's fingerprint (SHA-256 of its DER, lower-case hex), as a policy names it."""
        return fingerprint(self.chain[-1])

    @property
    def development(self) -> bool:
        """Say whether any certificate carries DEVELOPMENT in its name."""
        return any("DEVELOPMENT" in c.subject.rfc4514_string() for c in self.chain)

    @classmethod
    def load(cls, key: Path, chain: Path, crls: Path) -> "Identity":
        """Read an identity from three PEM files; refuse a key that others can read or that does not fit."""
        for path in (key, chain, crls):
            if not path.is_file():
                raise NotAllowed(f"The sealing identity is incomplete: {path.name} is missing.")
        if key.stat().st_mode & 0o077:
            raise NotAllowed(f"{key.name} can be read by others. Run: chmod 600 on it.")
        try:
            private = serialization.load_pem_private_key(key.read_bytes(), password=None)
            certs = tuple(x509.load_pem_x509_certificates(chain.read_bytes()))
            lists = tuple(load_crls(crls.read_text()))
        except (ValueError, TypeError) as error:
            raise NotAllowed(f"The sealing identity in {key.parent.name}/ cannot be read: {error}") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise NotAllowed("The sealing key must be an RSA or elliptic-curve key.")
        if certs[0].public_key() != private.public_key():
            raise NotAllowed("The first certificate of the sealing chain does not belong to the sealing key.")
        if certs[-1].issuer != certs[-1].subject:
            raise NotAllowed("The sealing chain must end with its root certificate.")
        if not lists:
            raise NotAllowed(
                "The sealing identity needs a revocation list, or the seal cannot be checked offline."
            )
        return cls(private, certs, lists)

    @classmethod
    def load_folder(cls, folder: Path) -> "Identity":
        """Read `key.pem`, `chain.pem` and `crl.pem` from one folder."""
        return cls.load(folder / "key.pem", folder / "chain.pem", folder / "crl.pem")


def fingerprint(cert: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER as lower-case hex."""
    return hashlib.sha256(cert.public_bytes(serialization.Encoding.DER)).hexdigest()


def load_crls(pem: str) -> list[x509.CertificateRevocationList]:
    """Read every PEM revocation list in a text."""
    end = "-----END X509 CRL-----"
    return [
        x509.load_pem_x509_crl((part[part.index("-----BEGIN X509 CRL-----") :] + end + "\n").encode())
        for part in pem.split(end)
        if "-----BEGIN X509 CRL-----" in part
    ]


def make_development_identity(folder: Path, name: str, *, timestamping: bool, now: dt.datetime) -> Identity:
    """Make and durably store a development certificate authority and one leaf signed by it, or read the one there is.

    The key is written last, so what a stopped process was making is made anew; of two processes one makes it. `name`
    becomes part of both certificate names after the word DEVELOPMENT. The authority's own private key is thrown away
    after signing the leaf and an empty revocation list that lasts ten years.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "key.pem").exists():
            _make(folder, name, timestamping=timestamping, now=now)
    return Identity.load_folder(folder)


def _make(folder: Path, name: str, *, timestamping: bool, now: dt.datetime) -> None:
    for left in ("chain.pem", "crl.pem"):
        (folder / left).unlink(missing_ok=True)
    start = now.replace(microsecond=0) - dt.timedelta(hours=1)
    root_key = ec.generate_private_key(ec.SECP256R1())
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    root_name = _name(f"DEVELOPMENT root for {name}")
    root = (
        _certificate(root_name, root_name, root_key.public_key(), start)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    draft = (
        _certificate(_name(f"DEVELOPMENT {name}"), root_name, leaf_key.public_key(), start)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, content_commitment=not timestamping), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
        .add_extension(aki, critical=False)
    )
    if timestamping:
        draft = draft.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    leaf = draft.sign(root_key, hashes.SHA256())
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root_name)
        .last_update(start)
        .next_update(start + YEARS_10)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(aki, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    made = Identity(leaf_key, (leaf, root), (crl,))
    pem = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    place(folder / "chain.pem", "".join(made.chain_pem).encode())
    place(folder / "crl.pem", "".join(made.crls_pem).encode())
    place(folder / "key.pem", pem)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Counterfoil demonstration, not a real authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + YEARS_10)
    )


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
