"""The one door by which tasks are made and closed: never two for a key, none that became unwanted.

Neither CRM refuses a second task for certain, so a key is looked for before the first attempt and after
every lost reply, and is in the ledger for good once its task exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from connectors.crm import Crm, Record, RowOutcome, RowResult, TaskState
from sync import journal
from sync.delivery import Settled, rekeyed
from sync.mapping import FieldMap
from sync.operations import Operation
from sync.planned import OF_BRIEF
from sync.store import Store
from sync.store.writeback import TaskRow
from sync.task_book import ROLLED_BACK, monday


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskErrand:
    """Creates the tasks of a plan. `today` is the company's date, in `timezone`.

    Another plan of the week may have been applied since this one was made: slots and open tasks are counted
    again here, by the ledger."""

    crm: Crm
    store: Store
    fields: FieldMap
    today: date
    timezone: str = "UTC"

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those whose task exists, or whose account or owner no longer wants one."""
        results = self._existing(operations)
        results |= self._crowded([op for op in operations if op.key not in results])
        left = [op for op in operations if op.key not in results]
        wanted = [self.fields.read[key].name for key in ("opt_out", "not_before") if key in self.fields.read]
        records = self.crm.read(self.fields.object, [op.record_id for op in left], wanted) if left else {}
        for op in left:
            if (refusal := self._refusal(op, records.get(op.record_id))) is not None:
                results[op.key] = refusal
        return results

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Create them in one call; one that is refused because an earlier call made it is there."""
        keys = {op.draft.key: op.key for op in operations}
        results = rekeyed(self.crm.create_tasks([op.draft for op in operations]), keys)
        is_unique = (
            self.crm.capabilities.unique_task_key
        )  # then another's task is the reason, lost call or not
        refused = [
            op
            for op in operations
            if (op.lost or is_unique) and op.key in results and results[op.key].outcome is RowOutcome.REFUSED
        ]
        return results | self._existing(refused) if refused else results

    def verify(self, applied: Sequence[Settled]) -> None:
        """Nothing: nobody undoes a task that was just made."""

    def verify_rest(self) -> None:
        """Nothing waits."""

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those whose task exists by now."""
        return self._existing(operations)

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """Keep each task's key and id, whether this attempt made it or it was there."""
        made = [
            (operation, result.id)
            for operation, result in results
            if result.outcome in (RowOutcome.APPLIED, RowOutcome.UNCHANGED) and result.id is not None
        ]
        for operation, task_id in made:
            self._keep(session, operation, task_id, at)
        journal.record_tasks(session, made, at)

    def _keep(self, session: Session, operation: Operation, task_id: str, at: datetime) -> None:
        draft, payload = operation.draft, operation.payload
        if session.get(TaskRow, draft.key) is not None:
            return
        session.add(
            TaskRow(
                key=draft.key,
                plan_id=operation.plan_id,
                run_id=operation.run_id,
                account_id=operation.account_id,
                account_crm_id=draft.account_crm_id,
                task_id=task_id,
                owner_id=draft.owner_id,
                play=payload["play"],
                product=payload["product"],
                cycle=payload["cycle"],
                subject=draft.subject,
                due=draft.due,
                created_at=at,
                closed_at=None,
                value=payload.get("value"),
                **{name: payload.get(name) for name in OF_BRIEF},
            )
        )

    def _existing(self, operations: Sequence[Operation]) -> dict[str, RowResult]:
        """Results of those whose task is there: our doing where an earlier call may have made it."""
        sent_to = {op.draft.key: op.draft.account_crm_id for op in operations if op.lost}
        found = self.crm.find_tasks([op.draft.key for op in operations], sent_to=sent_to)
        return {
            op.key: RowResult(
                key=op.key,
                outcome=RowOutcome.APPLIED if op.lost else RowOutcome.UNCHANGED,
                id=found[op.draft.key].id,
            )
            for op in operations
            if op.draft.key in found
        }

    def _crowded(self, operations: Sequence[Operation]) -> dict[str, RowResult]:
        """Results of those whose account has an open task by now, or whose owner's week is full.

        Of an owner's tasks in one plan each has its turn, so workers that share a plan never fill a slot
        twice, in whatever order they come to it."""
        accounts = {op.account_id for op in operations} | {op.record_id for op in operations}
        owners = {op.draft.owner_id for op in operations}
        since = monday(self.today, self.timezone)
        ours = or_(TaskRow.account_id.in_(accounts), TaskRow.account_crm_id.in_(accounts))
        others = TaskRow.plan_id.not_in({op.plan_id for op in operations})
        with self.store.session() as session:
            waiting = session.scalars(select(TaskRow).where(ours, TaskRow.closed_at.is_(None))).all()
            made = select(TaskRow.owner_id, func.count()).where(
                others, TaskRow.owner_id.in_(owners), TaskRow.created_at >= since
            )
            used: dict[str | None, int] = dict(session.execute(made.group_by(TaskRow.owner_id)).all())
        results = {}
        for op in operations:
            draft, turn, slots = op.draft, op.payload.get("turn", 0), op.payload.get("slots")
            task = next((row for row in waiting if _is_same_account(row, op) and row.key != draft.key), None)
            if task is not None:
                message = f"the account has an open task by now: {task.key}"
            elif slots is not None and used.get(draft.owner_id, 0) + turn > slots:
                message = f"the owner's {slots} slots of this week were filled by another plan meanwhile"
            else:
                continue
            results[op.key] = RowResult(key=op.key, outcome=RowOutcome.CONFLICT, message=message)
        return results

    def _refusal(self, op: Operation, record: Record | None) -> RowResult | None:
        if record is None or record.is_deleted:
            merged = record is not None and record.merged_into is not None
            outcome = RowOutcome.MERGED if merged else RowOutcome.GONE
            return RowResult(key=op.key, outcome=outcome, message="the account was deleted or merged")
        values = {
            key: record.values.get(self.fields.read[key].name)
            for key in ("opt_out", "not_before")
            if key in self.fields.read
        }
        not_before = values.get("not_before")
        if values.get("opt_out"):
            message = "someone ticked the opt-out since the plan was made"
        elif isinstance(not_before, date) and not_before > self.today:
            message = f"no task before {not_before.isoformat()}, someone says since the plan was made"
        else:
            return None
        return RowResult(key=op.key, outcome=RowOutcome.CONFLICT, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseErrand:
    """Closes tasks that a plan closes or a rollback takes back, unless someone has worked on them."""

    crm: Crm

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that are gone, closed, or worked on."""
        found = self._found(operations)
        results = {}
        for op in operations:
            task = found.get(op.payload["task_key"])
            if task is None:
                outcome, message = RowOutcome.GONE, "the task was deleted"
            elif op.lost and _is_closed_by_us(task):
                outcome, message = RowOutcome.APPLIED, None
            elif task.is_closed or task.touched:
                outcome, message = RowOutcome.CONFLICT, "someone worked on the task"
            else:
                continue
            results[op.key] = RowResult(
                key=op.key, outcome=outcome, id=op.payload["task_id"], message=message
            )
        return results

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Close them in one call."""
        keys = {op.payload["task_id"]: op.key for op in operations}
        return rekeyed(
            self.crm.close_tasks({op.payload["task_id"]: op.payload["note"] for op in operations}), keys
        )

    def verify(self, applied: Sequence[Settled]) -> None:
        """Nothing: a task that someone opens again is theirs."""

    def verify_rest(self) -> None:
        """Nothing waits."""

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that are closed by now."""
        found = self._found(operations)
        return {
            op.key: RowResult(key=op.key, outcome=RowOutcome.APPLIED, id=op.payload["task_id"])
            for op in operations
            if (task := found.get(op.payload["task_key"])) is not None and _is_closed_by_us(task)
        }

    def _found(self, operations: Sequence[Operation]) -> Mapping[str, TaskState]:
        """The tasks by key, also those that were made a moment ago."""
        sent_to = {op.payload["task_key"]: op.record_id for op in operations}
        return self.crm.find_tasks(list(sent_to), sent_to=sent_to)

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """Note in the ledger which tasks are closed."""
        for operation, result in results:
            task = session.get(TaskRow, operation.payload["task_key"])
            if result.outcome is RowOutcome.APPLIED and task is not None:
                task.closed_at = at
                task.closed_reason = operation.payload.get("reason", ROLLED_BACK)
        closed = [op for op, result in results if result.outcome is RowOutcome.APPLIED]
        journal.record_tasks(session, [(op, op.payload["task_id"]) for op in closed], at)


def _is_same_account(task: TaskRow, op: Operation) -> bool:
    return task.account_id == op.account_id or task.account_crm_id == op.record_id


def _is_closed_by_us(task: TaskState) -> bool:
    return task.is_closed and not task.touched
