"""CSV by RFC 4180 in batches of text cells, each row with its exact line.

Everything is text: a sniffed type would turn the id 001 into 1 and the name NA into nothing. Rows are cut
here and only then parsed, so that a cell may hold line breaks and still every row has its line, and so that
what no reader may guess at is refused: a quote that is never closed, a quote inside a cell that is not
quoted, and a last row without its line break, which can't be told from one that was cut.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as pa_csv

from connectors.errors import InputError
from connectors.exports.encodings import Stream
from connectors.exports.lines import LONGEST, Block, blocks, too_long
from connectors.exports.places import Rows

_DELIMITERS: Final = (",", ";", "\t", "|")
_BREAK, _RETURN, _QUOTE = b'\n\r"'
_RAGGED: Final = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")

Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
_NONE: Final[Positions] = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Header:
    """The column names, and what stands between two cells."""

    names: Sequence[str]
    delimiter: str


def header_of(line: str, source: str) -> Header:
    """What a first line says: the delimiter is the one that cuts it into most pieces. Raises InputError."""
    line = line.rstrip("\r\n")
    where = f"{source}, line 1"
    if not line.strip():
        raise InputError("The first line is empty.", record=where, fix="It must name the columns.")
    rows = {mark: _cells(line, mark) for mark in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda mark: len(rows[mark]))
    if not rows[delimiter]:
        raise InputError(
            "The first line does not name the columns: a quote in it is not closed.",
            record=where,
            fix="Close it; the names of columns hold no line breaks.",
        )
    names = [name.strip() for name in rows[delimiter]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"The column {twice[0]!r} is there twice.", record=where, fix="Rename one of them.")
    return Header(names, delimiter)


def _cells(line: str, mark: str) -> list[str]:
    """The line cut at the mark; nothing where its quotes don't fit that."""
    try:
        return next(csv.reader([line], delimiter=mark, strict=True))
    except csv.Error:
        return []


def delimited_rows(stream: Stream, source: str, header: Header, wanted: Sequence[str]) -> Iterator[Rows]:
    """The wanted columns below the first line; an empty cell is null, nothing else is. Raises InputError."""
    cut = _Cut(source, header.delimiter)
    kept = [name for name in wanted if name in header.names]
    row = 1
    for text, ends, lines in cut.rows(_below_header(blocks(stream, source))):
        columns = _parsed(text, header, kept, source, lines)
        count = len(ends)
        yield Rows(columns=columns, count=count, source=source, lines=lines, first_row=row)
        row += count


def _below_header(read: Iterator[Block]) -> Iterator[Block]:
    """The blocks without the first line."""
    for block in read:
        if block.first == 1:
            _, _, rest = block.text.partition(b"\n")
            yield Block(2, rest)
        else:
            yield block


