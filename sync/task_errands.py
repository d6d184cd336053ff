"""The one door by which tasks are made and closed: never two for a key, none that became unwanted.

Neither CRM refuses a second task for certain, so a key is looked for before the first attempt and after
every lost reply, and is in the ledger for good once its task exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from connectors.crm import Crm, Record, RowOutcome, RowResult, TaskState
from sync import journal
from sync.delivery import Settled, rekeyed
from sync.mapping import FieldMap
from sync.operations import Operation
from sync.store.writeback import TaskRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskErrand:
    """Creates the tasks of a plan. `today` is the company's date."""

    crm: Crm
    fields: FieldMap
    today: date

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those whose task exists, or whose account no longer wants one."""
        results = self._existing(operations)
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
    """Closes tasks that a rollback takes back, unless someone has worked on them."""

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
        closed = [op for op, result in results if result.outcome is RowOutcome.APPLIED]
        journal.record_tasks(session, [(op, op.payload["task_id"]) for op in closed], at)


def _is_closed_by_us(task: TaskState) -> bool:
    return task.is_closed and not task.touched
