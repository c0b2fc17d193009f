"""Falsifies unpacked bundles for the demonstration and the tests: every list mended, and signed where a key is held."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from counterfoil.engines.bundle import build, texts
from counterfoil.engines.bundle.archive import write_archive
from counterfoil.engines.tlog import Signer, jcs, sign_note

Files = dict[str, bytes]


def unpack(path: Path) -> tuple[str, Files]:
    """Return (top folder, files under it)."""
    with zipfile.ZipFile(path) as z:
        names = z.namelist()
        top = names[0].split("/")[0]
        return top, {n.partition("/")[2]: z.read(n) for n in names}


def pack(path: Path, top: str, files: Mapping[str, bytes]) -> Path:
    """Write files as one canonical archive and return its path."""
    write_archive(path, top, [build.member(p, c) for p, c in files.items()])
    return path


def sha(data: bytes) -> str:
    """Return a SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def tag(files: Files) -> Files:
    """Recompute the tag manifest only."""
    files = dict(files)
    files.pop("tagmanifest-sha256.txt", None)
    tags = {p: sha(c) for p, c in files.items() if not p.startswith("data/")}
    return {**files, "tagmanifest-sha256.txt": build.bag_manifest(tags)}


def rehash(files: Files, signer: Signer | None, name: str) -> Files:
    """Make every list of files fit these files again, and sign it if the forger has a manifest key."""
    files = {p: c for p, c in files.items() if p not in ("manifest.json", "tagmanifest-sha256.txt")}
    files["manifest-sha256.txt"] = build.bag_manifest(
        {p: sha(c) for p, c in files.items() if p.startswith("data/")}
    )
    listed = [
        {"path": p, "size": len(c), "sha256": sha(c)}
        for p, c in sorted(files.items())
        if p != "manifest.note"
    ]
    files["manifest.json"] = jcs({"format": build.NOTE, "name": name, "files": listed})
    if signer:
        files["manifest.note"] = sign_note(
            build.manifest_text(name, files["manifest.json"]), [signer]
        ).encode()
    return tag(files)


def relist(files: Files, **changes: Any) -> Files:
    """Make the exhibit list and bag-info fit papers and annexes again."""
    listed = listing(files)
    listed["papers"] = {p: sha(files[p]) for p in listed["papers"] if p in files}
    listed["annex"] = {p: sha(files[p]) for p in listed["annex"] if p in files}
    listed |= changes
    files = {**files, "data/exhibits.json": jcs(listed)}
    data = [c for p, c in files.items() if p.startswith("data/")]
    files["bag-info.txt"] = texts.bag_info(listed, f"{sum(map(len, data))}.{len(data)}")
    return files


def listing(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the exhibit list of an unpacked bundle."""
    found: dict[str, Any] = json.loads(files["data/exhibits.json"])
    return found


def events(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return the custody events of an unpacked bundle."""
    return [json.loads(line) for line in files["custody/events.jsonl"].splitlines()]


def append_revision(pdf: bytes) -> bytes:
    """Add a revision after everything else that puts other words on the first page."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    while page["/Type"] != "/Page":
        page = page["/Kids"][0]
    words = generic.StreamObject(stream_data=b"BT /F1 40 Tf 60 60 Td (never said) Tj ET")
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), writer.add_object(words)])
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def swapped(film: bytes) -> bytes:
    """Return a recording with two of its frames in each other's place, as a player would show it."""
    out = io.BytesIO()
    with av.open(io.BytesIO(film), "r") as source, av.open(out, "w", format="mp4") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        packets = [p for p in source.demux() if p.dts is not None]
        video = [n for n, p in enumerate(packets) if p.stream.type == "video"]
        a, b = video[3], video[4]
        for n, p in enumerate(packets):
            content = bytes(packets[{a: b, b: a}.get(n, n)])
            packet = av.Packet(content)
            packet.pts, packet.dts, packet.time_base, packet.duration = p.pts, p.dts, p.time_base, p.duration
            packet.is_keyframe = p.is_keyframe
            packet.stream = streams[p.stream.index]
            target.mux(packet)
    return out.getvalue()