class _Cut:
    """Text cut into rows."""

    def __init__(self, source: str, delimiter: str) -> None:
        self._source = source
        self._delimiter = ord(delimiter)
        self._seen = False

    def rows(self, read: Iterator[Block]) -> Iterator[tuple[bytes, Positions, Positions]]:
        """Whole rows: their text, the position of each one's end, and the line of each one's start."""
        rest, line = b"", 2
        for block in read:
            text = rest + block.text
            if not rest:
                line = block.first
            whole, ends = self._ends(text, line)
            if whole:
                yield from self._with_lines(text[:whole], ends, line)
                line += text.count(b"\n", 0, whole)
            rest = text[whole:]
            if len(rest) > LONGEST:
                raise too_long(self._source, line)
        if rest:
            yield from self._last(rest, line)

    def _last(self, text: bytes, line: int) -> Iterator[tuple[bytes, Positions, Positions]]:
        """The file's end where no line break is: an open quote, or a row that may have been cut."""
        if text.count(b'"') % 2:
            opened = line + text.count(b"\n", 0, text.rfind(b'"'))
            raise self._bad(
                opened, "A quote is opened here and never closed", "Close it, or export it again."
            )
        if self._seen:  # not even a closing quote helps: it may be the first of two that stand for one
            raise self._bad(
                line + text.count(b"\n"),
                "The last row has no line break at its end, so it can't be told whether it was cut",
                "Export it again; if it is whole, end it with a line break.",
            )
        text += b"\n"
        whole, ends = self._ends(text, line)
        yield from self._with_lines(text[:whole], ends, line)

    def _with_lines(
        self, text: bytes, ends: Positions, line: int
    ) -> Iterator[tuple[bytes, Positions, Positions]]:
        """The rows with their lines; empty lines are no rows."""
        starts = np.concatenate([[0], ends[:-1] + 1])
        breaks = np.flatnonzero(np.frombuffer(text, np.uint8) == _BREAK)
        lines = line + np.searchsorted(breaks, starts)
        raw = np.frombuffer(text, np.uint8)
        empty = (ends == starts) | ((ends == starts + 1) & (raw[starts] == _RETURN))
        if len(ends) - int(empty.sum()):
            self._seen = True
            yield text, ends[~empty], lines[~empty]

    def _ends(self, text: bytes, line: int) -> tuple[int, Positions]:
        """How much of the text is whole rows, and where they end. Raises InputError for stray quotes."""
        raw = np.frombuffer(text, np.uint8)
        breaks = np.flatnonzero(raw == _BREAK)
        quotes = np.flatnonzero(raw == _QUOTE) if b'"' in text else _NONE
        if len(quotes):
            self._check_quotes(text, raw, quotes, line)
            breaks = _outside(breaks, quotes)
        if b"\r" in text:
            self._check_returns(text, raw, quotes, line)
        return (0 if not len(breaks) else int(breaks[-1]) + 1), breaks

    def _check_quotes(self, text: bytes, raw: Bytes, quotes: Positions, line: int) -> None:
        """A quote opens behind a delimiter or a break, and closes before one; a doubled one is a quote."""
        opening, closing = quotes[0::2], quotes[1::2]
        before = raw[np.maximum(opening - 1, 0)]
        fine = (opening == 0) | (before == self._delimiter) | (before == _BREAK)
        fine[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
        after = raw[np.minimum(closing + 1, len(raw) - 1)]
        closed = (closing + 1 == len(raw)) | (after == self._delimiter) | (after == _BREAK)
        closed |= (after == _RETURN) | (after == _QUOTE)
        stray = [*opening[~fine][:1], *closing[~closed][:1]]
        if stray:
            raise self._bad(
                line + text.count(b"\n", 0, int(min(stray))),
                "A quote stands inside a cell that is not quoted as a whole",
                'Put the whole cell in quotes and double the ones inside it: "5"" disk".',
            )

    def _check_returns(self, text: bytes, raw: Bytes, quotes: Positions, line: int) -> None:
        """A carriage return outside quotes belongs to a line break."""
        returns = np.flatnonzero(raw == _RETURN)
        lone = returns[(returns + 1 < len(raw)) & (raw[np.minimum(returns + 1, len(raw) - 1)] != _BREAK)]
        lone = _outside(lone, quotes)
        if len(lone):
            raise self._bad(
                line + text.count(b"\n", 0, int(lone[0])),
                "A carriage return stands alone, without a line feed",
                "End each line with a line feed; export it again.",
            )

    def _bad(self, line: int, what: str, fix: str) -> InputError:
        return InputError(
            f"{what}.", record=f"{self._source}, line {line}", fix=f"{fix} Nothing of it was used."
        )


def _outside(positions: Positions, quotes: Positions) -> Positions:
    """Those positions that an even number of quotes stands before."""
    return positions[np.searchsorted(quotes, positions) & 1 == 0] if len(quotes) else positions


def _parsed(
    text: bytes, header: Header, kept: Sequence[str], source: str, lines: Positions
) -> dict[str, pa.Array]:
    """The cells of whole rows."""
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(text),
            read_options=pa_csv.ReadOptions(
                column_names=list(header.names), block_size=len(text) + 1, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=header.delimiter, newlines_in_values=True, double_quote=True
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header.names, pa.string()),
                include_columns=list(kept),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        ragged = _RAGGED.search(reason)
        where = source if ragged is None else f"{source}, line {lines[int(ragged[1]) - 1]}"
        told = reason[:300] if ragged is None else f"Expected {ragged[2]} columns, got {ragged[3]}"
        raise InputError(
            f"The file is no whole CSV: {told}.",
            record=where,
            fix=f"Each row needs {len(header.names)} cells, as the header names; export it again. "
            "Nothing of it was used.",
        ) from None
    return {name: table.column(name).combine_chunks() for name in kept}
