"""Ranges of a scoring's rows in the ledger: any process claims one, scores it, and names the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select, update

from connectors.errors import StateError
from sync.store import Store
from sync.store.work import ScoreRangeRow

PLANNED, CLAIMED, DONE = "planned", "claimed", "done"
MAX_CLAIMS: Final = 5  # a range whose process died that often is left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range under a claim: rows `first` to `first + rows`. `fence` tells this claim from later ones."""

    run_id: str
    position: int
    first: int
    rows: int
    owner: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFile:
    """A range that is done, and the file that holds its predictions."""

    position: int
    path: str
    sha256: str


def plan_ranges(store: Store, run_id: str, *, rows: int, size: int) -> int:
    """How many ranges the rows were cut into; what stood there before of this run is gone."""
    starts = range(0, rows, size)
    with store.begin() as session:
        session.execute(delete(ScoreRangeRow).where(ScoreRangeRow.run_id == run_id))
        session.add_all(
            ScoreRangeRow(
                run_id=run_id,
                position=position,
                first=first,
                rows=min(size, rows - first),
                state=PLANNED,
            )
            for position, first in enumerate(starts, start=1)
        )
    return len(starts)


def claim_range(store: Store, run_id: str, owner: str, *, now: datetime, lease: timedelta) -> Range | None:
    """The first range that nobody holds, for `owner`; None when all are done or held.

    Raises StateError for a range whose process died again and again."""
    with store.begin() as session:
        # a clock that was set back must not hold a range for the time that was
        session.execute(
            update(ScoreRangeRow)
            .where(ScoreRangeRow.run_id == run_id, ScoreRangeRow.lease_until > now + lease)
            .values(lease_until=now + lease)
        )
        row = session.scalars(
            select(ScoreRangeRow)
            .where(
                ScoreRangeRow.run_id == run_id,
                or_(
                    ScoreRangeRow.state == PLANNED,
                    (ScoreRangeRow.state == CLAIMED) & (ScoreRangeRow.lease_until <= now),
                ),
            )
            .order_by(ScoreRangeRow.position)
            .limit(1)
        ).first()
        if row is None:
            return None
        if row.fence >= MAX_CLAIMS:
            raise StateError(
                f"{row.rows} accounts from number {row.first + 1} on could not be scored: the process "
                f"that tried ended {row.fence} times.",
                record=f"{run_id}, range {row.position}",
                fix="look at that process's log and memory, or set a smaller [worker] range_size",
            )
        row.state, row.owner, row.lease_until, row.fence = CLAIMED, owner, now + lease, row.fence + 1
        return Range(
            run_id=run_id,
            position=row.position,
            first=row.first,
            rows=row.rows,
            owner=owner,
            fence=row.fence,
        )


def renew_range(store: Store, held: Range, until: datetime) -> bool:
    """Whether the range is still under this claim; it is then held until the given time."""
    return _update(store, held, lease_until=until)


def keep_range(store: Store, held: Range, *, process: str, path: str, sha256: str, now: datetime) -> bool:
    """Whether the result counts: not when another process has claimed the range since."""
    return _update(
        store, held, state=DONE, process=process, result=path, sha256=sha256, ended_at=now, lease_until=None
    )


def reopen_range(store: Store, run_id: str, position: int) -> None:
    """Have the range scored again, because its file is gone or damaged."""
    with store.begin() as session:
        row = session.get_one(ScoreRangeRow, (run_id, position))
        row.state, row.process, row.result, row.sha256, row.ended_at = PLANNED, None, None, None, None


def ranges_left(store: Store, run_id: str) -> int:
    """How many ranges are not done, in whatever hands."""
    query = select(func.count()).where(ScoreRangeRow.run_id == run_id, ScoreRangeRow.state != DONE)
    with store.session() as session:
        return session.scalar(query) or 0


def range_files(store: Store, run_id: str) -> list[RangeFile]:
    """The files of all ranges that are done, in the order of the rows."""
    query = select(ScoreRangeRow).where(ScoreRangeRow.run_id == run_id, ScoreRangeRow.state == DONE)
    with store.session() as session:
        return [
            RangeFile(position=row.position, path=row.result or "", sha256=row.sha256 or "")
            for row in session.scalars(query.order_by(ScoreRangeRow.position))
        ]


def _update(store: Store, held: Range, **values: object) -> bool:
    with store.begin() as session:
        found = session.execute(
            update(ScoreRangeRow)
            .where(
                ScoreRangeRow.run_id == held.run_id,
                ScoreRangeRow.position == held.position,
                ScoreRangeRow.state == CLAIMED,
                ScoreRangeRow.owner == held.owner,
                ScoreRangeRow.fence == held.fence,
            )
            .values(**values)
            .returning(ScoreRangeRow.position)
        ).first()
    return found is not None
