"""Seal a PDF as PAdES B-LTA, and judge a sealed one strictly, offline, with pyHanko.

B-LTA means: signed, timestamped, with every certificate and revocation list inside, and a document timestamp over all
of it, so that the seal can still be checked when the certificates have expired.
"""

import asyncio
import datetime as dt
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from asn1crypto import cms, tsp
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import SuspiciousModification
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import SimpleCertificateStore, SimpleTrustManager

from counterfoil.engines.bundle.identity import Identity
from counterfoil.engines.errors import Corrupt

# What the library has to say about hostile files is in our verdict; its warning that nothing is fetched is our intent.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

SMALL_REPORT = 60  # pages
FIELD = "CourtBundleSeal"
READABLE = "Seal over the whole report, made by the force's system when the bundle was built"


@dataclass(frozen=True)
class Seal:
    """What sealing needs: the identity, and a timestamp authority as a function with its certificates and lists.

    `stamp` takes a SHA-256 digest and returns a whole `TimeStampResp` (the timestamper socket's own verb).
    """

    identity: Identity
    stamp: Callable[[bytes], bytes]
    tsa_chain: Sequence[str]
    tsa_crls: Sequence[str]

    @property
    def development(self) -> bool:
        """Say whether the sealing certificate is a development one."""
        return self.identity.development


class _Stamper(TimeStamper):
    """Adapts the timestamper socket to pyHanko."""

    def __init__(self, stamp: Callable[[bytes], bytes]) -> None:
        super().__init__(include_nonce=False)  # type: ignore[no-untyped-call]
        self._stamp = stamp

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        if md_algorithm != "sha256":
            raise Corrupt("Seals are timestamped over SHA-256 only.")
        return tsp.TimeStampResp.load(self._stamp(message_digest))["time_stamp_token"]


def seal_pdf(pdf: bytes, seal: Seal) -> bytes:
    """Return the PDF with one PAdES B-LTA signature appended; the original bytes stay its first part."""
    chain = [_cert(pem) for pem in seal.identity.chain_pem]
    tsa = [_cert(pem) for pem in seal.tsa_chain]
    crls = [_crl(pem) for pem in (*seal.identity.crls_pem, *seal.tsa_crls)]
    context = ValidationContext(
        trust_roots=[chain[-1], tsa[-1]],
        other_certs=[*chain, *tsa],
        crls=crls,
        allow_fetching=False,
        revocation_mode="require",
    )
    store = SimpleCertificateStore()
    store.register_multiple(chain)
    signer = signers.SimpleSigner(
        signing_cert=chain[0],
        signing_key=_private(seal.identity),
        cert_registry=store,
    )
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        reason="Integrity of the court bundle's report since it was built",
        embed_validation_info=True,
        use_pades_lta=True,
        timestamp_field_name="ArchiveTimestamp",
        validation_context=context,
        dss_settings=DSSContentSettings(
            include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
        ),
    )
    out = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    signers.PdfSigner(
        meta,
        signer,
        timestamper=_Stamper(seal.stamp),
        new_field_spec=fields.SigFieldSpec(FIELD, readable_field_name=READABLE),
    ).sign_pdf(writer, output=out)
    return out.getvalue()


@dataclass(frozen=True)
class Sealed:
    """What a strict look at a seal found: its best proven time, the signer, and whether any name says DEVELOPMENT."""

    at: dt.datetime
    signer: str
    development: bool


