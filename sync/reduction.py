"""A segment of events reduced to its partials (`model/partials.py`), a block of rows at a time.

Text is grouped as the codes that Parquet keeps it in: that takes a third of what the engine takes, which
hashes each row's text, and no more memory for a large segment than for a small one. Partials add up, so a day
that lies in two blocks has a line in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.partials import BILLING_PAGES, GATES

EVENTS: Final = "events"
ACCOUNT: Final = ("account_key",)
BLOCK: Final = 2**21  # rows that are reduced at once; they take some 200 MB
DAY_US: Final = 86_400_000_000
_COUNTS: Final = ("events", "billing_views", "gate_events")
_TEXTS: Final = (*ACCOUNT, "user_id", "event", "feature", "session_id")

Lines = Mapping[str, np.ndarray]
"""Columns of whole numbers of one length."""


def reduce_segment(file: Path) -> Mapping[str, list[pa.Table]]:
    """The rows of each partial of a segment of events, texts as dictionaries."""
    found: dict[str, list[pa.Table]] = {}
    for events in _blocks(file):
        for name, rows in _partials(events).items():
            found.setdefault(name, []).append(rows)
    return found


@dataclass(frozen=True, slots=True)
class _Text:
    """A column of text: its distinct values. Code 0 is null, code n the n-th of them."""

    values: pa.Array

    def of(self, codes: np.ndarray) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(codes - 1, pa.int32(), mask=codes == 0), self.values)

    def has(self, words: str) -> np.ndarray:
        """Whether the text of each code has one of the words in it, in any case."""
        found = pc.match_substring_regex(pc.utf8_lower(self.values), words)
        return np.concatenate([[False], found.to_numpy(zero_copy_only=False)])


def _blocks(path: Path) -> Iterator[pa.Table]:
    """The segment's events in tables of about BLOCK rows."""
    with pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        groups: list[int] = []
        rows = 0
        for group in range(file.num_row_groups):
            groups.append(group)
            rows += file.metadata.row_group(group).num_rows
            if rows >= BLOCK or group == file.num_row_groups - 1:
                # threads would only pass the same work to and fro
                yield file.read_row_groups(groups, [*_TEXTS, "at", "known_from"], use_threads=False)
                groups, rows = [], 0


def _partials(events: pa.Table) -> Mapping[str, pa.Table]:
    """The partials of events, as `partials_of` has them."""
    texts, lines = _counted(events)
    used = _where(lines, lines["feature"] > 0)
    met = _where(lines, (lines["session_id"] > 0) & (lines["user_id"] > 0))
    made = {
        "user_day": _summed(lines, (*ACCOUNT, "user_id", "at", "known"), _COUNTS),
        "feature_day": _summed(used, (*ACCOUNT, "feature", "at", "known"), ("events",)),
        "session_day": _summed(met, (*ACCOUNT, "user_id", "session_id", "at", "known"), ()),
    }
    return {name: _table(columns, texts) for name, columns in made.items()}


def _counted(events: pa.Table) -> tuple[Mapping[str, _Text], Lines]:
    """The texts, and how many events are alike in their codes and days; one without a day is left out."""
    if events["at"].null_count:
        events = events.filter(events["at"].is_valid())
    coded = {column: _coded(events[column]) for column in _TEXTS}
    texts = {column: text for column, (text, _) in coded.items()}
    rows = {column: codes for column, (_, codes) in coded.items()}
    rows["at"] = _day(events["at"])
    rows["known"] = np.maximum(_day(pc.coalesce(events["known_from"], events["at"])), rows["at"])
    is_event, is_feature = (texts[column].has(BILLING_PAGES) for column in ("event", "feature"))
    event = rows.pop("event")
    rows["is_billing"] = is_event[event] | is_feature[rows["feature"]]
    rows["is_gate"] = texts["event"].has(GATES)[event]
    order, begins = _alike(list(rows.values()))
    lines = {column: codes[order[begins]] for column, codes in rows.items()}
    lines["events"] = np.diff(begins, append=len(order))
    for counted, told in (("billing_views", "is_billing"), ("gate_events", "is_gate")):
        lines[counted] = lines["events"] * lines.pop(told)
    return texts, lines


def _coded(column: pa.ChunkedArray) -> tuple[_Text, np.ndarray]:
    """The text of a dictionary column, and its codes."""
    column = column.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(column.indices, -1).to_numpy()
    return _Text(column.dictionary), codes + 1


def _day(moments: pa.ChunkedArray) -> np.ndarray:
    """The numbers of the UTC days of moments, none of them null."""
    days: np.ndarray = (moments.cast(pa.int64()).to_numpy() // DAY_US).astype(np.int32)
    return days


def _summed(lines: Lines, by: Sequence[str], sums: Sequence[str]) -> Lines:
    """One line for all that are alike, with the sums of other columns."""
    order, begins = _alike([lines[column] for column in by])
    found = {column: lines[column][order[begins]] for column in by}
    for column in sums:
        found[column] = np.add.reduceat(lines[column][order], begins) if len(begins) else lines[column]
    return found


def _where(lines: Lines, held: np.ndarray) -> Lines:
    return {column: values[held] for column, values in lines.items()}


def _alike(columns: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The order of lines in which those alike stand together, by the first column first, and where each such
    group begins.

    All of a line goes into one number, as numbers are sorted much faster than rows."""
    keys = np.zeros(len(columns[0]), np.int64)
    if not len(keys):
        return keys, keys
    limit = 1  # keys are below it
    for column in columns:
        lowest = int(column.min())
        span = int(column.max()) - lowest + 1
        if limit * span > 2**63:
            keys = np.unique(keys, return_inverse=True)[1]
            limit = len(keys)
        keys *= span
        keys += column
        keys -= lowest
        limit *= span
    order = np.argsort(keys)
    keys = keys[order]
    return order, np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))


def _table(columns: Lines, texts: Mapping[str, _Text]) -> pa.Table:
    return pa.table(
        {
            name: texts[name].of(codes) if name in texts else pa.array(codes, pa.int32())
            for name, codes in columns.items()
        }
    )
