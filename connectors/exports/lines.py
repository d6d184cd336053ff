"""Text in blocks of whole lines, checked before anything parses it; memory is bounded whatever a line's
length.

A line is at most 16 MiB: no record of an export is as long, and a file without line breaks (10 GB of zeros,
or a small gzip file that unpacks to it) is refused after its first 20 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connectors.errors import InputError
from connectors.exports.encodings import Stream, undeclared

BLOCK: Final = 4 << 20
LONGEST: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of UTF-8; only the last one of a file may lack its line break."""

    first: int  # line number of the first one
    text: bytes


def blocks(stream: Stream, source: str) -> Iterator[Block]:
    """The stream's lines, some 4 MB at a time. Raises InputError for what is no text, with its line."""
    rest: list[bytes] = []
    line, length = 1, 0
    while chunk := stream.read(BLOCK):
        end = chunk.rfind(b"\n") + 1
        # what the first line break ends began in the chunks before
        if length + (chunk.find(b"\n") if end else len(chunk)) > LONGEST:
            raise too_long(source, line)
        if not end:
            if b"\0" in chunk:  # said at once: a file of zeros has no line to wait for
                _check(b"".join([*rest, chunk]), line, source)
            rest.append(chunk)
            length += len(chunk)
            continue
        text = b"".join([*rest, chunk[:end]])
        rest, length = [chunk[end:]], len(chunk) - end
        _check(text, line, source)
        yield Block(line, text)
        line += text.count(b"\n")
    text = b"".join(rest)
    if text:
        _check(text, line, source)
        yield Block(line, text)


def too_long(source: str, line: int) -> InputError:
    """The error for a line, or a row of several lines, that is longer than LONGEST."""
    return InputError(
        f"The line is longer than {LONGEST >> 20} MiB.",
        record=f"{source}, line {line}",
        fix="One row or object a line is needed; export it again. Nothing of it was used.",
    )


def _check(text: bytes, first: int, source: str) -> None:
    """Raise InputError for NUL bytes and for what is not UTF-8."""
    at = text.find(b"\0")
    if at >= 0:
        line = first + text.count(b"\n", 0, at)
        name = undeclared(text[:4096]) if first == 1 else None
        raise InputError(
            "The text holds NUL bytes." if name is None else f"The text is not UTF-8; it looks like {name}.",
            record=f"{source}, line {line}",
            fix="The file is damaged, or no text; export it again. Nothing of it was used."
            if name is None
            else f'Say encoding = "{name}" in its [[exports]], or export it as UTF-8.',
        )
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = first + text.count(b"\n", 0, error.start)
        raise InputError(
            f"The text is not UTF-8: it holds the byte {text[error.start]:#x}.",
            record=f"{source}, line {line}",
            fix='Export it as UTF-8 (in a spreadsheet: \'CSV UTF-8\'), or say encoding = "latin-1", "cp1252" '
            "or what else it is in its [[exports]].",
        ) from None
