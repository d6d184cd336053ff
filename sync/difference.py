"""Which cells of a record to write: what differs, and what is no change although it differs.

A date, a version or a small shift in rank alone is no change: such cells are written together with
another one, or once what the CRM holds is 7 days old. A rank has moved when it moved by at least three
places and a tenth of what it was. A sentence whose only news is its date has not changed either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.crm import Value
from sync.cells import Cell, as_held
from sync.mapping import FieldMap

STALE: Final = timedelta(days=7)
RANK_PLACES: Final = 3
RANK_SHARE: Final = 0.1
STAMPS: Final = frozenset({"scored_at", "data_as_of", "model_version"})
SENTENCES: Final = frozenset({"reason_1", "reason_2", "reason_3", "against_1", "against_2", "whom_to_reach"})
DAY_IN_TEXT: Final = re.compile(
    r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*(?: \d{4})?\b"
    r"|\b\d{4}-\d\d-\d\d\b"
)


def changed_cells(
    held: Mapping[str, Value], wanted: Mapping[str, Value], fields: FieldMap, now: datetime
) -> tuple[tuple[Cell, ...], str]:
    """The cells to write and why; no cells and "" when nothing is worth a write.

    `held` is what the CRM holds by vendor name, `wanted` what it should by our key, as it will hold it."""
    cells = tuple(
        Cell(key=key, name=mapped.name, before=held.get(mapped.name), after=wanted[key])
        for key, mapped in fields.written.items()
        if as_held(held.get(mapped.name), mapped.schema) != wanted[key]
    )
    moved = [cell.key for cell in cells if _is_news(cell)]
    if moved:
        return cells, ", ".join(moved)
    if cells and _is_stale(held, fields, now):
        return cells, f"older than {STALE.days} days"
    return (), ""


def rank_moved(before: Value, after: Value) -> bool:
    """Whether a rank moved far enough to be written by itself."""
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return before != after
    return abs(after - before) >= max(RANK_PLACES, RANK_SHARE * before)


def _is_news(cell: Cell) -> bool:
    if cell.key in STAMPS:
        return False
    if cell.key == "priority":
        return rank_moved(cell.before, cell.after)
    if cell.key in SENTENCES and isinstance(cell.before, str) and isinstance(cell.after, str):
        return DAY_IN_TEXT.sub("", cell.before) != DAY_IN_TEXT.sub("", cell.after)
    return True


def _is_stale(held: Mapping[str, Value], fields: FieldMap, now: datetime) -> bool:
    scored_at = fields.written.get("scored_at")
    if scored_at is None:  # RevOps leaves the stamp out: nothing says how old the values are
        return False
    written = held.get(scored_at.name)
    return not isinstance(written, datetime) or now - written >= STALE
