"""The CSV of a job: whatever a cell holds, it is one cell of one line, and comes back as it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import TransientError
from connectors.salesforce.ingest_csv import CLEARED, read_table, table_of
from connectors.salesforce.rows import Row

TEXT = st.text(st.characters(codec="utf-8"), min_size=1)
HOSTILE = st.sampled_from(
    ['"', '""', ",", "\n", "\r", "\r\n", '"\n",', "'", "\\", "\x00x", " ", "#N/A ", "=1+1", "\ufeff"]
)
CELLS = st.one_of(
    TEXT,
    HOSTILE,
    st.booleans(),
    st.none(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
)
NAMES = ("A__c", "B__c", "C__c")
ROWS = st.lists(st.dictionaries(st.sampled_from(NAMES), CELLS, min_size=1), min_size=1, max_size=6)


def table(bodies: list[dict[str, Any]]) -> str:
    """The CSV of rows with these cells."""
    return table_of([Row(key=f"k{n}", id=f"id{n}", body=body) for n, body in enumerate(bodies)])


def shown(value: Any) -> str:
    """A value as another program finds it in its cell."""
    if value is None:
        return CLEARED
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)


@given(ROWS)
def test_every_cell_comes_back_as_it_was(bodies: list[dict[str, Any]]) -> None:
    """A field that a row does not name is an empty cell, which leaves it as it is."""
    header, *lines = csv.reader(io.StringIO(table(bodies), newline=""), strict=True)
    assert header == ["Id", *dict.fromkeys(name for body in bodies for name in body)]
    assert len(lines) == len(bodies)
    for number, (line, body) in enumerate(zip(lines, bodies, strict=True)):
        held = dict(zip(header, line, strict=True))
        assert held.pop("Id") == f"id{number}"
        assert held == {name: shown(body[name]) if name in body else "" for name in held}


@given(ROWS)
def test_lines_end_as_the_job_was_told(bodies: list[dict[str, Any]]) -> None:
    """By LF; a CR is only ever inside of quotes."""
    text = table(bodies)
    assert text.endswith("\n")
    assert "\r" not in "".join(text.split('"')[::2])


@given(ROWS, st.data())
def test_a_table_of_results_that_ends_inside_a_cell_is_none(bodies: list[dict[str, Any]], data: Any) -> None:
    """A whole one has every line; where lines are missing, the job's own counts tell."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    rows = [[f"id{n}", shown(next(iter(body.values())))] for n, body in enumerate(bodies)]
    writer.writerows([["Id", "sf__Error"], *rows])
    text = out.getvalue()
    whole: list[Mapping[str, str]] = [{"Id": key, "sf__Error": cell} for key, cell in rows]
    assert read_table(text, ["Id", "sf__Error"], record="a job") == whole
    inside = [place for place in range(1, len(text)) if text[:place].count('"') % 2]
    with pytest.raises(TransientError, match="cut off"):
        read_table(text[: data.draw(st.sampled_from(inside))], ["Id", "sf__Error"], record="a job")


@pytest.mark.parametrize("text", ["", "\n", "  \n"])
def test_an_empty_table_has_no_lines(text: str) -> None:
    """Where a job has no such results."""
    assert read_table(text, ["Id"], record="a job") == []
