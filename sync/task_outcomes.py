"""What came of the tasks, by play and by how their briefs were written: which of them led to an expansion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import func, select

from sync.store import Store
from sync.store.writeback import OutcomeRow, TaskRow
from sync.task_book import PERSON

COLUMNS: Final = ("key", "play", "style", "writer", "closed_at", "closed_reason", "outcome", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """The tasks of one play whose briefs had one style and writer ("" where an older version wrote them).

    `outcomes` counts what people picked (done: closed without picking); `dropped` are those that we closed
    or that were deleted. `expanded` had an expansion within the horizon after them, of `arr_added` a year;
    `value` is the ARR that was expected of all of them when they were made."""

    play: str
    style: str
    writer: str
    tasks: int
    open: int
    dropped: int
    outcomes: Mapping[str, int]
    expanded: int
    arr_added: float
    value: float

    @property
    def converted(self) -> float:
        """The share of the tasks that an expansion followed."""
        return self.expanded / self.tasks

    def facts(self) -> dict[str, Any]:
        """As plain values, for `--json`."""
        return asdict(self) | {"converted": round(self.converted, 4)}


def task_outcomes(store: Store) -> tuple[TaskOutcome, ...]:
    """Every play with its styles, by play, most tasks first. The ledger's word: `read_book` brings it up to
    date, and `sync.outcomes.collect` the expansions."""
    followed = (
        select(OutcomeRow.task_key, func.sum(OutcomeRow.arr_added))
        .where(OutcomeRow.task_key.is_not(None))
        .group_by(OutcomeRow.task_key)
    )
    groups: dict[tuple[str, str, str], list[Any]] = {}
    with store.session() as session:
        arr = {key: added or 0.0 for key, added in session.execute(followed)}
        for row in session.execute(select(*(getattr(TaskRow, name) for name in COLUMNS))):
            groups.setdefault((row.play, row.style or "", row.writer or ""), []).append(row)
    found = [
        TaskOutcome(
            play=play,
            style=style,
            writer=writer,
            tasks=len(rows),
            open=sum(row.closed_at is None for row in rows),
            dropped=sum(row.closed_at is not None and row.closed_reason != PERSON for row in rows),
            outcomes=dict(Counter(row.outcome for row in rows if row.outcome is not None).most_common()),
            expanded=sum(row.key in arr for row in rows),
            arr_added=round(sum(arr.get(row.key, 0.0) for row in rows), 2),
            value=round(sum(row.value or 0.0 for row in rows), 2),
        )
        for (play, style, writer), rows in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.play, -each.tasks, each.style, each.writer)))
