"""Keep a log as a folder of static files in the C2SP tlog-tiles layout.

Tiles are written and made durable first; renaming `checkpoint` into place is what publishes them. Everything
but the checkpoint can be built again from the entries.

>>> import tempfile
>>> from counterfoil.engines.tlog.checkpoint import checkpoint_text
>>> from counterfoil.engines.tlog.notes import Signer, sign_note
>>> log, folder = Signer.from_seed("counterfoil.example/log", bytes(32)), tempfile.TemporaryDirectory()
>>> tiles = TileDir(folder.name)
>>> entries = [bytes([n]) * 32 for n in range(3)]
>>> tiles.append(0, entries)
>>> tiles.publish_checkpoint(sign_note(checkpoint_text(log.name, 3, tiles.root(3)), [log]))
>>> tiles.size(), len(tiles.inclusion(1, 3))
(3, 2)
>>> folder.cleanup()
"""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from counterfoil.engines import disk
from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog.checkpoint import Checkpoint, parse_checkpoint
from counterfoil.engines.tlog.frontier import Frontier
from counterfoil.engines.tlog.hashing import ProvingTree, leaf_hash, node_hash
from counterfoil.engines.tlog.notes import split_note

WIDTH = 256
MAX_ENTRY = 65_535
_TEMPORARY = ".tmp-"


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return a tile's path inside the log: `tile/<level>/<index in groups of three>[.p/<width>]`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    name = "/".join(reversed(groups))
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def layout(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, index, width) of every hash tile of a log of `size` entries."""
    level, count = 0, size
    while count:
        for index in range(count // WIDTH):
            yield level, index, WIDTH
        if count % WIDTH:
            yield level, count // WIDTH, count % WIDTH
        level, count = level + 1, count // WIDTH


def _fold(hashes: list[bytes]) -> bytes:
    """Hash a power of two of neighbours up to one."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def _packed(entries: Sequence[bytes]) -> bytes:
    """Write entries as an entry bundle: each after its length in two bytes, big end first."""
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise Corrupt(f"A log entry has at most {MAX_ENTRY} bytes; log commitments, not files.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _unpacked(data: bytes) -> list[bytes]:
    entries, place = [], 0
    while place < len(data):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if place + 2 > len(data) or end > len(data):
            raise Corrupt("An entry bundle is cut short.")
        entries.append(data[place + 2 : end])
        place = end
    return entries


class TileDir(ProvingTree):
    """Write, publish, read and check one log's folder. One writer at a time; any number of readers."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._cache: dict[tuple[int, int], bytes] = {}

    # writing

    def append(self, old_size: int, entries: Sequence[bytes]) -> None:
        """Write the tiles for these entries (commitments) after the first `old_size`; publish afterwards."""
        self.write_tiles(old_size, [leaf_hash(entry) for entry in entries], entries)

    def write_tiles(
        self, old_size: int, leaf_hashes: Sequence[bytes], entries: Sequence[bytes] | None = None
    ) -> None:
        """Write and make durable every tile that these leaf hashes add to or complete.

        With `entries` (whose leaf hashes they must be) the entry bundles are written too. A tile that is
        already there with other bytes raises Corrupt: a log is never rewritten. May be repeated after a
        crash.
        """
        if any(len(h) != 32 for h in leaf_hashes):
            raise Corrupt("A leaf hash must have 32 bytes.")
        with disk.told():
            self._write(old_size, leaf_hashes, entries, replace=False)

    def rebuild(self, leaf_hashes: Sequence[bytes], entries: Sequence[bytes] | None = None) -> None:
        """Write every tile again from all the leaf hashes, mending what is missing or damaged.

        Refuses with Corrupt when these leaves are not those of the checkpoint that is published here.
        """
        published = self.published()
        if published is not None:
            point = parse_checkpoint(split_note(published)[0])
            edge = Frontier.empty().append_all(leaf_hashes[: point.size])
            if (edge.size, edge.root()) != (point.size, point.root):
                raise Corrupt("These entries are not those of the checkpoint that this log has published.")
        with disk.told():
            self._write(0, leaf_hashes, entries, replace=True)

    def publish_checkpoint(self, note: str) -> None:
        """Put the signed checkpoint in place, durably and at once, after its tiles have been written.

        Refuses with Corrupt when the tiles do not give its root, or the log would shrink or change its past.
        """
        point = parse_checkpoint(split_note(note)[0])
        self._cache.clear()
        if self._root(point.size) != point.root:
            raise Corrupt("The tiles of this log do not give the root hash of this checkpoint.")
        old = self.published()
        before = parse_checkpoint(split_note(old)[0]) if old is not None else None
        if before is not None:
            if before.origin != point.origin:
                raise Corrupt("This checkpoint belongs to another log.")
            if before.size > point.size or self._root(before.size) != before.root:
                raise Corrupt("This checkpoint would rewrite what the log has already published.")
        with disk.told():
            folders = self._folders(self.path)
            self._put(self.path / "checkpoint", note.encode("utf-8"))
            self._sync_folders(folders)
        self._drop_partials(before.size if before else 0, point.size)

    def sweep(self) -> int:
        """Remove what a stopped writer left half-written and return how many; call it when no writer is at work."""
        left = list(self.path.rglob(f"{_TEMPORARY}*"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _write(
        self, old_size: int, leaf_hashes: Sequence[bytes], entries: Sequence[bytes] | None, *, replace: bool
    ) -> None:
        self._cache.clear()
        if entries is not None and [leaf_hash(entry) for entry in entries] != list(leaf_hashes):
            raise Corrupt("These entries do not have these leaf hashes.")
        if not leaf_hashes:
            return
        folders: set[Path] = set()
        hashes, start, level = list(leaf_hashes), old_size, 0
        if entries is not None:
            first = start // WIDTH
            have = self._entries(first, start % WIDTH) if start % WIDTH else []
            bundle = [*have, *entries]
            for place in range(0, len(bundle), WIDTH):
                part = bundle[place : place + WIDTH]
                path = tile_path("entries", first + place // WIDTH, len(part))
                self._put_tile(path, _packed(part), folders, replace)
        while hashes:
            first = start // WIDTH
            row = [*self._tile(level, first, start % WIDTH), *hashes]
            above = []
            for place in range(0, len(row), WIDTH):
                part = row[place : place + WIDTH]
                self._put_tile(
                    tile_path(level, first + place // WIDTH, len(part)), b"".join(part), folders, replace
                )
                if len(part) == WIDTH:
                    above.append(_fold(part))
            hashes, start, level = above, first, level + 1
        self._sync_folders(folders)

    def _put_tile(self, name: str, data: bytes, folders: set[Path], replace: bool) -> None:
        path = self.path / name
        try:
            there = path.read_bytes()
        except FileNotFoundError:
            there = None
        if there is not None and there != data and not replace:
            raise Corrupt(f"The log already holds {name} with other bytes; a log is never rewritten.")
        folders |= self._folders(path.parent)
        if there != data:
            self._put(path, data)

    def _folders(self, folder: Path) -> set[Path]:
        """Make a folder and return it with every folder above it, up to the one that holds the log."""
        folder.mkdir(parents=True, exist_ok=True)
        found = {folder, self.path.parent}
        while folder != self.path:
            folder = folder.parent
            found.add(folder)
        return found

    def _drop_partials(self, old: int, new: int) -> None:
        """Remove partial tiles that the published log no longer needs, now that the full ones are there."""
        level = 0
        while old < new and new:
            if old % WIDTH and old // WIDTH < new // WIDTH:
                for kind in (level, "entries") if level == 0 else (level,):
                    full = self.path / tile_path(kind, old // WIDTH)
                    if full.exists():
                        shutil.rmtree(full.with_name(full.name + ".p"), ignore_errors=True)
            old, new, level = old // WIDTH, new // WIDTH, level + 1

    def _put(self, path: Path, data: bytes) -> None:
        """Write a file durably under a temporary name and rename it into place; the caller syncs the folder."""
        temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            disk.sync(file.fileno(), self.path)
        temporary.replace(path)

    def _sync_folders(self, folders: set[Path]) -> None:
        """Make names durable, deepest folder first; an error here is not retried."""
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            disk.sync_folder(folder, self.path)

    # reading

    def published(self) -> str | None:
        """Return the signed checkpoint that is published, or None."""
        try:
            return (self.path / "checkpoint").read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise Corrupt("The log's checkpoint is not text.") from None

    def size(self) -> int:
        """Return how many entries the published checkpoint covers; 0 before the first."""
        note = self.published()
        return parse_checkpoint(split_note(note)[0]).size if note is not None else 0

    def root(self, size: int) -> bytes:
        """Return the root hash of the first `size` leaves as the tiles give it; Corrupt if one is missing."""
        return self._root(size)

    def _root(self, size: int) -> bytes:
        return super().root(size)

    def _limit(self) -> int:
        return 2**63 - 1

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """Return the leaf hashes start..end-1."""
        found: list[bytes] = []
        while start < end:
            index, offset = divmod(start, WIDTH)
            width = min(WIDTH, end - index * WIDTH)
            found += self._tile(0, index, width)[offset:]
            start = index * WIDTH + width
        return found

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries start..end-1, if this log keeps entry bundles."""
        found: list[bytes] = []
        while start < end:
            index, offset = divmod(start, WIDTH)
            width = min(WIDTH, end - index * WIDTH)
            found += self._entries(index, width)[offset:]
            start = index * WIDTH + width
        return found

    def complete(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree number `index` of 2^level leaves, from its tile."""
        tile_level, inside = divmod(level, 8)
        first = index << inside
        count = 1 << inside
        tile, offset = divmod(first, WIDTH)
        return _fold(self._tile(tile_level, tile, offset + count)[offset : offset + count])

    def _tile(self, level: int, index: int, width: int) -> list[bytes]:
        """Return the first `width` hashes of a tile."""
        if not width:
            return []
        data = self._cache.get((level, index), b"")
        if len(data) < 32 * width:
            data = self._read(level, index, width)
            if len(data) % 32 or not 32 * width <= len(data) <= 32 * WIDTH:
                raise Corrupt(f"The log's {tile_path(level, index, width)} has the wrong length.")
            if len(self._cache) > 256:
                self._cache.clear()
            self._cache[level, index] = data
        return [data[place : place + 32] for place in range(0, 32 * width, 32)]

    def _entries(self, index: int, width: int) -> list[bytes]:
        entries = _unpacked(self._read("entries", index, width))
        if len(entries) < width:
            raise Corrupt(f"The log's {tile_path('entries', index, width)} has too few entries.")
        return entries[:width]

    def _read(self, level: int | str, index: int, width: int) -> bytes:
        """Read a tile of at least this width: the full one, this partial one, or the next wider one."""
        full = self.path / tile_path(level, index)
        for path in (full, self.path / tile_path(level, index, width)):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
        try:
            names = [path.name for path in full.with_name(f"{full.name}.p").iterdir()]
            wider = sorted(int(name) for name in names if name.isascii() and name.isdigit())
        except (FileNotFoundError, NotADirectoryError):
            wider = []
        for other in wider:
            if other > width:
                return (self.path / tile_path(level, index, other)).read_bytes()
        raise Corrupt(f"The log's {tile_path(level, index, width)} is missing.")

    # checking

    def fsck(self, checkpoint: Checkpoint | str) -> list[str]:
        """Build the whole tree again from the lowest tiles and list every fault as a sentence; [] means none.

        `checkpoint` is what the log should be: a Checkpoint, or the text of one, trusted by the caller.
        """
        self._cache.clear()
        if isinstance(checkpoint, str):
            checkpoint = parse_checkpoint(checkpoint)
        faults: list[str] = []
        row: list[bytes] = []
        for index in range(-(-checkpoint.size // WIDTH)):
            try:
                row += self._exact(0, index, min(WIDTH, checkpoint.size - index * WIDTH))
            except Corrupt as corrupt:
                faults.append(str(corrupt))
        if faults:
            return faults
        if Frontier.empty().append_all(row).root() != checkpoint.root:
            faults.append(
                f"The log's {checkpoint.size} leaf hashes do not give the root hash of its checkpoint."
            )
        if (self.path / "tile/entries").exists():
            faults += self._fsck_entries(row)
        level = 0
        while len(row) >= WIDTH:
            row = [_fold(row[i : i + WIDTH]) for i in range(0, len(row) - WIDTH + 1, WIDTH)]
            level += 1
            for place in range(0, len(row), WIDTH):
                part = row[place : place + WIDTH]
                try:
                    if self._exact(level, place // WIDTH, len(part)) != part:
                        faults.append(
                            f"The log's {tile_path(level, place // WIDTH, len(part))} has wrong hashes."
                        )
                except Corrupt as corrupt:
                    faults.append(str(corrupt))
        return faults + self._fsck_files()

    def _exact(self, level: int, index: int, width: int) -> list[bytes]:
        name = tile_path(level, index, width)
        try:
            data = (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            full = self.path / tile_path(level, index)
            if width == WIDTH or not full.exists():
                raise Corrupt(f"The log's {name} is missing.") from None
            data = full.read_bytes()[: 32 * width]
        if len(data) != 32 * width:
            raise Corrupt(f"The log's {name} has the wrong length.")
        return [data[place : place + 32] for place in range(0, len(data), 32)]

    def _fsck_entries(self, leaves: list[bytes]) -> list[str]:
        faults = []
        for place in range(0, len(leaves), WIDTH):
            part = leaves[place : place + WIDTH]
            try:
                if [leaf_hash(entry) for entry in self._entries(place // WIDTH, len(part))] != part:
                    faults.append(
                        f"The log's {tile_path('entries', place // WIDTH, len(part))} has wrong entries."
                    )
            except Corrupt as corrupt:
                faults.append(str(corrupt))
        return faults

    def _fsck_files(self) -> list[str]:
        return [
            f"The log's folder holds {path.relative_to(self.path)}, left behind by a writer that stopped."
            for path in sorted(self.path.rglob(f"{_TEMPORARY}*"))
        ]
