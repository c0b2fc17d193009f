"""The command line: `counterfoil demo | serve | work | clock | verify | fsck | import | …`, each with its help."""

import argparse
import getpass
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from counterfoil import numbers
from counterfoil.accounts.rules import ROLES
from counterfoil.config import tables
from counterfoil.engines.errors import NotAllowed, Refusal
from counterfoil.reference.tables import kinds as table_kinds

ABOUT = """From report to court, and every number traceable.

Not for emergencies: call 999. Not approved by any force, prosecutor, court or department."""


def _django(*, migrate: bool = False) -> None:
    """Load settings and apps; bring the embedded database up to date when asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.config.settings")
    import django

    django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)


def _as_decided() -> None:
    """Erase again what a restored backup may have brought back, before anything is done with it."""
    from counterfoil.ledger.actions import replay_erasures

    replay_erasures()


def _corpus(folder: Path) -> int:
    """Judge every bundle of a corpus and compare with what is expected; 0 when all agree."""
    from counterfoil.engines.bundle import corpus
    from counterfoil.engines.errors import BadInput

    wrong = 0
    try:
        for row, word, failed in corpus.judge(folder):
            good = (word, failed) == (row.word, row.failed)
            wrong += not good
            found = f"{word} {failed or ''}".strip()
            print(f"{'ok' if good else 'DIFFERS':8} {found:34} {row.story}")
    except BadInput as refusal:
        print(refusal, file=sys.stderr)
        return 5
    print("All as expected." if not wrong else f"{wrong} differ from what is expected.")
    return 1 if wrong else 0


def _verify(args: argparse.Namespace) -> int:
    """Check a bundle; needs no database and no settings."""
    from counterfoil.engines import bundle

    if args.corpus:
        return _corpus(Path(args.path))
    policy: str | None = None
    if args.policy:
        try:
            policy = Path(args.policy).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as e:
            print(f"The policy cannot be read: {e}. Give the court's own policy file.", file=sys.stderr)
            return 5
    verdict = bundle.verify(Path(args.path), policy)
    if args.json:
        print(json.dumps(asdict(verdict), indent=2))
    else:
        print(bundle.render(verdict))
    return verdict.exit_code


def _fsck(args: argparse.Namespace) -> int:
    """Run every check of promises, vault, quarantine, ledger, log and database."""
    _django()
    from counterfoil.config.fsck import fsck
    from counterfoil.engines.sandbox import strength

    print(strength().sentence)
    wrong = fsck()
    for sentence in wrong:
        print(sentence)
    print(f"{len(wrong)} fault{'' if len(wrong) == 1 else 's'} found." if wrong else "Everything checks.")
    return 1 if wrong else 0


def _work(args: argparse.Namespace) -> int:
    """Do background work until told to stop."""
    _django()
    _as_decided()
    from django.core.management import call_command

    options: dict[str, object] = {"interval": 0.5, "verbosity": 0}
    if args.once:
        options["batch"] = True
    call_command("db_worker", **options)
    return 0


def tick() -> None:
    """Do once what the clock does: sweep duties, sequence the log, send notices, tidy drafts and ended sessions."""
    import logging

    from django.core.management import call_command
    from django.db import close_old_connections
    from django.utils import timezone

    from counterfoil.accounts.rules import Viewer
    from counterfoil.config.fsck import clear_leftovers
    from counterfoil.courts.actions import sweep_bundles
    from counterfoil.duties.actions import sweep
    from counterfoil.evidence.copies import sweep_copies
    from counterfoil.evidence.custody import sweep_destroyed
    from counterfoil.evidence.extracts import sweep as sweep_extracts
    from counterfoil.evidence.redactions import sweep as sweep_redactions
    from counterfoil.evidence.restricting import ask_screening
    from counterfoil.ledger.actions import anchor, note_key_changes, renew, sequence
    from counterfoil.measures.integrity import sweep as sweep_integrity
    from counterfoil.measures.samples import draw_waiting
    from counterfoil.notices.actions import send_waiting
    from counterfoil.reports.actions import tidy

    close_old_connections()
    for job in (
        sweep,
        sequence,
        send_waiting,
        lambda: note_key_changes(by=Viewer.clock()),
        lambda: anchor(timezone.now()),
        lambda: renew(timezone.now()),
        lambda: tidy(timezone.now()),
        lambda: sweep_bundles(timezone.now()),
        lambda: ask_screening(timezone.now()),
        lambda: sweep_copies(timezone.now()),
        lambda: sweep_extracts(timezone.now()),
        lambda: sweep_redactions(timezone.now()),
        lambda: sweep_integrity(timezone.now()),
        draw_waiting,
        sweep_destroyed,
        # A session holds what was typed, and for a while the four words: none is kept longer than it lives.
        lambda: call_command("clearsessions"),
        clear_leftovers,
    ):
        try:
            job()
        except Exception:  # one failing job must not stop the others: what protects people runs on
            logging.getLogger(__name__).exception(
                "the clock could not finish one of its jobs; it will try again"
            )


def _clock(args: argparse.Namespace) -> int:
    """Sweep by the clock until told to stop."""
    _django()
    _as_decided()
    stop = _stopper()
    while not stop:
        tick()
        if args.once:
            return 0
        deadline = time.monotonic() + args.every
        while not stop and time.monotonic() < deadline:
            time.sleep(0.2)
    return 0


def _stopper() -> list[int]:
    """Return a list that stops being empty when the process is asked to end."""
    asked: list[int] = []
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda number, _: asked.append(number))
    return asked


def web_command(
    host: str,
    port: int,
    workers: int,
    *,
    app: str = "counterfoil.config.wsgi:application",
    threads: int = 128,
) -> list[str]:
    """Return the command that runs a web server."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads), "--no-access-log", "--log-level", "warning", app,
    ]  # fmt: skip


