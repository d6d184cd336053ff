"""Creating, changing, archiving and merging records under the vendor's rules, one row at a time.

Sources: "Object APIs", "Merge … records" and the changelog entry "Updated merge functionality for contacts
and companies" (a merge makes a new record with a new id, and both old ids lead to it).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.sandbox.audit import Audit, AuditedChange
from connectors.sandbox.hubspot.automation import Row, calculate
from connectors.sandbox.hubspot.errors import (
    CONFLICT,
    ValueProblem,
    invalid_values,
    refuse,
    required_missing,
)
from connectors.sandbox.hubspot.history import Change, History
from connectors.sandbox.hubspot.pipelines import PIPELINES, pipeline_of
from connectors.sandbox.hubspot.rules import Rules
from connectors.sandbox.hubspot.schema import (
    ARCHIVED,
    ARCHIVED_AT,
    ID,
    LAG_ABSENT,
    LAG_SINCE,
    NUMBER,
    ObjectType,
    Property,
    Schema,
    column_kind,
)
from connectors.sandbox.hubspot.values import ValueRefusedError, as_text, iso, stored
from connectors.sandbox.store import TEXT, Store

FIRST_NUMBER = 40_000_000_000  # of records made through the API: a bulk load numbers its own below it


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who writes, when, and in which request (None: by hand)."""

    by: str  # app:<id> or user:<id>
    now: datetime
    request: int | None
    locked: Callable[[int, str], bool]

    @property
    def user_id(self) -> str | None:
        """The user's id, None for an app."""
        kind, _, number = self.by.partition(":")
        return number if kind == "user" else None


