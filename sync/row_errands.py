"""The one door by which rows of our own objects are added, once a key, and filled in later.

A row's key is unique in the CRM, so a second call finds it there. Where the CRM has no such object, rows are
kept in the ledger alone, by the same operations. A row is never deleted: what was said on a day was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from connectors.crm import Crm, RowOutcome, RowResult, Value
from connectors.errors import SetupError, StateError
from connectors.fields import object_specs
from connectors.own_rows import RowDraft
from sync import journal
from sync.cells import as_held, begins_like_formula
from sync.delivery import Settled, rekeyed
from sync.gateway import CellErrand, Drift
from sync.mapping import FieldMap, MappedField, option_for
from sync.operations import Operation
from sync.planned_rows import FORECASTS, values_of_row
from sync.store import Store
from sync.store.own_rows import OwnRow

KEPT_HERE: Final = "kept in the ledger: this CRM has no object for it"
THERE: Final = (RowOutcome.APPLIED, RowOutcome.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowErrand:
    """Adds rows. One whose account was deleted meanwhile is added without it, so that sums stay whole."""

    crm: Crm
    store: Store
    org_id: str

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that are kept in the ledger alone, or must not leave."""
        results = {}
        taken = self._taken(operations)
        for op in operations:
            values = _allowed(op)
            unsafe = [name for name, value in values.items() if begins_like_formula(value)]
            if not op.payload["in_crm"]:
                results[op.key] = RowResult(key=op.key, outcome=RowOutcome.UNCHANGED, message=KEPT_HERE)
            elif "actual" not in values and values.get("snapshot") in taken:
                message = "another plan wrote this day's snapshot, and a day has one"
                results[op.key] = RowResult(key=op.key, outcome=RowOutcome.CONFLICT, message=message)
            elif unsafe:
                message = f"{', '.join(unsafe)}: begins like a formula"
                results[op.key] = RowResult(
                    key=op.key, outcome=RowOutcome.REFUSED, vendor_code="UNSAFE_TEXT", message=message
                )
        return results

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Add them in one call: a claim holds rows of one object."""
        table = operations[0].object
        fields = own_fields(self.crm, table)
        if fields is None:
            raise no_object(self.org_id, table)
        keys = {op.payload["key"]: op.key for op in operations}
        drafts = [RowDraft(key=op.payload["key"], values=held_by(fields, op)) for op in operations]
        told = rekeyed(self.crm.create_rows(table, drafts), keys)
        return {op.key: _ours(op, told[op.key]) for op in operations if op.key in told}

    def verify(self, applied: Sequence[Settled]) -> None:
        """Nothing: the reply names the row, and nobody but us writes there."""

    def verify_rest(self) -> None:
        """Nothing waits."""

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that are there by now."""
        found = self.crm.find_rows(operations[0].object, [op.payload["key"] for op in operations])
        return {
            op.key: RowResult(key=op.key, outcome=RowOutcome.APPLIED, id=found[op.payload["key"]])
            for op in operations
            if op.payload["key"] in found
        }

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """Keep each row and its id, whether this attempt made it, or it was there, or has no place there."""
        kept = [(op, result) for op, result in results if result.outcome in THERE]
        if not kept:
            return
        keys = {op.payload["key"] for op, _ in kept}
        known = select(OwnRow.object, OwnRow.key).where(OwnRow.org_id == self.org_id, OwnRow.key.in_(keys))
        there = {(row.object, row.key) for row in session.execute(known)}
        new = {(op.object, op.payload["key"]): (op, result) for op, result in kept}
        rows = [self._row(op, result, at) for name, (op, result) in new.items() if name not in there]
        if rows:
            session.execute(insert(OwnRow), rows)
        made = [(op, result.id or "") for op, result in kept if result.outcome is RowOutcome.APPLIED]
        journal.record_rows(session, made, at)

    def _taken(self, operations: Sequence[Operation]) -> set[Value]:
        """Of the days of these rows of one plan those whose snapshot another plan wrote."""
        days = {values_of_row(op.payload).get("snapshot") for op in operations if op.object == FORECASTS}
        if not days:
            return set()
        query = select(OwnRow.snapshot).where(
            OwnRow.org_id == self.org_id,
            OwnRow.object == FORECASTS,
            OwnRow.snapshot.in_(days),
            OwnRow.plan_id != operations[0].plan_id,
        )
        with self.store.session() as session:
            return set(session.scalars(query.distinct()))

    def _row(self, op: Operation, result: RowResult, at: datetime) -> dict[str, Any]:
        values = values_of_row(op.payload)
        snapshot = values.get("snapshot")
        return {
            "org_id": self.org_id,
            "object": op.object,
            "key": op.payload["key"],
            "plan_id": op.plan_id,
            "run_id": op.run_id,
            "operation_key": op.key,
            "account_id": op.account_id,
            "record_id": result.id or "",
            "snapshot": snapshot if isinstance(snapshot, date) else None,
            "quarter": values.get("quarter"),
            "filled": None,
            "made_at": at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FillErrand:
    """Fills in rows, each only while it holds what the plan saw, and keeps in the ledger what they hold."""

    cells: CellErrand | None  # None where the CRM has no such object
    org_id: str

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that are there already, or that the ledger alone has."""
        here = [op for op in operations if not op.record_id]
        results = {
            op.key: RowResult(key=op.key, outcome=RowOutcome.UNCHANGED, message=KEPT_HERE) for op in here
        }
        rest = [op for op in operations if op.record_id]
        return {**results, **self._cells.screen(rest)} if rest else results

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Write them in one call."""
        return self._cells.send(operations)

    def verify(self, applied: Sequence[Settled]) -> None:
        """Look at them again, with others."""
        self._cells.verify(applied)

    def verify_rest(self) -> None:
        """Look at what still waits for it."""
        if self.cells is not None:
            self.cells.verify_rest()

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that hold our value by now."""
        return self._cells.look(operations)

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """A journal entry for each cell that was written, and what the row holds now."""
        if self.cells is not None:
            self.cells.note(session, results, at)
        for op, result in results:
            if result.outcome in THERE:
                filled = {cell["key"]: cell["after"] for cell in op.payload["cells"]}
                session.execute(
                    update(OwnRow)
                    .where(OwnRow.org_id == self.org_id, OwnRow.object == op.payload["object"])
                    .where(OwnRow.key == op.payload["key"])
                    .values(filled=filled),
                    execution_options={"synchronize_session": False},
                )

    @property
    def _cells(self) -> CellErrand:
        if self.cells is None:
            raise no_object(self.org_id, "")
        return self.cells


def fill_errand(crm: Crm, org_id: str, table: str, drifts: list[Drift]) -> FillErrand:
    """The errand that fills in rows of one of our objects."""
    fields = own_fields(crm, table)
    cells = None if fields is None else CellErrand(crm=crm, fields=fields, drifts=drifts)
    return FillErrand(cells=cells, org_id=org_id)


def own_fields(crm: Crm, table: str) -> FieldMap | None:
    """Our fields of one of our objects as the org defines them; None where it shows our user none."""
    spec = object_specs()[table]
    try:
        schema = crm.describe(crm.object_name(table))
    except SetupError:
        return None
    written = {
        key: MappedField(spec=each, schema=schema.fields[crm.field_name(each)])
        for key, each in spec.fields.items()
        if crm.field_name(each) in schema.fields
    }
    if "key" not in written:
        return None
    schemas = {field.name: field.schema for field in written.values()}
    return FieldMap(object=schema.name, written=written, read={}, schemas=schemas)


def held_by(fields: FieldMap, op: Operation) -> dict[str, Value]:
    """The values of a row as the org's fields hold them, by our keys; it may lack some of the fields."""
    values = values_of_row(op.payload)
    return {
        key: as_held(option_for(field, values[key]), field.schema)
        for key, field in fields.written.items()
        if key in values
    }


def no_object(org_id: str, table: str) -> SetupError:
    """The error of an object of ours that the plan saw and that is there no more."""
    name = object_specs()[table].label if table else "an object of ours"
    return SetupError(
        f"the CRM shows our user no {name} any more; rows of it are planned",
        record=org_id,
        fix="Run `upswell install`, then: upswell apply --resume",
    )


def _allowed(op: Operation) -> dict[str, Value]:
    """The values of a row. Raises StateError for one that is no field of ours."""
    spec = object_specs().get(op.object)
    values = values_of_row(op.payload)
    outside = sorted(values.keys() - spec.fields.keys()) if spec is not None else [op.object]
    if outside:
        raise StateError(
            f"not a field that Upswell may write: {', '.join(outside)}",
            record=op.key,
            fix="Make a new plan: upswell plan.",
        )
    return values


def _ours(op: Operation, result: RowResult) -> RowResult:
    """The result; a row that is there after a call of unknown outcome was made by that call."""
    if op.lost and result.outcome is RowOutcome.UNCHANGED:
        return replace(result, outcome=RowOutcome.APPLIED)
    return result