def _serve(args: argparse.Namespace) -> int:
    """Run web, work and clock together; if one ends, it is started again."""
    _django(migrate=True)
    from django.conf import settings

    if not settings.PRODUCTION and args.host not in ("127.0.0.1", "::1", "localhost"):
        raise NotAllowed(
            "Development mode has keys that everybody knows, so it serves this machine only. "
            "Leave --host out, or set COUNTERFOIL_MODE=production."
        )
    from counterfoil.config.fsck import clear_leftovers
    from counterfoil.ledger.actions import replay_erasures
    from counterfoil.plugs.keys import keys

    keys()
    replay_erasures()
    clear_leftovers(older=timedelta(0))
    me = [sys.executable, "-m", "counterfoil.cli"]
    commands = {
        "web": web_command(args.host, args.port, args.workers or os.cpu_count() or 1),
        "work": [*me, "work"],
        "clock": [*me, "clock"],
    }
    stop = _stopper()
    running = {name: subprocess.Popen(command) for name, command in commands.items()}
    started = dict.fromkeys(commands, time.monotonic())
    print(f"Serving on http://{args.host}:{args.port}/ (stop with Ctrl-C)", flush=True)
    while not stop:
        for name, process in running.items():
            if process.poll() is not None and time.monotonic() - started[name] > 2:
                print(f"{name} ended with {process.returncode}; starting it again", file=sys.stderr)
                running[name] = subprocess.Popen(commands[name])
                started[name] = time.monotonic()
        time.sleep(0.2)
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
    return 0


def _import(args: argparse.Namespace) -> int:
    """Import published tables, force boundaries, the list of forces, or an exported folder of evidence."""
    _django(migrate=True)
    from counterfoil.accounts.rules import Viewer

    if args.what == "forces":
        from counterfoil.places.actions import load_force
        from counterfoil.reference.forces import forces

        for f in forces():
            load_force(f.code, f.slug, f.name, by=Viewer.clock(), name_cy=f.name_cy or "")
        print(f"{len(forces())} forces are listed.")
        return 0
    if not args.paths and args.what != "own":
        print(f"Say which files to import, for example: counterfoil import {args.what} PATH", file=sys.stderr)
        return 2
    if args.what == "evidence":
        from counterfoil.accounts.queries import viewer_named
        from counterfoil.evidence.folders import find_case, import_folder

        viewer = viewer_named(args.by)
        taken = import_folder(Path(args.paths[0]), find_case(args.case, viewer), by=viewer)
        print("\n".join([*taken.sentences(), *(f"{label}  {pk}" for label, pk in taken.exhibits.items())]))
        return 0
    from counterfoil.config.tables import import_tables

    return import_tables(args.what, args.paths, args.released)


