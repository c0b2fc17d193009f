"""What an operator does about the log by the command line: its standing, its keys, its decisions."""

import argparse
from datetime import datetime
from pathlib import Path

from counterfoil.accounts.queries import viewer_named
from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger import actions, queries
from counterfoil.plugs.keys import keys, make_missing, periods


def log(args: argparse.Namespace) -> int:
    """Tell the log's standing, reconcile it after a restore, erase again what came back, or write its timestamps."""
    if args.what == "status":
        print(queries.anchoring().sentence)
        if (gone := queries.lost()) is not None:
            print(gone.sentence)
        for sentence in actions.standing().sentences:
            print(sentence)
        return 0
    if args.what == "reconcile":
        return _reconcile(args)
    if args.what == "replay-erasures":
        print(f"{actions.replay_erasures()} entries were erased again.")
        return 0
    return _stamps(args)


def _reconcile(args: argparse.Namespace) -> int:
    copy = Path(args.from_) if args.from_ else None
    found = actions.standing(copy)
    for sentence in found.sentences:
        print(sentence)
    if not args.reason:
        if found.possible and (found.longest is not None or queries.halted() is not None):
            print(
                'To decide: counterfoil log reconcile --by USERNAME --reason "what happened, why signing may go on"'
            )
        return 0 if found.possible and queries.halted() is None and found.longest is None else 1
    person = viewer_named(args.by or "")
    if not person.has("administrator"):
        raise NotAllowed("Say who decides with --by USERNAME: an administrator of this installation.")
    done = actions.reconcile(args.reason, by=person, copy=copy)
    print(
        f"Decided. The log goes on from {done.need} entries; the reason is kept and the decision is an entry."
    )
    return 0


def _stamps(args: argparse.Namespace) -> int:
    if args.size is None or not args.out:
        raise BadInput("size", "Say of which checkpoint, and where to: counterfoil log stamps SIZE --out DIR")
    point = queries.checkpoint_of(args.size)
    if point is None:
        raise BadInput("size", f"There is no checkpoint of size {args.size}.")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "checkpoint").write_text(queries.note_of(point), encoding="utf-8")
    found = queries.stamps_of(point)
    for stamp in found:
        (out / f"{stamp.name}.tsr").write_bytes(stamp.tsr)
        for n, reply in enumerate(stamp.renewals, 1):
            (out / f"{stamp.name}.renewed-{n}.tsr").write_bytes(reply)
        (out / f"{stamp.name}.chain.pem").write_text("".join(stamp.chain))
        (out / f"{stamp.name}.crls.pem").write_text("".join(stamp.crls))
    print(f"{len(found)} stamps of the checkpoint of size {args.size} are in {out}.")
    return 0 if found else 1


def change_keys(args: argparse.Namespace) -> int:
    """Show the public keys and their history, make the missing ones, or rotate or revoke one."""
    if args.new:
        for role in make_missing():
            print(f"Made a new {role} key.")
    keys()
    if args.what in ("rotate", "revoke"):
        if not args.role:
            raise BadInput("role", f"Say which: counterfoil keys {args.what} log, receipt or manifest")
        if args.what == "rotate":
            actions.rotate_key(args.role, by=Viewer.clock())
        else:
            since = datetime.fromisoformat(args.since) if args.since else None
            if since is not None and since.tzinfo is None:
                raise BadInput("since", "Give the time with its zone, like 2026-11-21T09:30:00Z.")
            actions.revoke_key(args.role, args.key or "", args.reason or "", by=Viewer.clock(), since=since)
        print(
            "Done. Publish the new policy (counterfoil policy), and tell your witnesses if it is the log's key."
        )
    for p in periods():
        if p.end is None or args.what:
            ends = "" if p.end is None else f"  until {p.end:%Y-%m-%dT%H:%M:%SZ}"
            gone = "" if p.revoked is None else f"  revoked {p.revoked:%Y-%m-%dT%H:%M:%SZ} {p.reason}"
            print(f"{p.vkey}{ends}{gone}")
    return 0