class Report:
    """A sealed report being judged. Every method raises Corrupt with the reason; hostile bytes never do worse."""

    def __init__(self, pdf: bytes) -> None:
        """Read the file strictly; refuse what is not a PDF with exactly one seal and an archive timestamp."""
        self._pdf = pdf
        try:
            self._reader = PdfFileReader(io.BytesIO(pdf), strict=True)
            sigs = self._reader.embedded_regular_signatures
            self._stamps = self._reader.embedded_timestamp_signatures
        except Exception as error:
            raise Corrupt(f"The report cannot be read as a PDF: {_short(error)}.") from None
        if len(sigs) != 1:
            raise Corrupt(f"The report must carry exactly one seal, and carries {len(sigs)}.")
        if len(self._stamps) != 1:
            raise Corrupt(
                f"The report must carry exactly one archive timestamp, and carries {len(self._stamps)}."
            )
        self._sig = sigs[0]

    def check_whole(self) -> None:
        """Refuse bytes after the archive timestamp, and any change after the seal but that timestamp.

        The seal's revision may be followed by one more, which may add exactly one invisible timestamp field. The rule
        is ours and stricter than the library's own comparison, whose time grows with the square of the pages; small
        reports are compared by both.
        """
        stamp = self._stamps[0]
        try:
            spans = [int(n) for n in list(stamp.byte_range)]
            seal_spans = [int(n) for n in list(self._sig.byte_range)]
            revisions = self._reader.xrefs.total_revisions
            altered = self._altered(stamp)
        except Corrupt:
            raise
        except (MemoryError, RecursionError):
            raise  # could not run here: not a verdict on the report
        except Exception as error:  # hostile bytes: any failure to compare is a refusal
            raise Corrupt(f"The report cannot be compared with what was sealed: {_short(error)}.") from None
        if len(spans) != 4 or spans[0] != 0 or spans[2] + spans[3] != len(self._pdf):
            raise Corrupt(
                "The report has bytes after its last timestamp: it was added to after it was sealed."
            )
        if len(seal_spans) != 4 or seal_spans[0] != 0 or self._sig.signed_revision != revisions - 2:
            raise Corrupt("The report's seal does not cover everything before its timestamp.")
        if altered or stamp.signed_revision != revisions - 1:
            raise Corrupt(f"The report was changed after it was sealed{f': {altered}' if altered else ''}.")
        if int(self._reader.root["/Pages"]["/Count"]) <= SMALL_REPORT:
            self._compare_as_the_library_does()

    def _altered(self, stamp: Any) -> str:
        """Say what the last revision changed beyond adding the timestamp's field, or nothing."""
        last = self._reader.xrefs.total_revisions - 1
        before = self._reader.get_historical_resolver(last - 1)
        after = self._reader.get_historical_resolver(last)
        field, root = stamp.sig_field.raw_get("/V").reference, self._reader.root_ref
        known = {ref.idnum for n in range(last) for ref in self._reader.xrefs.explicit_refs_in_revision(n)}
        fresh = []
        for ref in self._reader.xrefs.explicit_refs_in_revision(last):
            new = after.get_object(ref)
            if ref.idnum not in known:
                fresh.append((ref, new))
                continue
            old = before.get_object(ref)
            if isinstance(new, generic.StreamObject):
                if str(new.get("/Type")) != "/Metadata" or str(old.get("/Type")) != "/Metadata":
                    return "a content stream"
                continue
            if not isinstance(new, generic.DictionaryObject) or set(new) != set(old):
                return "an object of another kind"
            for name in new:
                one, two = _plain(old.raw_get(name)), _plain(new.raw_get(name))
                grown = isinstance(two, list) and two[:-1] == one and two[-1].startswith("ref ")
                if one != two and not (name in ("/Annots", "/Fields") and grown) and name != "/ModDate":
                    return f"{name} of an object"
        made = {ref.idnum: obj for ref, obj in fresh}
        widgets = [obj for obj in made.values() if obj.get("/FT") == "/Sig"]
        stamps = [obj for obj in made.values() if obj.get("/Type") == "/DocTimeStamp"]
        if len(made) != 2 or len(widgets) != 1 or len(stamps) != 1 or field.idnum not in made:
            return "objects were added"
        if (
            [float(n) for n in widgets[0]["/Rect"]] != [0, 0, 0, 0]
            or "/AP" in widgets[0]
            or "/AA" in widgets[0]
        ):
            return "something visible was added"
        return "" if before.get_object(root) is not None else "another root"

    def _compare_as_the_library_does(self) -> None:
        try:
            self._sig.compute_integrity_info()
            level = self._sig.diff_result
            info = self._sig.summarise_integrity_info()
        except (MemoryError, RecursionError):
            raise  # could not run here: not a verdict on the report
        except Exception as error:  # hostile bytes: any failure to compare is a refusal
            raise Corrupt(f"The report cannot be compared with what was sealed: {_short(error)}.") from None
        if isinstance(level, SuspiciousModification) or level is None or not info["docmdp_ok"]:
            raise Corrupt("The report was changed after it was sealed.")
        if level.modification_level.name not in ("NONE", "LTA_UPDATES"):
            raise Corrupt(
                "The report was changed after it was sealed: a later part does more than keep the seal fresh."
            )

    def attached(self) -> bytes:
        """Return the one file attached to the report."""
        try:
            names = self._reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
            if len(names) != 2 or str(names[0]) != "exhibits.json":
                raise Corrupt("The report must have exactly one attachment, exhibits.json.")
            data = names[1]["/EF"]["/F"].data
        except Corrupt:
            raise
        except Exception as error:
            raise Corrupt(f"The report's attachment cannot be read: {_short(error)}.") from None
        return bytes(data)

    def check_seal(self, seal_roots: Sequence[str] | None, tsa_roots: Sequence[str] | None) -> Sealed:
        """Judge the seal by strict AdES long-term rules, offline.

        Roots are SHA-256 fingerprints; None means that the roots inside the report are taken at their word (the caller
        must then say that nothing outside vouches for them).
        """
        try:
            found = {sha256(c.dump()).hexdigest(): c for c in self._certificates()}
            own = [h for h, c in found.items() if c.self_signed != "no"]
            seals = [found[h] for h in (own if seal_roots is None else seal_roots) if h in found]
            stamps = [found[h] for h in (own if tsa_roots is None else tsa_roots) if h in found]
            if not seals:
                raise Corrupt("The report's seal does not come from a sealing authority named by the policy.")
            if not stamps:
                raise Corrupt("The report's timestamps do not come from an authority named by the policy.")
            result = asyncio.run(_judge(self._sig, seals, stamps))
            status = result.api_status
            names = [c.subject.human_friendly for c in found.values()]
        except Corrupt:
            raise
        except Exception as error:
            raise Corrupt(f"The report's seal cannot be judged: {_short(error)}.") from None
        if not isinstance(result.ades_subindic, AdESPassed):
            raise Corrupt(
                f"The report's seal does not hold by the strict long-term rules ({result.ades_subindic.name})."
            )
        if status is None or not (status.intact and status.valid):
            raise Corrupt("The report's seal does not fit its bytes.")
        return Sealed(
            at=result.best_signature_time.astimezone(dt.UTC),
            signer=str(self._sig.signer_cert.subject.human_friendly),
            development=any("DEVELOPMENT" in n for n in names),
        )

    def _certificates(self) -> list[asn1_x509.Certificate]:
        certs = [self._sig.signer_cert, *self._sig.other_embedded_certs]
        store = self._reader.root["/DSS"]["/Certs"]
        certs += [asn1_x509.Certificate.load(ref.get_object().data, strict=True) for ref in list(store)[:64]]
        return certs


