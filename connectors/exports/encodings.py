"""Text of any declared encoding as UTF-8, and what to declare where nothing was.

UTF-8 is what is read when nothing is declared. Any other encoding has to be: bytes that are not UTF-8 are
never guessed at, since Latin-1 turns every file into some text.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, Protocol

from connectors.errors import InputError

UTF8: Final = "utf-8"
_UTF8S: Final = frozenset({UTF8, "utf-8-sig"})
_BOM_UTF8: Final = codecs.BOM_UTF8
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = re.compile("[\x80-\x9f]")


class Stream(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; none at the end."""


def known_encoding(name: str) -> str:
    """The codec's own name of a text encoding. Raises ValueError for a name that is none."""
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # refuses codecs that are no text encoding, such as base64
    except (LookupError, TypeError, ValueError):
        raise ValueError(f"'{name}' is no text encoding") from None
    return found.name


def is_utf8(name: str) -> bool:
    """Whether the encoding is the one that need not be declared."""
    return known_encoding(name) in _UTF8S


def as_utf8(stream: Stream, encoding: str, source: str) -> Stream:
    """The text as UTF-8 without a byte-order mark. Reading raises InputError where it is no such text."""
    codec = known_encoding(encoding)
    head = stream.read(4)
    if is_utf8(encoding):
        return Headed(head.removeprefix(_BOM_UTF8), stream)
    if head.startswith(_BOM_UTF8):
        raise InputError(
            f"The file is declared {encoding}, but begins with the mark of UTF-8.",
            record=source,
            fix="Take encoding out of its [[exports]]: UTF-8 needs none.",
        )
    if codec in {"utf-16", "utf-32"} and not any(head.startswith(mark) for mark, _ in _BOMS):
        raise InputError(
            f"The file is declared {encoding}, but no mark at its beginning tells its byte order.",
            record=source,
            fix=f'Declare encoding = "{codec}-le" (little-endian, as Windows writes) or "{codec}-be".',
        )
    return _Recoded(head, stream, codec, encoding, source)


def undeclared(head: bytes) -> str | None:
    """The encoding that undeclared text shows by its first bytes; None for what may be UTF-8."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    sample = head[: len(head) & ~1]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    # text in Latin letters has a zero in nearly every other byte of UTF-16
    if len(sample) >= 4 and max(even, odd) * 4 >= len(sample) and min(even, odd) * 8 < len(sample):
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


class Headed:
    """A stream with some bytes put back in front of it."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        if not self._head:
            return self._stream.read(size)
        head, self._head = self._head[:size], self._head[size:]
        return head if len(head) == size else head + self._stream.read(size - len(head))


class _Recoded:
    """A stream of another encoding, read as UTF-8."""

    def __init__(self, head: bytes, stream: Stream, codec: str, declared: str, source: str) -> None:
        self._source = Headed(head, stream)
        self._decoder = codecs.getincrementaldecoder(codec)(errors="strict")
        self._is_latin = codec == "iso8859-1"
        self._declared = declared
        self._name = source
        self._line = 1
        self._ended = False

    def read(self, size: int, /) -> bytes:
        while not self._ended:
            raw = self._source.read(size)
            self._ended = not raw
            try:
                text = self._decoder.decode(raw, final=self._ended)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(self._declared, errors="replace").count("\n")
                raise self._wrong(before, f"is not {self._declared}, as declared") from None
            control = _CONTROLS.search(text) if self._is_latin else None
            if control is not None:
                before = text.count("\n", 0, control.start())
                raise self._wrong(
                    before, f"holds the byte {ord(control[0]):#x}, which is no character of {self._declared}"
                )
            self._line += text.count("\n")
            if text:
                return text.encode()
        return b""

    def _wrong(self, lines: int, what: str) -> InputError:
        return InputError(
            f"The text {what}.",
            record=f"{self._name}, line {self._line + lines}",
            fix='Correct encoding in [[exports]] (that of Windows is often "cp1252"). Nothing was used.',
        )
