"""Which cells of a record to write: what differs, when that is worth a write, and what people keep.

The noise gate ([noise]): a record is rewritten, whole, when its tier, product, timing, health or play
changes, its probability moves by `probability_delta`, a cell that we filled is empty again, or what stands
there is old. Anything else (a reason's figure, a rank, a date) waits for one of these, so that reports and
field history show news and nothing else.

A record grows old `refresh_days` after it was written, less up to `spread_days` by a hash of its id: records
that were written together, as in a first fill, are not refreshed together.

A cell that holds neither what we last wrote nor nothing was changed by a person. It is left alone, and does
not count for the gate, until someone empties it or it is released by `--override person_edit`. Fields that
this org has never had written by us are a first fill: there the plan says what would be replaced, and an
approval decides.

Measured on two synthetic companies (500 and 600 accounts, 9 weekly runs each, the model trained anew twice):
an ordinary week brings news for 25 to 39 % of the records and refreshes up to 23 %; tier, probability,
timing, health and play each change for 4 to 16 %, product for up to 8 %, so that each stays below the guard's
20 %. With a delta of 0.05 the probability would move for up to 26 %, with 0.10 for up to 9 %. After 4 weeks
without a run each changes for 18 to 29 %, and the guard asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.crm import Value
from sync.cells import Cell, as_held, same
from sync.last_written import LastWritten
from sync.mapping import FieldMap, MappedField
from sync.planned import Cause
from sync.settings import NoiseSettings

STAMPS: Final = frozenset({"scored_at", "data_as_of", "model_version"})
FOLLOWS: Final = STAMPS | {"brief"}
"""What differs in every run, since it bears a day: it goes along with others, and is no news by itself."""
NAMING: Final = frozenset({"whom_to_reach", "brief"})
"""What names people: written anew at once where our own words about them were erased from the journal."""
NEWS: Final = frozenset({"tier", "product", "timing", "health", "play"})
"""A change of any of these is news. The play follows from the others and from an open deal."""
REFRESHED: Final = "as old as it may get"
EXACT: Final = 9  # digits at which a move is compared with the delta: 0.30 - 0.25 is a move of 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What came before on one record: the cells we last wrote by vendor name, and the fields that are a first
    fill in this org (vendor names)."""

    written: Mapping[str, LastWritten]
    first_fill: Set[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One record compared: `cells` to write and why, empty when nothing is; `edited` cells are left alone.

    `is_noise` tells a difference that the gate holds back from none at all."""

    cells: tuple[Cell, ...] = ()
    cause: Cause = Cause.NEWS
    why: str = ""
    news: tuple[str, ...] = ()
    edited: tuple[Cell, ...] = ()
    is_noise: bool = False


def compare(
    record_id: str,
    held: Mapping[str, Value],
    wanted: Mapping[str, Value],
    fields: FieldMap,
    before: Before,
    *,
    noise: NoiseSettings,
    now: datetime,
    keep_edits: bool = True,
) -> Difference:
    """The difference between what the record holds (by vendor name) and should hold (by our key, as held).

    With `keep_edits` False, cells that people changed are written like the others."""
    differing = [
        Cell(key=key, name=mapped.name, before=held.get(mapped.name), after=wanted[key])
        for key, mapped in fields.written.items()
        if as_held(held.get(mapped.name), mapped.schema) != wanted[key]
    ]
    edited = tuple(
        cell for cell in differing if keep_edits and is_edited(cell, fields.written[cell.key], before)
    )
    cells = tuple(cell for cell in differing if cell not in edited)
    news = [cell for cell in cells if is_news(cell, cells, before, noise)]
    if news:
        changed = tuple(cell.key for cell in news if not _is_first(cell, before))
        return Difference(
            cells=cells,
            cause=Cause.NEWS if changed else Cause.FIRST_FILL,
            why=", ".join(cell.key for cell in news),
            news=changed or tuple(cell.key for cell in news),
            edited=edited,
        )
    stamp = fields.written.get("scored_at")
    if stamp is None or any(cell.name == stamp.name for cell in edited):
        since = max((last.at for last in before.written.values()), default=None)  # the journal knows as well
    else:
        since = _moment(held.get(stamp.name))
    if cells and is_old(record_id, since, noise, now):
        return Difference(cells=cells, cause=Cause.REFRESH, why=REFRESHED, edited=edited)
    return Difference(edited=edited, is_noise=any(cell.key not in FOLLOWS for cell in cells))


def is_edited(cell: Cell, mapped: MappedField, before: Before) -> bool:
    """Whether a person changed the cell: it holds neither what we last wrote nor nothing."""
    if cell.before is None or cell.name in before.first_fill:
        return False
    last = before.written.get(cell.name)
    if last is None:
        return True
    return last.is_known and not same(cell.before, last.value, mapped.schema)


def is_news(cell: Cell, cells: tuple[Cell, ...], before: Before, noise: NoiseSettings) -> bool:
    """Whether this cell alone is worth a write of its record."""
    if cell.key in STAMPS:
        return False
    if cell.key in NEWS or _waits_to_be_filled(cell, before) or _was_erased(cell, before):
        return True
    if cell.key == "probability":
        return moved(cell.before, cell.after, noise.probability_delta)
    if cell.key == "score" and not any(other.key == "probability" for other in cells):
        return moved(_share(cell.before), _share(cell.after), noise.probability_delta)
    return False


def moved(before: Value, after: Value, delta: float) -> bool:
    """Whether a probability moved by at least `delta`; coming or going is a move."""
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return before != after
    return round(abs(after - before), EXACT) >= delta


def is_old(record_id: str, since: datetime | None, noise: NoiseSettings, now: datetime) -> bool:
    """Whether what was written at `since` has reached its age, which differs from record to record; what
    bears no time is old."""
    if since is None:
        return True
    return now - since >= timedelta(days=noise.refresh_days - days_early(record_id, noise.spread_days))


def days_early(record_id: str, spread_days: int) -> int:
    """By how many days a record's refresh is brought forward, 0 to spread - 1; the same each time."""
    return int.from_bytes(hashlib.sha256(record_id.encode()).digest()[:8]) % spread_days


def _is_first(cell: Cell, before: Before) -> bool:
    """Whether the cell holds nothing of ours: its field is new in this org, or it is empty because we never
    wrote it, or took back what we wrote."""
    last = before.written.get(cell.name)
    return cell.name in before.first_fill or (cell.before is None and (last is None or last.is_restore))


def _waits_to_be_filled(cell: Cell, before: Before) -> bool:
    """Whether the field is new in this org, or someone emptied what we had filled."""
    if cell.after is None:
        return False
    last = before.written.get(cell.name)
    emptied = cell.before is None and last is not None and last.is_known and last.value is not None
    return emptied or cell.name in before.first_fill


def _was_erased(cell: Cell, before: Before) -> bool:
    """Whether the cell may still name somebody whom the journal has forgotten."""
    last = before.written.get(cell.name)
    return cell.key in NAMING and last is not None and not last.is_known


def _moment(value: Value) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _share(score: Value) -> Value:
    return score / 100 if isinstance(score, int | float) else score