def check_sealed(pdf: bytes, *, seal_roots: Sequence[str], tsa_roots: Sequence[str]) -> Sealed:
    """Judge a sealed PDF completely under these roots (SHA-256 fingerprints), or raise Corrupt."""
    report = Report(pdf)
    report.check_whole()
    return report.check_seal(seal_roots, tsa_roots)


async def _judge(
    sig: Any, seals: Sequence[asn1_x509.Certificate], stamps: Sequence[asn1_x509.Certificate]
) -> Any:
    revocation = CertRevTrustPolicy(REQUIRE_REVINFO)
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=seals), revinfo_policy=revocation
        ),
        ts_cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=stamps), revinfo_policy=revocation
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
        ),
    )
    # What came after the seal is compared by `check_whole`, once.
    return await ades.ades_lta_validation(sig, PdfSignatureValidationSpec(spec, diff_policy=None))


def _cert(pem: str) -> asn1_x509.Certificate:
    return next(iter(load_certs_from_pemder_data(pem.encode())))


def _crl(pem: str) -> asn1_crl.CertificateList:
    from asn1crypto import pem as asn1_pem

    return asn1_crl.CertificateList.load(asn1_pem.unarmor(pem.encode())[2])


def _private(identity: Identity) -> Any:
    from asn1crypto import keys

    return keys.PrivateKeyInfo.load(
        identity.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _plain(value: Any) -> Any:
    """Return a PDF value as plain data; references stay references, so nothing is followed."""
    if isinstance(value, generic.IndirectObject):
        return f"ref {value.idnum} {value.generation}"
    if isinstance(value, generic.DictionaryObject):
        return {str(k): _plain(value.raw_get(k)) for k in value}
    if isinstance(value, generic.ArrayObject):
        return [_plain(value.raw_get(n)) for n in range(len(value))]
    return repr(value)


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
