"""Creating, changing and deleting records under the vendor's rules, one row at a time.

Sources: "Create a Record", "Update a Record", "Delete a Record", REST API Developer Guide; "StatusCode",
SOAP API Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.sandbox.audit import Audit, AuditedChange
from connectors.sandbox.salesforce.automation import Row, calculate, history_rows
from connectors.sandbox.salesforce.cells import CellError, cell
from connectors.sandbox.salesforce.errors import RowError, unknown_field
from connectors.sandbox.salesforce.ids import normal_id, salesforce_id
from connectors.sandbox.salesforce.schema import Field, Schema, SObject
from connectors.sandbox.salesforce.view import View
from connectors.sandbox.store import BOOLEAN, Cell, Store

FIRST_NUMBER = 2_000_000_000  # of records made through the API: a bulk load numbers its own below it

# "Delete a Record": children that go with their parent
_CASCADES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Account": (
        ("Contact", "AccountId"),
        ("Opportunity", "AccountId"),
        ("Task", "AccountId"),
        ("Event", "AccountId"),
    ),
    "Opportunity": (("OpportunityLineItem", "OpportunityId"), ("OpportunityContactRole", "OpportunityId")),
}


class RowRefusedError(Exception):
    """The row stays as it was; `errors` say why."""

    def __init__(self, *errors: RowError) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def _refuse(code: str, message: str, *fields: str, status: int = 400) -> RowRefusedError:
    return RowRefusedError(RowError(code=code, message=message, fields=fields, status=status))


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who writes, when, and in which request (None: by hand)."""

    user_id: str
    now: str
    request: int | None
    locked: Callable[[int, str], bool]


