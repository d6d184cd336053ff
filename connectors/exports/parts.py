"""The streams of bytes that an export file holds: itself, unpacked if it is gzip, or each file of a zip."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

from connectors.errors import InputError

GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGIC: Final = b"PK\x03\x04"
EMPTY_ZIP: Final = b"PK\x05\x06"
_ENCRYPTED: Final = 0x1
_WORKBOOK: Final = "[Content_Types].xml"
_HIDDEN: Final = (".", "__MACOSX")
# the last two for a zip whose entries claim what can't be read
_BROKEN: Final = (
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stream of an export file; `name` is what people see of it."""

    name: str
    path: Path
    opened: Callable[[], AbstractContextManager[IO[bytes]]]
    is_packed: bool  # by gzip, or in a zip

    @property
    def is_member(self) -> bool:
        """Whether it is one of the files of a zip."""
        return self.name != str(self.path)


def parts_of(path: Path) -> Sequence[Part]:
    """The file itself, or what its zip holds, by name. Raises InputError for a zip that can't be read."""
    with _errors(str(path)), path.open("rb") as stream:
        head = stream.read(4)
    if not head.startswith((ZIP_MAGIC, EMPTY_ZIP)):
        is_packed = head.startswith(GZIP_MAGIC)
        return [Part(name=str(path), path=path, opened=lambda: _plain(path), is_packed=is_packed)]
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(
                (info for info in archive.infolist() if _is_file(info)), key=lambda info: info.filename
            )
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"The file is neither text nor Parquet, and as a zip it is cut or damaged: {error}.",
            record=str(path),
            fix="Export or copy it again; nothing of it was used.",
        ) from None
    if any(info.filename == _WORKBOOK for info in members):
        raise InputError(
            "The file is a workbook (xlsx or the like).",
            record=str(path),
            fix="Save the sheet as 'CSV UTF-8', or export JSON lines or Parquet.",
        )
    if not members:
        raise InputError("The zip holds no file.", record=str(path), fix="Export it again, or take it away.")
    secret = next((info for info in members if info.flag_bits & _ENCRYPTED), None)
    if secret is not None:
        raise InputError("The zip is encrypted.", record=f"{path}, {secret.filename}", fix="Unpack it first.")
    return [_member(path, info.filename) for info in members]


def _member(path: Path, name: str) -> Part:
    return Part(name=f"{path}, {name}", path=path, opened=lambda: _zipped(path, name), is_packed=True)


def _is_file(info: zipfile.ZipInfo) -> bool:
    """Whether it is data: folders, empty files and what systems add for themselves are not."""
    name = PurePosixPath(info.filename)
    return (
        not info.filename.endswith("/")
        and info.file_size > 0
        and not any(part.startswith(_HIDDEN) for part in name.parts)
    )


@contextmanager
def _plain(path: Path) -> Iterator[IO[bytes]]:
    with _errors(str(path)), path.open("rb") as raw, _unpacked(raw) as stream:
        yield stream


@contextmanager
def _zipped(path: Path, name: str) -> Iterator[IO[bytes]]:
    with (
        _errors(f"{path}, {name}"),
        zipfile.ZipFile(path) as archive,
        archive.open(name) as raw,
        _unpacked(raw) as stream,
    ):
        yield stream


@contextmanager
def _unpacked(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """The bytes, unpacked if they are gzip."""
    packed = raw.read(2) == GZIP_MAGIC
    raw.seek(0)
    if not packed:
        yield raw
        return
    with gzip.open(cast(Any, raw)) as stream:
        yield cast(IO[bytes], stream)


@contextmanager
def _errors(name: str) -> Iterator[None]:
    """What goes wrong while bytes are read, as an InputError."""
    try:
        yield
    except _BROKEN as error:
        raise InputError(
            f"The gzip or zip file is cut or damaged: {error}.",
            record=name,
            fix="Export or copy it again; nothing of it was used.",
        ) from None
    except OSError as error:
        raise InputError(
            f"The file can't be read: {error.strerror or error}.", record=name, fix="Check the file."
        ) from None
