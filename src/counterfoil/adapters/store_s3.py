"""Keep the vault in a bucket of S3 or of anything that speaks S3 (needs the extra `s3`: boto3).

An object's key is its SHA-256, so whatever an answer left open (a PUT that timed out, a connection that broke after
the bytes were sent) is resolved by reading: nothing is called stored before it has been read back whole and hashed.
Objects are made with `If-None-Match: *` and a SHA-256 that the server checks, and are never overwritten. Give the
bucket versioning, and an object lock if your rules ask for one. Credentials come the way boto3 finds them.
"""

import base64
import hashlib
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from counterfoil.engines.disk import DiskFault, told
from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.vault import Stored, Vault

SILENT = "The store of files did not answer, so nothing was saved. Try again later."
UNREAD = "The store of files did not answer. Try again later."
BLOCK = 1 << 20
PART = 64 << 20  # more than this goes up in parts of this size, up to 625 GiB
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


class S3:
    """A bucket (`s3://bucket/prefix`); files pass through `incoming/` of the installation's home on their way."""

    def __init__(
        self, where: str, home: str, endpoint: str = "", region: str = "", wait: int = 10, patience: int = 60
    ) -> None:
        bucket, _, prefix = where.removeprefix("s3://").partition("/")
        self.bucket, self.prefix = bucket, f"{prefix.strip('/')}/".lstrip("/")
        self._incoming = Path(home) / "incoming"
        # Nothing is sent twice behind our back: what an answer left open is resolved by reading. We hash ourselves.
        once = Config(
            connect_timeout=wait,
            read_timeout=patience,
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self.client: Any = boto3.client(
            "s3", endpoint_url=endpoint or None, region_name=region or None, config=once
        )

    def _key(self, sha256: str) -> str:
        if not _NAME.fullmatch(sha256):
            raise BadInput(
                "sha256", "An object is named by the 64 lower-case hexadecimal digits of its SHA-256."
            )
        return f"{self.prefix}sha256/{sha256[:2]}/{sha256}"

    def add(
        self, stream: BinaryIO, *, expected_sha256: str | None = None, limit: int | None = None
    ) -> Stored:
        """Take in a stream and return once the bucket holds its bytes and they were read back equal."""
        if expected_sha256 is not None:
            self._key(expected_sha256)
        with told(), self._passing() as file:
            stored = _take(stream, file, limit)
            if expected_sha256 not in (None, stored.sha256):
                raise BadInput(
                    "file", "The bytes that arrived are not the ones that were sent. Send the file again."
                )
            key = self._key(stored.sha256)
            try:
                self._put(key, file, stored)
            except (BotoCoreError, ClientError) as unclear:
                # Refused because it is there, lost on the way, or stored and the answer lost: reading tells.
                try:
                    found = self._hashed(stored.sha256)
                except (DiskFault, Corrupt):
                    raise DiskFault(SILENT) from unclear
            else:
                found = self._hashed(stored.sha256)
            if found != stored:
                raise Corrupt(f"The object {stored.sha256} in the vault does not have the bytes of its name.")
        return stored

    def _put(self, key: str, file: IO[bytes], stored: Stored) -> None:
        """Send the bytes, in parts where they are many; the server refuses to overwrite, and checks each digest."""
        where = {"Bucket": self.bucket, "Key": key}
        file.seek(0)
        if stored.size <= PART:
            digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
            self.client.put_object(**where, Body=file, IfNoneMatch="*", ChecksumSHA256=digest)
            return
        upload = self.client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
        parts = []  # if this stops, `sweep` gives them up
        for number in range(1, -(-stored.size // PART) + 1):
            body = file.read(PART)
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            done = self.client.upload_part(
                **where, UploadId=upload, PartNumber=number, Body=body, ChecksumSHA256=digest
            )
            parts.append({"ETag": done["ETag"], "PartNumber": number, "ChecksumSHA256": digest})
        self.client.complete_multipart_upload(
            **where, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )

    def copy_from(self, other: Vault, sha256: str) -> Stored:
        """Take an object over from a folder, checked on the way; the folder keeps its own."""
        with other.open(sha256, verify=False) as file:
            try:
                return self.add(file, expected_sha256=sha256)
            except BadInput:
                raise Corrupt(
                    f"The object {sha256} in the other vault does not have the bytes of its name."
                ) from None

    def has(self, sha256: str) -> bool:
        """Say whether an object of this name is here; its bytes are not read."""
        return self._head(sha256) is not None

    def size(self, sha256: str) -> int:
        """Return an object's size in bytes; Corrupt if it is missing."""
        found = self._head(sha256)
        if found is None:
            raise _missing(sha256)
        return found

    def _head(self, sha256: str) -> int | None:
        try:
            return int(self.client.head_object(Bucket=self.bucket, Key=self._key(sha256))["ContentLength"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                return None
            raise DiskFault(UNREAD) from error
        except BotoCoreError as error:
            raise DiskFault(UNREAD) from error

    def open(self, sha256: str, *, verify: bool = True) -> BinaryIO:
        """Open an object for reading; it is fetched and hashed whole before the first byte is handed out.

        `verify=False` leaves the check to the caller and fetches only what is read, for players that jump.
        """
        if not verify:
            return cast(BinaryIO, io.BufferedReader(_Remote(self, sha256, self.size(sha256)), BLOCK))
        file = self._passing()
        try:
            with told():
                if self._fetch(sha256, file).sha256 != sha256:
                    raise Corrupt(f"The object {sha256} in the vault does not have the bytes of its name.")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return cast(BinaryIO, file)

    def _passing(self) -> IO[bytes]:
        """Return a file without a name: it is gone with its process."""
        return tempfile.TemporaryFile(dir=self._incoming)

    def _hashed(self, sha256: str) -> Stored:
        """Return what an object's bytes are now."""
        return self._fetch(sha256, None)

    def _fetch(self, sha256: str, into: IO[bytes] | None, **more: str) -> Stored:
        """Read an object to its announced end, hash it, and keep its bytes in a file if there is one."""
        digest, size = hashlib.sha256(), 0
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=self._key(sha256), **more)
            with answer["Body"] as body:
                while block := body.read(BLOCK):
                    digest.update(block)
                    size += len(block)
                    if into is not None:
                        into.write(block)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                raise _missing(sha256) from None
            raise DiskFault(UNREAD) from error
        except BotoCoreError as error:
            raise DiskFault(UNREAD) from error
        if size != answer["ContentLength"]:
            raise DiskFault(UNREAD)
        return Stored(digest.hexdigest(), size)

    def all(self) -> Iterator[str]:
        """Yield the name of every object, in order."""
        try:
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{self.prefix}sha256/"
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    name = found["Key"].rpartition("/")[2]
                    if _NAME.fullmatch(name) and found["Key"] == self._key(name):
                        yield name
        except (BotoCoreError, ClientError) as error:
            raise DiskFault(UNREAD) from error

    def fsck(self, known: Iterable[tuple[str, int]], *, unknown_is_fault: bool = True) -> list[str]:
        """Read everything again and list every fault as a sentence; [] means none."""
        faults, wanted = [], dict(known)
        for name in sorted({*wanted, *self.all()}):
            try:
                found = self._hashed(name)
            except (BadInput, Corrupt, DiskFault) as refusal:
                faults.append(str(refusal))
                continue
            if found.sha256 != name:
                faults.append(f"The object {name} in the vault does not have the bytes of its name.")
            elif name not in wanted and unknown_is_fault:
                faults.append(f"The vault holds the object {name}, which nothing on record names.")
            elif name in wanted and found.size != wanted[name]:
                faults.append(f"The object {name} has {found.size} bytes where {wanted[name]} are on record.")
        return faults

    def sweep(self, *, older_than: Callable[[float], bool]) -> int:
        """Give up uploads in parts that a stopped writer left unfinished, and return how many."""
        removed = 0
        try:
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
            for upload in [u for page in pages for u in page.get("Uploads", ())]:
                if upload["Key"].startswith(self.prefix) and older_than(upload["Initiated"].timestamp()):
                    self.client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    removed += 1
        except (BotoCoreError, ClientError) as error:
            raise DiskFault(UNREAD) from error
        return removed

    def remove(self, sha256: str) -> None:
        """Remove an object under an order to destroy; Corrupt if it is missing."""
        if not self.has(sha256):
            raise _missing(sha256)
        try:
            self.client.delete_object(Bucket=self.bucket, Key=self._key(sha256))
        except (BotoCoreError, ClientError) as error:
            raise DiskFault(UNREAD) from error
        if self.has(sha256):
            raise DiskFault("The store of files did not remove what was to be destroyed. Look at its rules.")


class _Remote(io.RawIOBase):
    """An object read where it lies, piece by piece."""

    def __init__(self, store: S3, sha256: str, size: int) -> None:
        self.store, self.sha256, self.size, self.place = store, sha256, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        self.place = max(0, start + offset)
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self.size - self.place)
        if wanted <= 0:
            return 0
        piece = io.BytesIO()
        self.store._fetch(self.sha256, piece, Range=f"bytes={self.place}-{self.place + wanted - 1}")
        data = piece.getvalue()
        if len(data) != wanted:
            raise DiskFault(UNREAD)
        buffer[:wanted] = data
        self.place += wanted
        return wanted


def _missing(sha256: str) -> Corrupt:
    return Corrupt(f"The object {sha256} is missing from the vault.")


def _take(stream: BinaryIO, file: IO[bytes], limit: int | None) -> Stored:
    """Copy a stream to a file and hash it."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        size += len(block)
        if limit is not None and size > limit:
            raise BadInput(
                "file", f"This file is larger than {limit:,} bytes, the most that can be taken here."
            )
        digest.update(block)
        file.write(block)
    file.flush()
    return Stored(digest.hexdigest(), size)
