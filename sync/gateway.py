"""The one door by which cells leave for the CRM: allow-list, safe values, compare, write, verify.

Read the batch, leave alone what a person changed, write the rest, read it back. Where the platform takes a
condition with a write, each record carries the time at which it was read; elsewhere the comparison is as
close before the write as it can be. The reading afterwards waits until it fills a call: it stops nothing, and
tells who undoes our values. Where the reply to a write shows the record, only a sample is read again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from connectors.crm import Change, Crm, Record, RowOutcome, RowResult, Value
from connectors.errors import StateError
from connectors.write_jobs import WriteJobs
from sync import journal
from sync.cells import Cell, begins_like_formula, same
from sync.delivery import Settled
from sync.mapping import FieldMap
from sync.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A cell that does not hold what we wrote a moment ago: an automation or a person changed it."""

    record_id: str
    field: str
    written: Value
    held: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class CellErrand:
    """Writes (or, with `restoring`, gives back) cells of records. `drifts` collects what did not stay."""

    crm: Crm
    fields: FieldMap
    restoring: bool = False
    drifts: list[Drift] = field(default_factory=list)
    read_at: dict[str, datetime | None] = field(default_factory=dict)  # when the record moved last, as read
    unverified: list[Operation] = field(default_factory=list)  # written, and to be read again

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that hold the value already, or must be left alone."""
        for op in operations:
            self._check_allowed(op)
        records = self._read(operations)
        if self.fields.object in self.crm.capabilities.conditional_write:
            self.read_at.clear()
            self.read_at.update({record.id: record.modified_at for record in records.values()})
        results = ((op, self._late(op, records.get(op.record_id))) for op in operations)
        return {op.key: result for op, result in results if result is not None}

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Write them in one call, each only if its record is as it was read, where the platform can."""
        return {result.key: result for result in self.crm.write(self.changes(operations))}

    @property
    def jobs(self) -> WriteJobs:
        """The CRM's jobs, where it is able to open any."""
        assert self.crm.jobs is not None
        return self.crm.jobs

    def changes(self, operations: Sequence[Operation]) -> list[Change]:
        """What leaves for the CRM."""
        return [
            Change(
                key=op.key,
                object=op.object,
                id=op.record_id,
                values={cell.name: cell.after for cell in op.cells},
                unmodified_since=self.read_at.get(op.record_id),
            )
            for op in operations
        ]

    def verify(self, applied: Sequence[Settled]) -> None:
        """Compare what the replies show; what they don't, and a sample, is read again with others later."""
        share = self.crm.capabilities.read_again
        for op, result in applied:
            if result.held is not None:
                shown = Record(object=op.object, id=op.record_id, values=result.held)
                if self._note_drifts(op, shown) or not _sampled(op, share):
                    continue
            self.unverified.append(op)
        while len(self.unverified) >= self.crm.capabilities.read_batch:
            self._verify_some()

    def verify_rest(self) -> None:
        """Read again what was written and not read since; a cell that holds something else is a drift."""
        while self.unverified:
            self._verify_some()

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those whose record shows that the write happened; of the others it may yet happen."""
        records = self._read(operations)
        return {
            op.key: RowResult(key=op.key, outcome=RowOutcome.APPLIED, id=op.record_id)
            for op in operations
            if (record := records.get(op.record_id)) is not None and self._took_effect(op, record)
        }

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """A journal entry for each cell that was written."""
        written = [op for op, result in results if result.outcome is RowOutcome.APPLIED]
        journal.record(session, written, at)

    def _verify_some(self) -> None:
        size = self.crm.capabilities.read_batch
        some, self.unverified[:] = self.unverified[:size], self.unverified[size:]
        records = self._read(some)
        for op in some:
            record = records.get(op.record_id)
            if record is not None:
                self._note_drifts(op, record)

    def _note_drifts(self, op: Operation, record: Record) -> bool:
        """Note the cells that do not hold what was written; whether there are any."""
        moved = [
            Drift(
                record_id=op.record_id,
                field=cell.name,
                written=cell.after,
                held=record.values.get(cell.name),
            )
            for cell in op.cells
            if not self._same(cell, record, cell.after)
        ]
        self.drifts.extend(moved)
        return bool(moved)

    def _late(self, op: Operation, record: Record | None) -> RowResult | None:
        """As `_verdict`, but what an earlier call may have written is our doing, and not the CRM's own."""
        if op.lost and record is not None and self._took_effect(op, record):
            return RowResult(key=op.key, outcome=RowOutcome.APPLIED, id=op.record_id)
        return self._verdict(op, record)

    def _verdict(self, op: Operation, record: Record | None) -> RowResult | None:
        """Why this operation is not sent, or None when it is."""
        if record is None or record.is_deleted:
            return _gone(op, record)
        if (unsafe := self._unsafe(op)) is not None:
            return unsafe
        if self._opted_out(record):
            return _result(op, RowOutcome.CONFLICT, "someone ticked the opt-out since the plan was made")
        if all(self._same(cell, record, cell.after) for cell in op.cells):
            return _result(op, RowOutcome.UNCHANGED, "the CRM holds these values already")
        moved = [cell for cell in op.cells if not self._same(cell, record, cell.before)]
        if moved:
            names = ", ".join(cell.name for cell in moved)
            return _result(
                op,
                RowOutcome.CONFLICT,
                f"changed since the plan was made: {names}; the record was left alone",
                fix="Make a new plan to see the record as it is now.",
            )
        return None

    def _took_effect(self, op: Operation, record: Record) -> bool:
        """Whether some cell holds our value; a call writes a record whole or not at all."""
        return any(
            self._same(cell, record, cell.after) and not self._same(cell, record, cell.before)
            for cell in op.cells
        )

    def _check_allowed(self, op: Operation) -> None:
        outside = [cell.name for cell in op.cells if cell.name not in self.fields.schemas]
        if op.object != self.fields.object or outside:
            raise StateError(
                f"not a field that Upswell may write: {', '.join(outside) or op.object}",
                record=op.record_id,
                fix="Map the field under [mapping.fields], or make a new plan.",
            )

    def _unsafe(self, op: Operation) -> RowResult | None:
        for cell in op.cells:
            if isinstance(cell.after, float) and not math.isfinite(cell.after):
                return _result(op, RowOutcome.REFUSED, f"{cell.name}: not a finite number", "NOT_FINITE")
            # a restore gives the CRM back its own text, which is not ours to judge
            if not self.restoring and begins_like_formula(cell.after):
                return _result(op, RowOutcome.REFUSED, f"{cell.name}: begins like a formula", "UNSAFE_TEXT")
        return None

    def _opted_out(self, record: Record) -> bool:
        mapped = self.fields.read.get("opt_out")
        return not self.restoring and mapped is not None and bool(record.values.get(mapped.name))

    def _read(self, operations: Sequence[Operation]) -> Mapping[str, Record]:
        names = {cell.name for _, cell in _cells(operations)}
        if not self.restoring and "opt_out" in self.fields.read:
            names.add(self.fields.read["opt_out"].name)
        return self.crm.read(self.fields.object, [op.record_id for op in operations], sorted(names))

    def _same(self, cell: Cell, record: Record, value: Value) -> bool:
        return same(record.values.get(cell.name), value, self.fields.schemas[cell.name])


def _sampled(op: Operation, share: float) -> bool:
    """Whether the operation is among this share of all, which its key alone decides."""
    digest = hashlib.blake2b(op.key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def _cells(operations: Sequence[Operation]) -> Iterator[tuple[Operation, Cell]]:
    return ((op, cell) for op in operations for cell in op.cells)


def _gone(op: Operation, record: Record | None) -> RowResult:
    if record is not None and record.merged_into is not None:
        return _result(op, RowOutcome.MERGED, f"merged into {record.merged_into}")
    return _result(op, RowOutcome.GONE, "the record was deleted")


def _result(
    op: Operation, outcome: RowOutcome, message: str, code: str | None = None, fix: str | None = None
) -> RowResult:
    return RowResult(key=op.key, outcome=outcome, id=op.record_id, vendor_code=code, message=message, fix=fix)
