"""CSV cut into rows: the same cells as Python's own reader, each row with the line that it begins on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import InputError
from connectors.exports import lines
from connectors.exports.delimited import delimited_rows, header_of
from connectors.exports.objects import object_rows

NAMES = ("a", "b", "c")
CELL = st.text(st.sampled_from('ab,;"\n\r\té🚀 '), max_size=6)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), max_size=25)
BLOCKS = st.integers(1, 80)


@pytest.fixture(autouse=True, scope="module")
def _any_size_of_block() -> Iterator[None]:
    """Blocks are as small as a case says; afterwards as large as ever."""
    size = lines.BLOCK
    yield
    lines.BLOCK = size  # type: ignore[misc]


def written(rows: list[tuple[str, str, str]], end: str, quoting: int) -> str:
    """Rows as CSV below their header."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(NAMES)
    writer.writerows(rows)
    return buffer.getvalue()


@settings(deadline=None, derandomize=True, max_examples=150)
@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), BLOCKS)
def test_any_rows_come_back_with_their_lines_whatever_the_blocks(
    rows: list[tuple[str, str, str]], end: str, quoting: int, block: int
) -> None:
    """Blocks of one byte up: no row is cut wrongly, no line miscounted."""
    if quoting == csv.QUOTE_MINIMAL:  # Python's writer leaves a carriage return without quotes
        rows = [(a.replace("\r", ""), b.replace("\r", ""), c.replace("\r", "")) for a, b, c in rows]
    text = written(rows, end, quoting)
    lines.BLOCK = block  # type: ignore[misc]
    header = header_of("a,b,c", "f")
    found, places = [], []
    for part in delimited_rows(io.BytesIO(text.encode()), "f", header, NAMES):
        found += list(zip(*(part.columns[name].to_pylist() for name in NAMES), strict=True))
        places += [part.where(index) for index in range(part.count)]
    assert found == [tuple(cell or None for cell in row) for row in rows]
    assert places == [f"f, line {line} (row {n})" for n, line in enumerate(_beginnings(text), start=1)]


def _beginnings(text: str) -> list[int]:
    """The line on which each row below the header begins, by Python's reader fed line by line."""
    taken = 0

    def feed() -> Iterator[str]:
        nonlocal taken
        for line in io.StringIO(text, newline="\n"):
            taken += 1
            yield line

    return [taken + 1 for _ in csv.reader(feed())][:-1]


@settings(deadline=None, derandomize=True, max_examples=150)
@given(ROWS.filter(len), BLOCKS, st.integers(0, 10**6))
def test_a_file_cut_anywhere_is_refused_or_holds_whole_rows_only(
    rows: list[tuple[str, str, str]], block: int, at: int
) -> None:
    """What is read of a file cut behind its first row is a beginning of its rows: none is half a row."""
    text = written(rows, "\n", csv.QUOTE_ALL).encode()
    start = len(written(rows[:1], "\n", csv.QUOTE_ALL).encode())
    cut = text[: start + at % (len(text) - start + 1)]
    lines.BLOCK = block  # type: ignore[misc]
    header = header_of("a,b,c", "f")
    try:
        parts = list(delimited_rows(io.BytesIO(cut), "f", header, NAMES))
    except (InputError, UnicodeDecodeError):
        return
    found = [
        row for part in parts for row in zip(*(part.columns[name].to_pylist() for name in NAMES), strict=True)
    ]
    assert found == [tuple(cell or None for cell in row) for row in rows][: len(found)]


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(st.none() | CELL, max_size=20), BLOCKS)
def test_any_objects_come_back_with_their_lines_whatever_the_blocks(
    cells: list[str | None], block: int
) -> None:
    """None stands for an empty line."""
    text = "".join("\n" if cell is None else json.dumps({"a": cell}) + "\n" for cell in cells)
    lines.BLOCK = block  # type: ignore[misc]
    found, places = [], []
    for part in object_rows(io.BytesIO(text.encode()), "f", ["a"]):
        found += part.columns["a"].to_pylist()
        places += [part.where(index) for index in range(part.count)]
    assert found == [cell or None for cell in cells if cell is not None]
    assert places == [f"f, line {n}" for n, cell in enumerate(cells, start=1) if cell is not None]
