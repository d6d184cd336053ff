"""Every task that we made, with how it stands: by the ledger, brought up to date from the CRM.

A person may have closed a task, deleted it, or picked an outcome. Planning looks before it chooses, since an
open task keeps its account out, and an untouched one may have to be closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.crm import Crm, TaskState
from sync.lineage import Lineage
from sync.store import Store
from sync.store.writeback import TaskRow
from sync.task_keys import key_of

PERSON: Final = "person"  # closed it in the CRM
GONE: Final = "gone"  # deleted in the CRM
ROLLED_BACK: Final = "rolled_back"
THEIRS: Final = (PERSON, GONE)
"""How a task ends that we did not close; every other reason is that of a plan which closed it."""

DONE: Final = "done"  # the outcome of a task that a person closed without picking one
PICKED_LATE: Final = timedelta(days=14)  # an outcome may be picked so long after the task was closed
MAY_LAG: Final = timedelta(days=2)  # a task that is so new and not to be found is not taken to be deleted
COLUMNS: Final = (
    "key", "account_id", "account_crm_id", "task_id", "owner_id", "play", "cycle", "subject", "created_at",
    "closed_at", "closed_reason", "outcome", "outcome_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTask:
    """One task of ours. `account_id` is the account's id today; `touched` is known of open ones only."""

    key: str
    account_id: str
    account_crm_id: str
    task_id: str
    owner_id: str | None
    play: str
    cycle: str
    subject: str
    created_at: datetime
    closed_at: datetime | None
    closed_reason: str | None
    outcome: str | None
    outcome_at: datetime | None
    touched: bool = True

    @property
    def is_open(self) -> bool:
        """Whether somebody still has it to do."""
        return self.closed_at is None

    @property
    def last_at(self) -> datetime:
        """When it was made or ended, whichever is later."""
        return max(filter(None, (self.created_at, self.closed_at, self.outcome_at)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBook:
    """All tasks of the ledger, by what their accounts are today."""

    tasks: tuple[OwnTask, ...] = ()
    by_account: Mapping[str, tuple[OwnTask, ...]] = field(default_factory=dict)
    keys: Set[str] = (
        frozenset()
    )  # used up: those of the ledger, and what they are under the account's id today

    @classmethod
    def of(cls, tasks: Sequence[OwnTask]) -> TaskBook:
        """The book of these tasks."""
        by_account: dict[str, list[OwnTask]] = {}
        for task in tasks:
            by_account.setdefault(task.account_id, []).append(task)
        keys = {task.key for task in tasks} | {key_of(t.account_id, t.play, t.cycle) for t in tasks}
        grouped = {account: tuple(own) for account, own in by_account.items()}
        return cls(tasks=tuple(tasks), by_account=grouped, keys=frozenset(keys))

    def open_of(self, account_id: str) -> tuple[OwnTask, ...]:
        """The account's open tasks."""
        return tuple(task for task in self.by_account.get(account_id, ()) if task.is_open)

    def last_at(self, account_id: str) -> datetime | None:
        """When the account last had to do with a task of ours: it was made, or it ended."""
        return max((task.last_at for task in self.by_account.get(account_id, ())), default=None)

    def used_slots(self, today: date, timezone: str) -> Counter[str]:
        """Tasks made since Monday in the company's zone, by owner, open or not."""
        since = monday(today, timezone)
        return Counter(task.owner_id or "" for task in self.tasks if task.created_at >= since)

    @property
    def open_count(self) -> int:
        """Tasks that are open."""
        return sum(task.is_open for task in self.tasks)


def read_book(
    store: Store, crm: Crm, *, now: datetime, lineage: Lineage | None = None, only: Set[str] | None = None
) -> TaskBook:
    """The book after a look at the CRM, which the ledger keeps: what people closed, deleted, or picked.

    With `only`, just these accounts' tasks are looked for; of the others the ledger's word stands."""
    lineage = lineage or Lineage()
    with store.session() as session:
        rows = session.execute(select(*(getattr(TaskRow, name) for name in COLUMNS)).order_by(TaskRow.key))
        tasks = [_task(row._mapping, lineage) for row in rows]
    looked_at = {
        task.key: task
        for task in tasks
        if _may_have_moved(task, now) and (only is None or task.account_id in only)
    }
    sent_to = {key: t.account_crm_id for key, t in looked_at.items() if now - t.created_at < MAY_LAG}
    found = crm.find_tasks(list(looked_at), sent_to=sent_to) if looked_at else {}
    seen = {key: _seen(task, found.get(key), now) for key, task in looked_at.items()}
    moved = [(looked_at[key], new) for key, new in seen.items() if _facts(new) != _facts(looked_at[key])]
    if moved:
        with store.begin() as session:
            keep_ends(session, moved)
    return TaskBook.of([seen.get(task.key, task) for task in tasks])


def keep_ends(session: Session, moved: Sequence[tuple[OwnTask, OwnTask]]) -> None:
    """Note how tasks ended (before, now), unless another process has noted something else meanwhile."""
    for before, now in moved:
        session.execute(
            update(TaskRow)
            .where(TaskRow.key == now.key, TaskRow.closed_at.is_not_distinct_from(before.closed_at))
            .values(**_facts(now)),
            execution_options={"synchronize_session": False},
        )


def monday(today: date, timezone: str) -> datetime:
    """When the week of a day began in a zone."""
    return datetime.combine(today - timedelta(days=today.weekday()), time.min, tzinfo=ZoneInfo(timezone))


def _may_have_moved(task: OwnTask, now: datetime) -> bool:
    """Whether the CRM may know more of it than the ledger: it is open, or was until lately.

    Somebody may open a closed task again, take a deleted one out of the bin, or pick an outcome late."""
    return task.closed_at is None or now - task.closed_at < PICKED_LATE


def _seen(task: OwnTask, state: TaskState | None, now: datetime) -> OwnTask:
    """The task as the CRM has it now."""
    if state is None:
        if task.closed_at is not None or now - task.created_at < MAY_LAG:
            return task
        return replace(task, closed_at=now, closed_reason=GONE)
    if not state.is_closed:
        if task.closed_at is not None:  # somebody opened it again
            task = replace(task, closed_at=None, closed_reason=None, outcome=None, outcome_at=None)
        task = replace(task, touched=state.touched)
    elif task.closed_at is None:
        task = replace(
            task, closed_at=now, closed_reason=PERSON, outcome=DONE, outcome_at=state.outcome_at or now
        )
    if state.outcome is not None and state.outcome != task.outcome:
        task = replace(task, outcome=state.outcome, outcome_at=state.outcome_at or now)
    return task


def _facts(task: OwnTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in ("closed_at", "closed_reason", "outcome", "outcome_at")}


def _task(row: Mapping[Any, Any], lineage: Lineage) -> OwnTask:
    values = {name: row[name] for name in COLUMNS}
    values["account_id"] = lineage.account_now(row["account_id"], row["account_crm_id"])
    return OwnTask(**values)
