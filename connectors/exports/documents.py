"""What an export file holds, by its content: rows of CSV, objects of JSON lines, or Parquet.

`PAR1` is Parquet, `{` JSON lines, anything else text with delimiters; gzip of either is unpacked, and a zip
is read file by file. The file's name means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from connectors.errors import InputError
from connectors.exports import parquet
from connectors.exports.delimited import Header, delimited_rows, header_of
from connectors.exports.encodings import Headed, Stream, as_utf8, is_utf8, undeclared
from connectors.exports.lines import blocks
from connectors.exports.objects import SAMPLE, names_in, object_rows
from connectors.exports.parts import Part
from connectors.exports.places import Rows

_PEEK: Final = 4096
_ALIKE: Final = 20
_OTHERS: Final = (
    (b"(\xb5/\xfd", "packed by zstd"),
    (b"\x04\x22m\x18", "packed by lz4"),
    (b"bzh", "packed by bzip2"),
    (b"\xfd7zxz", "packed by xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"orc\x08", "ORC"),
    (b"obj\x01", "Avro"),
    (b"\xd0\xcf\x11\xe0", "an old workbook (xls)"),
    (b"%pdf", "a PDF"),
    (b"sqlite format 3", "an SQLite database"),
    (b"<!doctype html", "a web page, perhaps one that asks to log in"),
    (b"<html", "a web page, perhaps one that asks to log in"),
)
"""What other files begin with, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One stream of rows: `names` are its columns, or the paths of its first objects."""

    part: Part
    encoding: str
    names: frozenset[str]
    has_objects: bool = False
    header: Header | None = field(default=None)

    def rows(self, wanted: Sequence[str]) -> Iterator[Rows]:
        """The wanted columns or paths, batch by batch. Raises InputError where the file is bad."""
        name = self.part.name
        if self.has_objects:
            with _text(self.part, self.encoding) as stream:
                yield from object_rows(stream, name, wanted)
        elif self.header is not None:
            with _text(self.part, self.encoding) as stream:
                yield from delimited_rows(stream, name, self.header, wanted)
        else:
            yield from _numbered(self.part, wanted)


def document_of(part: Part, encoding: str) -> Document | None:
    """What the part holds; None when it is empty. Raises InputError for what is neither text nor Parquet."""
    with part.opened() as raw:
        head = raw.read(_PEEK)
        if not head.strip():
            return None
        if head.startswith(parquet.MAGIC):
            return _parquet(part, encoding)
        _check_text(head, encoding, part.name)
        block = next(blocks(as_utf8(Headed(head, raw), encoding, part.name), part.name), None)
    first = b"" if block is None else block.text.lstrip(b" \r\n\t")
    if block is None or not first:
        return None
    if first.startswith(b"["):
        raise InputError(
            "The file is one JSON array.", record=part.name, fix="Write JSON lines: one object a line."
        )
    if first.startswith(b"{"):
        # a zip may hold a file for each hour of a year, all of them alike
        names = frozenset(names_in(block, part.name, alike=_ALIKE if part.is_member else SAMPLE))
        return Document(part=part, encoding=encoding, names=names, has_objects=True)
    header = header_of(block.text.partition(b"\n")[0].decode(), part.name)
    return Document(part=part, encoding=encoding, names=frozenset(header.names), header=header)


def _parquet(part: Part, encoding: str) -> Document:
    if part.is_packed:
        raise InputError(
            "Parquet in a zip, or packed by gzip, can't be read.", record=part.name, fix="Unpack it first."
        )
    return Document(part=part, encoding=encoding, names=frozenset(parquet.column_names(part.path)))


@contextmanager
def _text(part: Part, encoding: str) -> Iterator[Stream]:
    with part.opened() as raw:
        yield as_utf8(raw, encoding, part.name)


def _check_text(head: bytes, encoding: str, name: str) -> None:
    """Raise InputError for a beginning that is no text of the declared encoding."""
    known = next((what for magic, what in _OTHERS if head.lstrip().lower().startswith(magic)), None)
    if known is not None:
        raise InputError(
            f"The file is {known}, neither text nor Parquet.",
            record=name,
            fix="Export CSV or JSON lines (plain, by gzip or in a zip), or Parquet.",
        )
    if not is_utf8(encoding):
        return
    shown = undeclared(head)
    if shown is not None:
        raise InputError(
            f"The text is not UTF-8; it looks like {shown}.",
            record=f"{name}, line 1",
            fix=f'Say encoding = "{shown}" in its [[exports]], or export it as UTF-8.',
        )
    if b"\0" in head.partition(b"\n")[0]:
        raise InputError(
            "The file is neither text nor Parquet.",
            record=f"{name}, line 1",
            fix="Export CSV, JSON lines or Parquet; unpack a workbook first.",
        )


def _numbered(part: Part, wanted: Sequence[str]) -> Iterator[Rows]:
    """Parquet's batches with their row numbers."""
    first = 1
    for batch in parquet.read_batches(part.path, wanted):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        yield Rows(columns=columns, count=batch.num_rows, source=part.name, lines=None, first_row=first)
        first += batch.num_rows
