"""Make the pictures under docs/pictures: tell the story on a throw-away installation and photograph its pages.

Run: `.venv/bin/python tools/pictures.py [OUT] [CRIMES]`. Needs Chromium and pdftoppm. CRIMES is a folder of
data.police.uk CSV files for the board; without it the board says that it holds nothing.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"phone": (360, 780), "tablet": (768, 1024), "laptop": (1366, 768)}


def main() -> None:
    """Tell the story, then photograph every page of note at three widths and, on the desk, in both themes."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    crimes = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    out.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="counterfoil-pictures-"))
    os.environ |= {"COUNTERFOIL_HOME": str(home), "DJANGO_SETTINGS_MODULE": "counterfoil.config.settings"}
    import django

    django.setup()
    from django.core.management import call_command

    from counterfoil.demo.run import _free_port, _wait_for
    from counterfoil.demo.story import Story
    from counterfoil.demo.town import build

    call_command("migrate", verbosity=0)
    players = build()
    port = _free_port()
    origin = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "counterfoil.cli", "serve", "--port", str(port)],
        env={**os.environ, "COUNTERFOIL_ORIGIN": origin},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        if crimes:
            from counterfoil.accounts.rules import Viewer
            from counterfoil.measures.actions import import_crimes

            import_crimes([crimes], by=Viewer.clock())
        story = Story(origin, players, lambda _: None)
        from counterfoil.demo.evidence import make_clip, make_photo

        files = [make_clip(home / "side-gate.mp4"), make_photo(home / "window.jpg")]
        story.report(files)
        waiting = Story(origin, players, lambda _: None)
        waiting.report([files[1]])
        desk = story.sign_in(players["alice"])
        story.work(desk, players["priya"])
        bench = story.sign_in(players["priya"])
        story.release(bench)
        story.defend()
        visitor, _ = Story(origin, players, lambda _: None).answer(files)
        _photograph(out, origin, desk.cookies, bench.cookies, visitor.cookies, story)
        _report(out, story.bundle)
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _photograph(
    out: Path,
    origin: str,
    desk: dict[str, str],
    bench: dict[str, str],
    visitor: dict[str, str],
    story: "object",
) -> None:
    from playwright.sync_api import sync_playwright

    from counterfoil.demo.browser import Browser

    staff = Browser(origin)
    staff.cookies = dict(desk)
    case = next(
        h
        for h, _ in staff.get("/desk/cases?state=closed").links
        if h.startswith("/desk/cases/") and h.count("/") == 3
    )
    waiting = staff.get("/desk/queue").link_with("/desk/cases/").replace(origin, "")
    court = Browser(origin)
    court.cookies = dict(bench)
    bundle = court.get("/bench/").link_with("/bench/bundles/").replace(origin, "")
    pages: dict[str, tuple[str, dict[str, str]]] = {
        "portal-start": ("/", {}),
        "portal-start-welsh": ("/cy/", {}),
        "portal-check": ("/check", visitor),
        "receipt-check": ("/receipt", {}),
        "track": ("/track", {}),
        "sign-in": ("/staff/sign-in", {}),
        "desk-duties": ("/desk/", desk),
        "desk-queue": ("/desk/queue", desk),
        "desk-case": (case, desk),
        "desk-waiting": (waiting, desk),
        "desk-triage": (f"{waiting}/triage", desk),
        "desk-timeline": (f"{case}/timeline", desk),
        "desk-why": (f"{case}/why", desk),
        "bench-list": ("/bench/", bench),
        "bench-bundle": (bundle, bench),
        "bench-open": ("/bench/open/" + story.link.rsplit("/", 1)[-1], {}),  # type: ignore[attr-defined]
        "board": ("/board/", {}),
        "board-force": ("/board/force/cleveland/", {}),
        "board-targets": ("/board/targets/", {}),
        "board-prove-it": ("/board/prove-it/", {}),
        "board-compare": ("/board/compare/", {}),
        "board-over-time": ("/board/over-time/?measure=charged", {}),
        "board-number": ("/board/number/charged.cleveland.2021-03_2022-02.burglary/", {}),
    }
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, (path, cookies) in pages.items():
            for width, (w, h) in WIDTHS.items():
                for theme in (
                    ("light", "dark") if name.startswith("desk") and width == "laptop" else ("light",)
                ):
                    context = browser.new_context(viewport={"width": w, "height": h}, color_scheme=theme)
                    context.add_cookies([{"name": k, "value": v, "url": origin} for k, v in cookies.items()])
                    page = context.new_page()
                    page.goto(origin + path)
                    end = "-dark" if theme == "dark" else ""
                    page.screenshot(
                        path=str(out / f"{name}-{width}{end}.png"),
                        full_page=width != "laptop" or "board" in name,
                    )
                    context.close()
        browser.close()


def _report(out: Path, bundle: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle)) as z, tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "report.pdf"
        pdf.write_bytes(z.read(next(n for n in z.namelist() if n.endswith("data/report.pdf"))))
        subprocess.run(["pdftoppm", "-r", "70", "-png", "-l", "6", str(pdf), str(out / "report")], check=True)


if __name__ == "__main__":
    main()
