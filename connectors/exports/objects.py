"""JSON lines in batches of text, and texts of JSON inside other columns: values by path, in one pass each.

DuckDB parses, since it takes a ninth of the time of Python's json (1.8 against 16 µs for a line of 700 bytes)
and never makes an object of what nobody asked for. Numbers keep their digits, true is "true", lists and
objects stay JSON text, an empty text is null. A path leads through objects (properties.plan); a name that
holds the dots itself comes first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import InputError
from connectors.exports.encodings import Stream
from connectors.exports.engine import cursor
from connectors.exports.lines import Block, blocks
from connectors.exports.places import Rows

_BREAK, _OPEN = b"\n{"
_REASON: Final = re.compile(r"at byte (\d+) of input: (.*?)\.(?:\s|$)")
# the latter where the message of the former would cut a letter of the text
_MALFORMED: Final = (duckdb.Error, UnicodeDecodeError)
SAMPLE: Final = 200  # objects whose names are looked at
_ESCAPED_NUL: Final = b"\\u0000"


class NotJsonError(ValueError):
    """A text is no JSON; `index` is its place in the array."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


class Paths:
    """Reads values out of texts of JSON. One for each file."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = list(dict.fromkeys(paths))
        self._engine = cursor()
        pointers = [pointer for path in self._paths for pointer in _pointers(path)]
        self._read = duckdb.FunctionExpression(
            "json_extract_string", duckdb.ColumnExpression("text"), duckdb.ConstantExpression(pointers)
        ).alias("values")

    def values(self, texts: pa.Array) -> dict[str, pa.Array]:
        """One column of text a path. Raises NotJsonError for the first text that is no JSON."""
        if not len(texts):
            return {path: pa.nulls(0, pa.string()) for path in self._paths}
        try:
            lists = self._extracted(texts)
        except _MALFORMED:
            raise self._first_bad(texts) from None
        columns: dict[str, pa.Array] = {}
        at = 0
        for path in self._paths:
            column = pc.list_element(lists, at)
            at += 1
            if "." in path:
                column = pc.coalesce(column, pc.list_element(lists, at))
                at += 1
            columns[path] = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        return columns

    def _extracted(self, texts: pa.Array) -> pa.Array:
        table = pa.table({"text": texts})
        read = self._engine.from_arrow(table).select(self._read).to_arrow_table()
        return read.column("values").combine_chunks()

    def _first_bad(self, texts: pa.Array) -> NotJsonError:
        """Halve until one text is left that is no JSON: the first."""
        low, high = 0, len(texts)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                self._extracted(texts.slice(low, middle - low))
                low = middle
            except _MALFORMED:
                high = middle
        try:
            self._extracted(texts.slice(low, 1))
        except _MALFORMED as error:
            reason = _REASON.search(str(error))
            if reason is not None:
                return NotJsonError(low, f"{reason[2]}, at byte {reason[1]}")
        return NotJsonError(low, "it is malformed")


def object_rows(stream: Stream, source: str, wanted: Sequence[str]) -> Iterator[Rows]:
    """The wanted paths of each line's object; empty lines are no rows. Raises InputError with the line."""
    paths = Paths(wanted)
    for block in blocks(stream, source):
        texts, lines = _lines(block, source)
        try:
            columns = paths.values(texts)
        except NotJsonError as error:
            raise _no_json(str(error), f"{source}, line {lines[error.index]}") from None
        if _ESCAPED_NUL in block.text:
            _refuse_nul(columns, source, lines)
        yield Rows(columns=columns, count=len(texts), source=source, lines=lines, first_row=None)


def names_in(block: Block, source: str, *, alike: int = SAMPLE) -> set[str]:
    """The names, and dotted paths, of a block's first objects, until so many in a row brought no new one.

    Raises InputError for what is no object."""
    names: set[str] = set()

    def walk(value: Any, prefix: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                names.add(prefix + name)
                walk(inner, f"{prefix}{name}.")

    texts, lines = _lines(block, source)
    newest = 0
    for index, text in enumerate(texts[:SAMPLE].to_pylist()):
        known = len(names)
        try:
            walk(json.loads(text), "")
        except (ValueError, RecursionError) as error:
            raise _no_json(str(error), f"{source}, line {lines[index]}") from None
        newest = index if len(names) > known else newest
        if index - newest >= alike:
            break
    return names


def _no_json(reason: str, where: str) -> InputError:
    return InputError(
        f"This is no JSON: {reason}.",
        record=where,
        fix="Write one JSON object a line; if the file was cut, export it again. Nothing of it was used.",
    )


def _lines(block: Block, source: str) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """The objects of a block as text, without a copy, and the line of each."""
    text = block.text if block.text.endswith(b"\n") else block.text + b"\n"
    raw = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(raw == _BREAK) + 1
    starts = np.concatenate([[0], ends[:-1]])
    lines = block.first + np.arange(len(ends))
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    texts = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
    odd = np.flatnonzero(raw[starts] != _OPEN)
    if not len(odd):
        return texts, lines
    drop = []
    for index in odd.tolist():
        line = text[starts[index] : ends[index]].strip()
        if not line:
            drop.append(index)
        elif not line.startswith(b"{"):
            raise InputError(
                "This line is no JSON object.",
                record=f"{source}, line {lines[index]}",
                fix="Write one object a line. Nothing of it was used.",
            )
    kept = np.delete(np.arange(len(ends)), drop)
    return texts.take(pa.array(kept)), lines[kept]


def _refuse_nul(columns: dict[str, pa.Array], source: str, lines: npt.NDArray[np.int64]) -> None:
    """Raise InputError for a value with a NUL character in it, which no database takes."""
    for name, column in columns.items():
        index = pc.index(pc.match_substring(column, "\0"), pa.scalar(True)).as_py()
        if index >= 0:
            raise InputError(
                f"{name} holds a NUL character.",
                record=f"{source}, line {lines[index]}",
                fix="The value is damaged; export it again. Nothing of it was used.",
            )


def _pointers(path: str) -> list[str]:
    """JSON pointers of a path: as one name, then as a way through objects."""
    whole = path.replace("~", "~0").replace("/", "~1")
    return [f"/{whole}"] if "." not in path else [f"/{whole}", "/" + whole.replace(".", "/")]
