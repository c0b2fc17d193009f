"""What a file is, told by its first bytes and never by its name.

>>> sniff(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(8)).media_type
'image/png'
>>> sniff(b"MZ programme") is None
True
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of file we accept: its media type, the extension we store it under and a plain word for it."""

    media_type: str
    extension: str
    word: str


ACCEPTED = (
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
    Kind("application/pdf", "pdf", "document"),
)
_BY_TYPE = {k.media_type: k for k in ACCEPTED}
NEEDED = 512


def sniff(head: bytes) -> Kind | None:
    """Return the kind of a file from its first `NEEDED` bytes, or None when it is not one we accept."""
    found: str | None = None
    if head.startswith(b"\xff\xd8\xff"):
        found = "image/jpeg"
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        found = "image/png"
    elif head.startswith((b"GIF87a", b"GIF89a")):
        found = "image/gif"
    elif head.startswith(b"RIFF") and len(head) >= 12:
        found = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}.get(head[8:12])
    elif len(head) >= 12 and head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis"):
            found = "image/heic"
        elif brand == b"qt  ":
            found = "video/quicktime"
        elif brand in (b"M4A ", b"M4B "):
            found = "audio/mp4"
        else:
            found = "video/mp4"
    elif head[4:8] in (b"moov", b"mdat", b"wide", b"free") and len(head) >= 8:
        found = "video/quicktime"
    elif head.startswith(b"\x1a\x45\xdf\xa3"):
        found = "video/x-matroska"
    elif head.startswith((b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")):
        found = "video/mpeg"
    elif head.startswith(b"DHAV"):
        found = "video/x-dhav"
    elif head.startswith(b"fLaC"):
        found = "audio/flac"
    elif head.startswith(b"OggS"):
        found = "audio/ogg"
    elif head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        found = "audio/mpeg"
    elif head.startswith(b"%PDF-"):
        found = "application/pdf"
    return _BY_TYPE.get(found) if found else None
