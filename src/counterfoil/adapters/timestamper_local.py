"""A timestamp authority for development: real RFC 3161 replies under a certificate authority made on this machine.

Every name in it says DEVELOPMENT, so no verifier gives more than VERIFIED-UNWITNESSED for what it stamped.
"""

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from counterfoil.engines.bundle.identity import make_development_identity
from counterfoil.engines.bundle.stamp import check_reply, request
from counterfoil.engines.errors import BadInput, Corrupt

POLICY = "1.3.6.1.4.1.57264.99.1"  # only says: a development policy of no authority


class LocalAuthority:
    """Timestamper with its own development certificate authority, kept in `folder` (keys 0600)."""

    development = True

    def __init__(self, folder: str | Path) -> None:
        """Open the authority in `folder`, making it on first use; two processes make only one."""
        where = Path(folder)
        self._identity = make_development_identity(
            where, "timestamp authority", timestamping=True, now=datetime.now(UTC)
        )

    @property
    def chain(self) -> tuple[str, ...]:
        """Return the authority's certificates as PEM, leaf first, root last."""
        return self._identity.chain_pem

    @property
    def crls(self) -> tuple[str, ...]:
        """Return the authority's revocation lists as PEM."""
        return self._identity.crls_pem

    @property
    def root_sha256(self) -> str:
        """Return the fingerprint of the root, as a policy's `tsa-root` line names it."""
        return self._identity.root_sha256

    def stamp(self, digest: bytes) -> bytes:
        """Return a DER `TimeStampResp` over a SHA-256 digest, checked before it is handed out."""
        nonce, asked = request(digest)
        reply = self.answer(asked)
        check_reply(
            reply,
            digest,
            chain=self._identity.chain,
            roots=[self.root_sha256],
            crls=self._identity.crls,
            nonce=nonce,
        )
        return reply

    def holds(self, digest: bytes, stamp: bytes) -> bool:
        """Say whether `stamp` is a whole, valid reply of this authority over `digest`."""
        try:
            check_reply(
                stamp,
                digest,
                chain=self._identity.chain,
                roots=[self.root_sha256],
                crls=self._identity.crls,
            )
        except (Corrupt, BadInput):
            return False
        return True

    def answer(self, asked: bytes) -> bytes:
        """Answer a DER `TimeStampReq` as an authority does; a bad request gets a rejection, not an exception."""
        try:
            wanted = tsp.TimeStampReq.load(asked, strict=True)
            algorithm = wanted["message_imprint"]["hash_algorithm"]["algorithm"].native
            hashed = wanted["message_imprint"]["hashed_message"].native
            nonce = wanted["nonce"].native
        except (ValueError, TypeError, KeyError):
            return _rejection("bad_data_format")
        if algorithm != "sha256" or len(hashed) != 32:
            return _rejection("bad_alg")
        info = {
            "version": "v1",
            "policy": tsp.ObjectIdentifier(POLICY),
            "message_imprint": wanted["message_imprint"],
            "serial_number": secrets.randbits(63),
            "gen_time": core.GeneralizedTime(datetime.now(UTC)),
        }
        if nonce is not None:
            info["nonce"] = wanted["nonce"]
        return self._reply(tsp.TSTInfo(info).dump())

    def _reply(self, info: bytes) -> bytes:
        leaf = self._identity.chain[0]
        der = leaf.public_bytes(serialization.Encoding.DER)
        cert = asn1_x509.Certificate.load(der)
        sha = algos.DigestAlgorithm({"algorithm": "sha256"})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [sha256(info).digest()]}),
                cms.CMSAttribute(
                    {
                        "type": "signing_certificate_v2",
                        "values": [
                            tsp.SigningCertificateV2(
                                {"certs": [tsp.ESSCertIDv2({"cert_hash": sha256(der).digest()})]}
                            )
                        ],
                    }
                ),
            ]
        )
        key = self._identity.key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature, scheme = key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())), "sha256_ecdsa"
        else:
            signature = key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
            scheme = "sha256_rsa"
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                            {"issuer": cert.issuer, "serial_number": cert.serial_number}
                        )
                    }
                ),
                "digest_algorithm": sha,
                "signature_algorithm": cms.SignedDigestAlgorithm({"algorithm": scheme}),
                "signed_attrs": attributes,
                "signature": signature,
            }
        )
        token = cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": cms.SignedData(
                    {
                        "version": "v3",
                        "digest_algorithms": cms.DigestAlgorithms([sha]),
                        "encap_content_info": cms.EncapsulatedContentInfo(
                            {"content_type": "tst_info", "content": cms.ParsableOctetString(info)}
                        ),
                        "certificates": [cert],
                        "signer_infos": [signer],
                    }
                ),
            }
        )
        reply: bytes = tsp.TimeStampResp(
            {"status": tsp.PKIStatusInfo({"status": "granted"}), "time_stamp_token": token}
        ).dump()
        return reply


def _rejection(reason: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {reason}})
    der: bytes = status.dump()
    return b"\x30" + bytes([len(der)]) + der  # a TimeStampResp without a token