def _rederive(args: argparse.Namespace) -> int:
    """Carry out recipes again in the sandbox and compare with what is recorded."""
    _django()
    from counterfoil.evidence import rederive

    sources = {name: Path(path) for name, _, path in (s.partition("=") for s in args.source)}
    if args.master:
        found = rederive.rederive_paper(Path(args.what), Path(args.master), sources)
    else:
        found = rederive.rederive(rederive.find(args.what), sources)
    results = []
    for result in found:
        print(result.sentence(), flush=True)
        results.append(result)
    if not results:
        print("This exhibit is as it was received, and no copies were made of it.")
    return 0 if all(r.agrees for r in results) else 1


def _policy(args: argparse.Namespace) -> int:
    """Print the policy file that courts need, to be published outside every bundle."""
    _django()
    from counterfoil.courts.gather import policy_text

    print(policy_text(), end="")
    return 0


def _account(args: argparse.Namespace) -> int:
    """Open a staff account; the password is asked for, never given on the command line."""
    _django(migrate=True)
    from counterfoil.accounts.actions import grant, open_account
    from counterfoil.accounts.rules import Viewer

    password = getpass.getpass(f"Password for {args.username} (at least 12 characters): ")
    actor = open_account(args.username, args.name, password, by=Viewer.clock())
    grant(actor, args.role, force=args.force, by=Viewer.clock())
    print(
        f"{args.name} may now sign in as {args.username}. They set up their second factor when they first do."
    )
    return 0


def _keys(args: argparse.Namespace) -> int:
    """Show the public keys, make the missing ones, or rotate or revoke one."""
    _django()
    from counterfoil.config.operate import change_keys

    return change_keys(args)


def _log(args: argparse.Namespace) -> int:
    """Tell how the log stands, and what to do about it."""
    _django()
    from counterfoil.config.operate import log

    return log(args)


def _witness(args: argparse.Namespace) -> int:
    """Witness other installations' logs; needs no database and no settings."""
    from counterfoil.config import witness

    folder = Path(args.folder).absolute()
    if args.what == "key":
        print(witness.make_key(folder, args.name))
    elif args.what == "state":
        print("\n".join(witness.state(folder)))
    else:
        witness.open_book(folder)
        os.environ["COUNTERFOIL_WITNESS_FOLDER"] = str(folder)
        command = web_command(
            args.host, args.port, 1, app="counterfoil.config.witness:application", threads=16
        )
        os.execv(command[0], command)  # noqa: S606  (an argument list of our own)
    return 0


def _migrate(args: argparse.Namespace) -> int:
    """Bring the database up to date."""
    _django(migrate=True)
    print("The database is up to date.")
    return 0