class Records:
    """Reads and writes rows for one actor; `flush` before the transaction ends completes the audit."""

    def __init__(
        self,
        *,
        store: Store,
        schema: Schema,
        audit: Audit,
        actor: Actor,
        lag_seconds: float,
        enforce_required: bool = False,
    ) -> None:
        self._store = store
        self._schema = schema
        self._audit = audit
        self.actor = actor
        self._now = iso(actor.now)
        self._lagging = lag_seconds > 0
        self._history = History(store)
        self._changes: list[AuditedChange] = []
        self._owners: frozenset[str] | None = None
        self._enforce_required = enforce_required
        self._rules: dict[str, Rules] = {}

    def find(
        self, kind: ObjectType, keys: Sequence[str], *, id_property: str | None = None, archived: bool = False
    ) -> dict[str, Row]:
        """The records behind the keys, by key; those that do not exist are missing.

        An id that a merge used up leads to the record that the merge made."""
        if id_property is not None and id_property != ID:
            return self._having(kind, self._finding(kind, id_property), keys)
        rows = self._store.rows(kind.name, keys)
        missing = [key for key in keys if key not in rows]
        if missing and kind.mergeable:
            found = self._store.select(
                "SELECT old_id, new_id FROM merged"
                " WHERE object = ? AND old_id IN (SELECT value FROM json_each(?))",
                (kind.name, json.dumps(missing)),
            )
            survivors = self._store.rows(kind.name, [str(new) for _, new in found])
            rows |= {str(old): survivors[str(new)] for old, new in found if str(new) in survivors}
        return {key: row for key, row in rows.items() if bool(row[ARCHIVED]) == archived}

    def create(self, kind: ObjectType, properties: Mapping[str, object]) -> Row:
        """The new record. Raises RefusalError."""
        row: Row = dict.fromkeys(kind.columns)
        if kind.pipeline is not None:
            row[kind.pipeline[0]] = PIPELINES[kind.name][0].id
        row.update(self._given(kind, properties, row))
        self._check_required(kind, row, kind.required, "creating")
        number = self._store.next_number("record", first=FIRST_NUMBER)
        row |= {
            "Id": str(number),
            NUMBER: number,
            ARCHIVED: 0,
            kind.created: self._now,
            kind.modified: self._now,
        }
        row["hs_created_by_user_id"] = row["hs_updated_by_user_id"] = self.actor.user_id
        self._check_unique(kind, row, {}, creating=True)
        calculate(kind.name, None, row, self._now)
        self._store.bulk_insert(kind.name, [row])
        self._lag(kind, None, row)
        self._note(kind, dict.fromkeys(row), row)
        return row

    def update(self, kind: ObjectType, before: Row, properties: Mapping[str, object]) -> Row:
        """The record with some properties set; the same values change nothing. Raises RefusalError."""
        after = {**before, **self._given(kind, properties, before)}
        self._check_required(kind, after, (), "updating")
        return self.apply(kind, before, after)

    def apply(self, kind: ObjectType, before: Row, after: Row) -> Row:
        """Store a record that was changed, with everything that follows from the change."""
        self._check_unique(kind, after, before, creating=False)
        calculate(kind.name, before, after, self._now)
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        if not changed:
            return before
        changed[kind.modified] = after[kind.modified] = self._now
        changed["hs_updated_by_user_id"] = after["hs_updated_by_user_id"] = self.actor.user_id
        self._store.bulk_update(kind.name, [{"Id": after["Id"], **changed}])
        self._lag(kind, before, after)
        self._note(kind, before, after)
        return after

    def archive(self, kind: ObjectType, before: Row) -> None:
        """Put a record into the recycle bin; its modified stamp stays."""
        self._store.bulk_update(kind.name, [{"Id": before["Id"], ARCHIVED: 1, ARCHIVED_AT: self._now}])
        self._lag(kind, before, before)
        self._change(kind, str(before["Id"]), "archived", "false", "true")

    def merge(self, kind: ObjectType, primary: Row, other: Row) -> Row:
        """The new record that both become: the primary's values, the other's where the primary has none."""
        new: Row = {name: primary[name] if primary[name] is not None else other.get(name) for name in primary}
        number = self._store.next_number("record", first=FIRST_NUMBER)
        merged = [str(row["Id"]) for row in (primary, other)]
        for row in (primary, other):
            earlier = row.get("hs_merged_object_ids")
            merged += str(earlier).split(";") if earlier else []
        new |= {
            "Id": str(number),
            NUMBER: number,
            kind.modified: self._now,
            "hs_merged_object_ids": ";".join(merged),
        }
        new[kind.created] = min(str(primary[kind.created]), str(other[kind.created]))
        with self._store.transaction() as sql:
            for row in (primary, other):
                self._lag(kind, row, row)
                sql.execute(f'DELETE FROM "{kind.name}" WHERE Id = ?', (row["Id"],))  # noqa: S608  # schema's name
                sql.execute(
                    "UPDATE merged SET new_id = ? WHERE object = ? AND new_id = ?",
                    (str(number), kind.name, row["Id"]),
                )
                sql.execute("INSERT INTO merged VALUES (?, ?, ?)", (kind.name, row["Id"], str(number)))
        self._store.bulk_insert(kind.name, [new])
        self._lag(kind, None, new)
        self._history.move(kind.name, merged[:2], str(number))
        for old in merged[:2]:
            self._change(kind, old, "merged_into", None, str(number))
        return new

    def flush(self) -> None:
        """Hand the changed cells over to the audit log."""
        self._audit.changed(self._changes)
        self._history.flush()
        self._changes = []

    def discard(self) -> None:
        """Forget the changed cells, because they were rolled back."""
        self._changes = []
        self._history.discard()

    def check_lock(self, index: int, record_id: str) -> None:
        """Raise the refusal of a call that meets a record which a fault keeps locked.

        "Error handling": 423 Locked, to be tried again after two seconds."""
        if self.actor.locked(index, record_id):
            raise refuse(f"Object {record_id} is locked by another operation.", category="LOCKED", status=423)

    def _given(self, kind: ObjectType, properties: Mapping[str, object], row: Row) -> Row:
        given: Row = {}
        problems: list[ValueProblem] = []
        texts = {name: as_text(name, value) for name, value in properties.items()}
        for name, text in texts.items():
            prop = kind.properties.get(name)
            if prop is None:
                message = f'Property "{name}" does not exist'
                problems.append(ValueProblem(property=name, code="PROPERTY_DOESNT_EXIST", message=message))
            elif prop.read_only:
                message = f'"{name}" is a read only property; its value cannot be set.'
                problems.append(ValueProblem(property=name, code="READ_ONLY_VALUE", message=message))
            else:
                try:
                    given[name] = stored(prop, text, allowed=self._allowed(kind, prop, texts, row))
                except ValueRefusedError as refused:
                    problems.append(refused.problem)
                else:
                    broken = self._rules_of(kind).problem(name, given[name])
                    problems += [broken] if broken is not None else []
        if problems:
            raise invalid_values(problems)
        return given

    def _rules_of(self, kind: ObjectType) -> Rules:
        if kind.name not in self._rules:
            self._rules[kind.name] = Rules(self._store, kind.name)
        return self._rules[kind.name]

    def _check_required(self, kind: ObjectType, row: Row, names: Sequence[str], verb: str) -> None:
        ruled = self._rules_of(kind).required if self._enforce_required else ()
        missing = [name for name in dict.fromkeys((*names, *ruled)) if row.get(name) is None]
        if missing:
            raise required_missing(kind.singular, missing, verb=verb)

    def _allowed(
        self, kind: ObjectType, prop: Property, texts: Mapping[str, str], row: Row
    ) -> Sequence[str] | frozenset[str] | None:
        """The values of a property whose options live outside its definition, else None."""
        if prop.owner:
            if self._owners is None:
                rows = self._store.select("SELECT id FROM owners WHERE NOT archived")
                self._owners = frozenset(str(row[0]) for row in rows)
            return self._owners
        if kind.pipeline is None or prop.name not in kind.pipeline:
            return None
        pipelines = PIPELINES[kind.name]
        if prop.name == kind.pipeline[0]:
            return [pipeline.id for pipeline in pipelines]
        chosen = pipeline_of(kind.name, texts.get(kind.pipeline[0]) or str(row[kind.pipeline[0]]))
        return [] if chosen is None else [stage.id for stage in chosen.stages]

    def _finding(self, kind: ObjectType, name: str) -> Property:
        prop = kind.properties.get(name)
        if prop is None or not prop.finds:
            message = f"Unable to perform read/update/upsert by non-unique {kind.type_id} property {name}"
            raise refuse(message, propertyName=name)
        return prop

    def _having(self, kind: ObjectType, prop: Property, values: Sequence[str]) -> dict[str, Row]:
        collation = " COLLATE NOCASE" if column_kind(prop) == TEXT else ""
        # the column's name comes from the schema, the values are bound
        statement = (
            f'SELECT wanted.value, r.Id FROM json_each(?) AS wanted CROSS JOIN "{kind.name}" AS r'  # noqa: S608
            f' ON r."{prop.name}" = wanted.value{collation} WHERE r."{ARCHIVED}" = 0'
        )
        pairs = self._store.select(statement, (json.dumps(list(values)),))
        rows = self._store.rows(kind.name, [str(key) for _, key in pairs])
        return {str(value): rows[str(key)] for value, key in pairs}

    def _check_unique(self, kind: ObjectType, after: Row, before: Row, *, creating: bool) -> None:
        for prop in kind.properties.values():
            value = after.get(prop.name) if prop.finds else None
            if value is None or before.get(prop.name) == value:
                continue
            other = self._having(kind, prop, [str(value)]).get(str(value))
            if other is None or other["Id"] == after["Id"]:
                continue
            if prop.identity and creating:
                message = f"{kind.singular} already exists. Existing ID: {other['Id']}"
                raise refuse(message, category=CONFLICT, status=409)
            where = f"objectTypeId={kind.type_id}, propertyName={prop.name}, value={value}"
            message = (
                f"Cannot set PropertyValueCoordinates{{{where}}} on {after['Id']}."
                f" {other['Id']} already has that value."
            )
            raise refuse(message, propertyName=prop.name)

    def _lag(self, kind: ObjectType, before: Row | None, after: Row) -> None:
        """Keep what the search index goes on showing for a while."""
        if not self._lagging:
            return
        row = {**(before or dict.fromkeys(after)), "Id": after["Id"], NUMBER: after[NUMBER]}
        row |= {LAG_SINCE: self._now, LAG_ABSENT: int(before is None)}
        self._store.bulk_insert(kind.lag_table, [row])

    def _note(self, kind: ObjectType, before: Row, after: Row) -> None:
        record_id = str(after["Id"])
        for name in kind.properties:
            if name in (ID, kind.created, kind.modified, "hs_updated_by_user_id"):
                continue
            old, new = before.get(name), after.get(name)
            if old != new:
                self._change(kind, record_id, name, _text(old), _text(new))
                self._history.add(
                    Change(
                        object=kind.name,
                        id=record_id,
                        name=name,
                        value=_text(new),
                        previous=_text(old),
                        at=self._now,
                        source_type="INTEGRATION" if self.actor.user_id is None else "CRM_UI",
                        source_id=self.actor.by,
                    )
                )

    def _change(
        self, kind: ObjectType, record_id: str, name: str, before: str | None, after: str | None
    ) -> None:
        self._changes.append(
            AuditedChange(
                request=self.actor.request,
                at=self._now,
                object=kind.name,
                id=record_id,
                field=name,
                before=before,
                after=after,
                by=self.actor.by,
            )
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