class Writer:
    """Writes rows for one actor; call `flush` before the transaction ends so that the audit is complete."""

    def __init__(self, *, store: Store, schema: Schema, view: View, audit: Audit, actor: Actor) -> None:
        self._store = store
        self._schema = schema
        self._view = view
        self._audit = audit
        self._actor = actor
        self._changes: list[AuditedChange] = []

    def create(self, sobject: SObject, values: Mapping[str, object]) -> str:
        """The new record's id. Raises RowRefusedError."""
        if not sobject.createable:
            raise _refuse(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {sobject.label}"
            )
        given = self._cells(sobject, values, creating=True)
        whole = self._whole(sobject)
        row: Row = dict.fromkeys(whole.columns)
        for field in whole.fields.values():
            if field.type == "boolean":
                row[field.name] = 0
            if field.default is not None:
                row[field.name] = field.default if isinstance(field.default, str) else int(field.default)
        if whole.field("OwnerId") is not None:
            row["OwnerId"] = self._actor.user_id
        row.update(given)
        row["Id"] = salesforce_id(
            sobject.prefix, self._store.next_number(f"id:{sobject.prefix}", first=FIRST_NUMBER)
        )
        for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            if name in row:
                row[name] = self._actor.now
        for name in ("CreatedById", "LastModifiedById"):
            if name in row:
                row[name] = self._actor.user_id
        self._check_required(sobject, row)
        self._check_unique(whole, row, given)
        if whole.own is not None and whole.own.number:
            row["Name"] = whole.own.row(self._store.next_number(f"name:{whole.name}"))
        calculate(self._store, whole, None, row, self._actor.now)
        self._store.bulk_insert(whole.name, [_typed(whole, row)])
        self._after(whole, None, row)
        return str(row["Id"])

    def update(
        self, sobject: SObject, record_id: str, values: Mapping[str, object], *, index: int = 0
    ) -> None:
        """Set some fields of a record. Raises RowRefusedError."""
        if not sobject.updateable:
            raise _refuse(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {sobject.label}"
            )
        before = self.existing(sobject, record_id)
        if self._actor.locked(index, str(before["Id"])):
            raise _refuse("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        given = self._cells(sobject, values, creating=False)
        whole = self._whole(sobject)
        after = {**before, **given}
        self._check_required(sobject, after)
        self._check_unique(whole, after, given)
        calculate(self._store, whole, before, after, self._actor.now)
        if "LastModifiedDate" in after:
            after["LastModifiedDate"], after["LastModifiedById"] = self._actor.now, self._actor.user_id
        if "SystemModstamp" in after:
            after["SystemModstamp"] = self._actor.now
        changed = {name: value for name, value in after.items() if before[name] != value}
        self._store.bulk_update(whole.name, [{"Id": after["Id"], **_typed(whole, changed)}])
        self._after(whole, before, after)

    def delete(self, sobject: SObject, record_id: str, *, index: int = 0) -> None:
        """Put a record, and what belongs to it, into the recycle bin. Raises RowRefusedError."""
        if not sobject.deletable:
            raise _refuse(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", status=403
            )
        before = self.existing(sobject, record_id)
        if self._actor.locked(index, str(before["Id"])):
            raise _refuse("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        self._remove(self._whole(sobject), before)

    def merge(self, sobject: SObject, survivor_id: str, loser_id: str) -> None:
        """Delete a record into another one, which gets its children. Raises RowRefusedError."""
        survivor, loser = self.existing(sobject, survivor_id), self.existing(sobject, loser_id)
        if survivor["Id"] == loser["Id"]:
            raise _refuse("INVALID_ID_FIELD", "a record can't be merged into itself", "Id")
        for child in self._schema.objects().values():
            for field in child.fields.values():
                if sobject.name in field.references and field.updateable:
                    for key in self.having(child, field, loser["Id"]):
                        self.update(child, key, {field.name: survivor["Id"]})
        self._remove(self._whole(sobject), loser)
        self._store.bulk_update(sobject.name, [{"Id": loser["Id"], "MasterRecordId": survivor["Id"]}])
        # "Triggers and Merge Statements", Apex Developer Guide: a merge is an update of the winning record
        self.update(sobject, str(survivor["Id"]), {})
        self._note(sobject.name, str(loser["Id"]), "MasterRecordId", None, survivor["Id"])

    def existing(self, sobject: SObject, record_id: str) -> Row:
        """The record as it stands. Raises RowRefusedError when the id is malformed, unknown or deleted."""
        full = normal_id(record_id)
        if full is None:
            raise _refuse(
                "MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {record_id}", "Id"
            )
        row = self._store.row(sobject.name, full)
        if row is None:
            raise _refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
        if row.get("IsDeleted"):
            raise _refuse("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def flush(self) -> None:
        """Hand the changed cells over to the audit log."""
        self._audit.changed(self._changes)
        self._changes = []

    def discard(self) -> None:
        """Forget the changed cells, because they were rolled back."""
        self._changes = []

    def _whole(self, sobject: SObject) -> SObject:
        """The sObject with the fields that the user does not see."""
        return self._schema.objects()[sobject.name.lower()]

    def _cells(self, sobject: SObject, values: Mapping[str, object], *, creating: bool) -> Row:
        given: Row = {}
        read_only = []
        for name, value in values.items():
            if name == "attributes" or (name.lower() == "id" and not creating):
                continue
            field = sobject.field(name)
            if field is None:
                raise RowRefusedError(unknown_field(sobject.name, name))
            allowed = field.createable if creating else field.updateable
            if not allowed or not self._view.editable(sobject, field):
                read_only.append(field.name)
                continue
            try:
                given[field.name] = cell(field, value)
            except CellError as refused:
                raise RowRefusedError(refused.error) from None
            self._check_reference(field, given[field.name])
        if read_only:
            message = (
                f"Unable to create/update fields: {', '.join(read_only)}. Please check the security settings"
                " of this field and verify that it is read/write for your profile or permission set."
            )
            raise _refuse("INVALID_FIELD_FOR_INSERT_UPDATE", message, *read_only)
        return given

    def _check_reference(self, field: Field, value: Cell) -> None:
        if field.type != "reference" or value is None:
            return
        key = str(value)
        targets = [t for t in field.references if self._schema.objects()[t.lower()].prefix == key[:3]]
        if not targets:
            raise _refuse(
                "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {key}", field.name
            )
        row = self._store.row(targets[0], key)
        if row is None or row.get("IsDeleted"):
            raise _refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)

    def _check_required(self, sobject: SObject, row: Row) -> None:
        missing = [
            f.name
            for f in sobject.fields.values()
            if f.required and f.createable and row.get(f.name) is None and not f.auto_number
        ]
        if sobject.name == "Event" and not (row.get("StartDateTime") or row.get("ActivityDateTime")):
            missing.append("ActivityDateTime")
        if missing:
            raise _refuse(
                "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing
            )

    def _check_unique(self, sobject: SObject, row: Row, given: Row) -> None:
        for name in given:
            field = sobject.field(name)
            if field is None or not field.unique or given[name] is None:
                continue
            others = [key for key in self.having(sobject, field, given[name]) if key != row["Id"]]
            if others:
                other = others[0][:15]
                message = f"duplicate value found: {field.name} duplicates value on record with id: {other}"
                raise _refuse("DUPLICATE_VALUE", message, field.name)

    def having(self, sobject: SObject, field: Field, value: Cell) -> list[str]:
        """Ids of the records with this value, deleted ones left out."""
        whole = self._whole(sobject)
        collation = "COLLATE NOCASE" if isinstance(value, str) else ""
        alive = "AND NOT IsDeleted" if whole.field("IsDeleted") is not None else ""
        # by the index first, which minds no case; names come from the schema, the value is bound
        exact = f'AND "{field.name}" = ?' if field.case_sensitive else ""
        statement = (
            f'SELECT Id FROM "{whole.name}" WHERE "{field.name}" = ? {collation} {exact} {alive} ORDER BY Id'  # noqa: S608
        )
        values = (value, value) if field.case_sensitive else (value,)
        return [str(row[0]) for row in self._store.select(statement, values)]

    def _remove(self, sobject: SObject, row: Row) -> None:
        if "IsDeleted" not in row:
            with self._store.transaction() as sql:
                sql.execute(f'DELETE FROM "{sobject.name}" WHERE Id = ?', (row["Id"],))  # noqa: S608  # schema's name
            self._note(sobject.name, str(row["Id"]), "Id", row["Id"], None)
            return
        change: Row = {"IsDeleted": 1, "SystemModstamp": self._actor.now}
        if "LastModifiedDate" in row:
            change |= {"LastModifiedDate": self._actor.now, "LastModifiedById": self._actor.user_id}
        self._store.bulk_update(sobject.name, [{"Id": row["Id"], **change}])
        self._note(sobject.name, str(row["Id"]), "IsDeleted", 0, 1)
        for table, column in _CASCADES.get(sobject.name, ()):
            child = self._schema.objects()[table.lower()]
            for key in self.having(child, child.fields[column.lower()], row["Id"]):
                found = self._store.row(table, key)
                if found is not None:
                    self._remove(child, found)

        self._unlink(sobject, row)

    def _unlink(self, sobject: SObject, row: Row) -> None:
        """Empty the custom lookups that lead to a record which is gone: `deleteConstraint` SetNull."""
        for child in self._schema.own_objects():
            found = self._schema.objects()[child.lower()]
            for field in found.fields.values():
                if sobject.name in field.references and field.on_delete == "SetNull":
                    for key in self.having(found, field, row["Id"]):
                        self._store.bulk_update(found.name, [{"Id": key, field.name: None}])
                        self._note(found.name, key, field.name, row["Id"], None)

    def _after(self, sobject: SObject, before: Row | None, after: Row) -> None:
        if before is None:
            # a new record's cells are what was put in; an empty one was never changed
            for name, value in after.items():
                if value is not None and not (value == 0 and sobject.columns[name] == BOOLEAN):
                    self._note(sobject.name, str(after["Id"]), name, None, value)
        else:
            for name, value in after.items():
                if before[name] != value and name not in ("LastModifiedDate", "SystemModstamp"):
                    self._note(sobject.name, str(after["Id"]), name, before[name], value)
        for table, rows in history_rows(self._store, sobject, before, after).items():
            prefix = self._schema.objects()[table.lower()].prefix
            self._store.bulk_insert(table, [self._history(table, prefix, row) for row in rows])
        if sobject.name == "OpportunityLineItem":
            self._roll_up(str(after["OpportunityId"]))

    def _history(self, table: str, prefix: str, row: Row) -> dict[str, object]:
        number = self._store.next_number(f"id:{prefix}", first=FIRST_NUMBER)
        system = {"CreatedDate": self._actor.now, "CreatedById": self._actor.user_id}
        if "SystemModstamp" in self._store.columns(table):
            system["SystemModstamp"] = self._actor.now
        return {"Id": salesforce_id(prefix, number), **row, **system}

    def _roll_up(self, opportunity_id: str) -> None:
        """An opportunity with products has their total as its amount."""
        total = self._store.select(
            "SELECT sum(TotalPrice) FROM OpportunityLineItem WHERE OpportunityId = ? AND NOT IsDeleted",
            (opportunity_id,),
        )[0][0]
        sobject = self._schema.objects()["opportunity"]
        before = self._store.row("Opportunity", opportunity_id)
        if before is None:
            return
        after = {**before, "Amount": total, "HasOpportunityLineItem": 1}
        calculate(self._store, sobject, before, after, self._actor.now)
        after["LastModifiedDate"] = after["SystemModstamp"] = self._actor.now
        after["LastModifiedById"] = self._actor.user_id
        self._store.bulk_update("Opportunity", [_typed(sobject, after)])
        self._after(sobject, before, after)

    def _note(self, table: str, key: str, field: str, before: Cell, after: Cell) -> None:
        self._changes.append(
            AuditedChange(
                request=self._actor.request,
                at=self._actor.now,
                object=table,
                id=key,
                field=field,
                before=before,
                after=after,
                by=self._actor.user_id,
            )
        )


def _typed(sobject: SObject, row: Row) -> dict[str, object]:
    """Cells as the store's bulk calls take them."""
    return {name: bool(value) if sobject.columns[name] == BOOLEAN else value for name, value in row.items()}