def _demo(args: argparse.Namespace) -> int:
    """Tell one case from report to verified bundle through the real pages, or write the seven bundles of catch-us."""
    from counterfoil.demo.run import run

    return run(args)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="counterfoil", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = sub.add_parser("demo", help="serve the product and tell one case from report to verified bundle")
    demo.add_argument(
        "--evidence", nargs="+", metavar="FILE", default=[], help="real files to send as evidence"
    )
    demo.add_argument(
        "--story",
        choices=["court", "catch-us"],
        default="court",
        help="court: report to bundle; catch-us: one clean bundle and six doctored ones, to catch with verify.html",
    )
    demo.add_argument("--crimes", metavar="DIR", help="a folder of data.police.uk CSV files for the board")
    demo.add_argument("--out", metavar="DIR", help="put the bundle and the court's policy.txt here")
    demo.add_argument("--once", action="store_true", help="stop at the end instead of staying up")
    demo.add_argument("--json", metavar="FILE", help="write the table of steps to this file")
    demo.add_argument("--port", type=int, default=0, help="port to serve on (default: a free one)")
    demo.set_defaults(run=_demo)

    serve = sub.add_parser("serve", help="run web, work and clock together")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--workers", type=int, default=0, help="web processes (default: one a core)")
    serve.set_defaults(run=_serve)

    work = sub.add_parser("work", help="do background work, such as building bundles")
    work.add_argument("--once", action="store_true", help="stop when nothing waits")
    work.set_defaults(run=_work)

    clock = sub.add_parser("clock", help="sweep duties, send notices, sequence the log")
    clock.add_argument("--once", action="store_true", help="do it once and stop")
    clock.add_argument(
        "--every", type=float, default=5.0, metavar="SECONDS", help="pause between sweeps (default 5)"
    )
    clock.set_defaults(run=_clock)

    verify = sub.add_parser("verify", help="check a court bundle, offline, trusting only the court's policy")
    verify.add_argument("path", help="the bundle: a zip or an unpacked folder")
    verify.add_argument(
        "--policy", metavar="FILE", help="the court's own policy file, from outside the bundle"
    )
    verify.add_argument("--json", action="store_true", help="print the verdict as JSON")
    verify.add_argument(
        "--corpus", action="store_true", help="PATH is a corpus: judge all of it and compare (docs/corpus)"
    )
    verify.set_defaults(run=_verify)

    fsck = sub.add_parser("fsck", help="check every promise, the vault, the ledger, the log and the database")
    fsck.set_defaults(run=_fsck)

    imp = sub.add_parser(
        "import", help="import published tables, the list of forces, or a folder of evidence"
    )
    imp.add_argument("what", choices=["forces", "evidence", "boundaries", "own", "people", *table_kinds()])
    imp.add_argument("paths", nargs="*", metavar="PATH")
    imp.add_argument(
        "--released", default="", metavar="DAY", help="tables: the day of release, like 2024-01-25"
    )
    imp.add_argument("--case", default="", metavar="NUMBER", help="evidence: the case that it belongs to")
    imp.add_argument("--by", default="", metavar="USERNAME", help="evidence: the officer who takes it in")
    imp.set_defaults(run=_import)

    again = sub.add_parser("rederive", help="carry out a recipe again and compare the bytes and streams")
    again.add_argument("what", help="an exhibit's label or id; or a bundle's derivation.json with --master")
    again.add_argument("--master", metavar="FILE", help="the original that the recipes start from")
    again.add_argument(
        "--source", action="append", default=[], metavar="NAME=FILE", help="a file the recipe needs beside it"
    )
    again.set_defaults(run=_rederive)

    numbers.add(sub)
    tables.add(sub, lambda: _django(migrate=True))

    policy = sub.add_parser("policy", help="print the court's policy file for this installation")
    policy.set_defaults(run=_policy)

    account = sub.add_parser("account", help="open a staff account")
    account.add_argument("username")
    account.add_argument("name", help="the person's name, in quotes")
    account.add_argument(
        "role",
        choices=list(ROLES),
    )
    account.add_argument("--force", default="", help="two-character force code (not for prosecutors)")
    account.set_defaults(run=_account)

    key = sub.add_parser("keys", help="show public keys, make missing ones, rotate or revoke one")
    key.add_argument("what", nargs="?", choices=["history", "rotate", "revoke"])
    key.add_argument("role", nargs="?", choices=["log", "receipt", "manifest"])
    key.add_argument("--new", action="store_true", help="make the keys that are missing")
    key.add_argument("--key", metavar="ID", help="the eight hex digits of the key to revoke")
    key.add_argument(
        "--reason", choices=["lost", "stolen", "superseded", "mistake"], help="why it is revoked"
    )
    key.add_argument("--since", metavar="TIME", help="from when on nothing it signed counts (default: now)")
    key.set_defaults(run=_keys)

    log = sub.add_parser("log", help="how the log stands; reconcile it after a restore; its timestamps")
    log.add_argument("what", choices=["status", "reconcile", "replay-erasures", "stamps"])
    log.add_argument("size", nargs="?", type=int, help="with stamps: the size of the checkpoint")
    log.add_argument("--from", dest="from_", metavar="DIR", help="another copy of the log's folder")
    log.add_argument("--by", metavar="USERNAME", help="the administrator who decides")
    log.add_argument("--reason", metavar="TEXT", help="what happened, and why signing may go on")
    log.add_argument("--out", metavar="DIR", help="with stamps: where to write them")
    log.set_defaults(run=_log)

    wit = sub.add_parser("witness", help="witness other installations' logs")
    wit.add_argument("what", choices=["serve", "key", "state"])
    wit.add_argument("--folder", required=True, metavar="DIR", help="its key, its list of logs, its memory")
    wit.add_argument("--name", default="", help="with key: the name that its key carries")
    wit.add_argument("--host", default="127.0.0.1")
    wit.add_argument("--port", type=int, default=8900)
    wit.set_defaults(run=_witness)

    migrate = sub.add_parser("migrate", help="bring the database up to date")
    migrate.set_defaults(run=_migrate)
    return top


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code; a refusal is one sentence and code 2."""
    args = parser().parse_args(argv)
    try:
        code = args.run(args)
    except Refusal as e:
        print(str(e), file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
