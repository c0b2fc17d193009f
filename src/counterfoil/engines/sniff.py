"""What a file is, told by its first bytes and never by its name; everything is at least a file we cannot show.

>>> sniff(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(8)).media_type
'image/png'
>>> sniff(b"MZ\\x90\\x00").word
'a file we cannot show'

What it is called here decides the extension it is stored under and the type it is handed out with. It is a label and
never a permission: nothing is opened outside the sandbox and nothing is served as what it claims to be.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, the extension we store it under and a plain word for it."""

    media_type: str
    extension: str
    word: str


KNOWN = (
    Kind("image/jpeg", "jpg", "photo"),
    Kind("image/png", "png", "picture"),
    Kind("image/gif", "gif", "picture"),
    Kind("image/webp", "webp", "picture"),
    Kind("image/heic", "heic", "photo"),
    Kind("video/mp4", "mp4", "video"),
    Kind("video/quicktime", "mov", "video"),
    Kind("video/x-matroska", "mkv", "video"),
    Kind("video/x-msvideo", "avi", "video"),
    Kind("video/mpeg", "mpg", "video"),
    Kind("video/x-dhav", "dav", "CCTV recording"),
    Kind("audio/mpeg", "mp3", "sound"),
    Kind("audio/wav", "wav", "sound"),
    Kind("audio/mp4", "m4a", "sound"),
    Kind("audio/flac", "flac", "sound"),
    Kind("audio/ogg", "ogg", "sound"),
    Kind("image/tiff", "tif", "picture"),
    Kind("image/bmp", "bmp", "picture"),
    Kind("image/avif", "avif", "picture"),
    Kind("video/mp2t", "ts", "video"),
    Kind("video/x-flv", "flv", "video"),
    Kind("video/x-ms-asf", "asf", "video"),
    Kind("video/webm", "webm", "video"),
    Kind("audio/amr", "amr", "sound"),
    Kind("audio/aac", "aac", "sound"),
    Kind("application/pdf", "pdf", "document"),
    Kind("application/zip", "zip", "packed folder"),
    Kind("application/gzip", "gz", "packed file"),
    Kind("application/x-7z-compressed", "7z", "packed folder"),
    Kind("application/vnd.rar", "rar", "packed folder"),
    Kind("application/x-ole-storage", "ole", "document"),
    Kind("message/rfc822", "eml", "message"),
    Kind("text/html", "htm", "web page"),
    Kind("image/svg+xml", "svg", "drawing"),
    Kind("application/xml", "xml", "data"),
    Kind("text/plain", "txt", "text"),
)
UNKNOWN = Kind("application/octet-stream", "bin", "a file we cannot show")
_BY_TYPE = {k.media_type: k for k in KNOWN}
NEEDED = 512
# By the first bytes alone, in this order.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"DHAV", "video/x-dhav"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)


def sniff(head: bytes) -> Kind:
    """Return the kind of a file from its first `NEEDED` bytes; `UNKNOWN` when they tell nothing. Never refuses."""
    return _BY_TYPE.get(_type_of(head[:NEEDED]), UNKNOWN)


def _type_of(head: bytes) -> str:
    for beginning, found in _BEGINNINGS:
        if head.startswith(beginning):
            return found
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _mp4_family(head[8:12])
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "video/quicktime"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    if len(head) > 188 and head[0] == 0x47 == head[188]:
        return "video/mp2t"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:
        return "audio/mpeg"
    return _text(head)


def _mp4_family(brand: bytes) -> str:
    if brand in (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis"):
        return "image/heic"
    if brand in (b"avif", b"avis"):
        return "image/avif"
    if brand == b"qt  ":
        return "video/quicktime"
    return "audio/mp4" if brand in (b"M4A ", b"M4B ") else "video/mp4"


def _text(head: bytes) -> str:
    """Return the type of plain text, mark-up and messages; "" when it is none of them."""
    if not head or b"\x00" in head:
        return ""
    try:
        words = head.decode("utf-8").lstrip("\ufeff \t\r\n").casefold()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a character cut off at the end is no sign of anything
            return ""
        words = head[: error.start].decode("utf-8").lstrip("\ufeff \t\r\n").casefold()
    if words.startswith(("<!doctype html", "<html", "<head", "<body", "<script")):
        return "text/html"
    if words.startswith(("<?xml", "<svg", "<!doctype svg")):
        return "image/svg+xml" if "<svg" in words else "application/xml"
    if words.startswith(("from:", "mime-version:", "received:", "return-path:")):
        return "message/rfc822"
    return "text/plain" if all(c.isprintable() or c in "\t\r\n\f" for c in words) else ""
