"""Keep a transparency log in the exact C2SP formats, and prove what is in it.

>>> log = Signer.from_seed("counterfoil.example/DEVELOPMENT-log", bytes(32))
>>> salt, body = bytes(32), {"act": "exhibit.sealed", "at": "2026-11-24T16:00:00Z"}
>>> leaves = [leaf_hash(b"an earlier entry"), leaf_hash(entry_commitment(salt, body))]
>>> edge = Frontier.empty().append_all(leaves)
>>> note = sign_note(checkpoint_text(log.name, edge.size, edge.root()), [log])
>>> proof = tlog_proof(1, prove_inclusion(leaves, 1, 2), note)

Years later, with the log's public key and nothing else of ours:

>>> found = parse_tlog_proof(proof)
>>> point = parse_checkpoint(open_note(found.checkpoint, [Verifier.from_vkey(log.vkey)]).text)
>>> check_inclusion(leaf_hash(entry_commitment(salt, body)), found.index, point.size, found.proof, point.root)
True
"""

from counterfoil.engines.tlog.canonical import canonical_json, entry_commitment, jcs, strict_json
from counterfoil.engines.tlog.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint
from counterfoil.engines.tlog.frontier import Frontier
from counterfoil.engines.tlog.hashing import (
    EMPTY_ROOT,
    LeafTree,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
)
from counterfoil.engines.tlog.notes import (
    AnySigner,
    AnyVerifier,
    CosignSigner,
    CosignVerifier,
    OpenedNote,
    Signature,
    Signer,
    Verifier,
    add_signatures,
    open_note,
    sign_note,
    split_note,
)
from counterfoil.engines.tlog.policy import Group, JudgedCheckpoint, Log, Policy, Root, Witness
from counterfoil.engines.tlog.proof import TlogProof, parse_tlog_proof, tlog_proof
from counterfoil.engines.tlog.tiles import TileDir, tile_path

__all__ = [
    "EMPTY_ROOT",
    "AnySigner",
    "AnyVerifier",
    "Checkpoint",
    "CosignSigner",
    "CosignVerifier",
    "Frontier",
    "Group",
    "JudgedCheckpoint",
    "LeafTree",
    "Log",
    "OpenedNote",
    "Policy",
    "Root",
    "Signature",
    "Signer",
    "TileDir",
    "TlogProof",
    "Verifier",
    "Witness",
    "add_signatures",
    "canonical_json",
    "check_consistency",
    "check_inclusion",
    "checkpoint_text",
    "entry_commitment",
    "jcs",
    "leaf_hash",
    "node_hash",
    "open_note",
    "parse_checkpoint",
    "parse_tlog_proof",
    "prove_consistency",
    "prove_inclusion",
    "sign_note",
    "split_note",
    "strict_json",
    "tile_path",
    "tlog_proof",
]
