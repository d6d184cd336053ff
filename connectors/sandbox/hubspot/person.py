"""A person at work in the account: the same validation and automation as for an app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from connectors.sandbox import clock
from connectors.sandbox.audit import Audit
from connectors.sandbox.hubspot.account import ADMIN_USER_ID, DATABASE
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.errors import object_not_found
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.records import Actor, Records
from connectors.sandbox.hubspot.schema import ObjectType, Schema
from connectors.sandbox.hubspot.values import read_moment
from connectors.sandbox.store import Store, moment


@contextmanager
def at_work(
    where: Path | Store, object_name: str, *, user_id: int = ADMIN_USER_ID, now: datetime | None = None
) -> Iterator[tuple[ObjectType, Records, Linker]]:
    """A person's hands on the account in a folder or in an open store, in one transaction.

    Raises KeyError for an object type that the account does not have; what the account refuses is raised as
    connectors.sandbox.hubspot.errors.RefusalError."""
    store = Store.open(where / DATABASE) if isinstance(where, Path) else where
    try:
        with store.transaction():
            schema, audit = Schema(store), Audit(store)
            kind = schema.find(object_name)
            if kind is None:
                raise KeyError(f"the account has no object type {object_name!r}")
            actor = Actor(
                by=f"user:{user_id}", now=now or _now(store), request=None, locked=lambda _index, _id: False
            )
            # whoever searches decides how old the index looks, so what was before is always kept
            records = Records(store=store, schema=schema, audit=audit, actor=actor, lag_seconds=1.0)
            yield kind, records, Linker(schema=schema, associations=Associations(store), records=records)
            records.flush()
    finally:
        if isinstance(where, Path):
            store.close()


def person_edit(where: Path | Store, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
    """A person changes a record."""
    with at_work(where, object_name) as (kind, records, linker):
        _edit(kind, records, linker, record_id, values)


def edit_as_person(
    store: Store, now: datetime, object_name: str, record_id: str, values: Mapping[str, object]
) -> None:
    """A person changes a record at this moment of the sandbox's time."""
    with at_work(store, object_name, now=now) as (kind, records, linker):
        _edit(kind, records, linker, record_id, values)


def person_create(where: Path | Store, object_name: str, values: Mapping[str, object]) -> str:
    """A person creates a record; its id."""
    with at_work(where, object_name) as (kind, records, linker):
        row = records.create(kind, values)
        linker.follow_property(kind, row, list(values))
        return str(row["Id"])


def person_archive(where: Path | Store, object_name: str, record_id: str) -> None:
    """A person puts a record into the recycle bin."""
    with at_work(where, object_name) as (kind, records, _linker):
        row = records.find(kind, [record_id]).get(record_id)
        if row is None:
            raise object_not_found(record_id)
        records.archive(kind, row)


def person_merge(where: Path | Store, object_name: str, primary_id: str, other_id: str) -> str:
    """A person merges a record into a primary one; the id of the new record that both become.

    "Merge records": the primary's values win, and both records' associations come to the new one."""
    with at_work(where, object_name) as (kind, records, linker):
        found = records.find(kind, [primary_id, other_id])
        for record_id in (primary_id, other_id):
            if record_id not in found:
                raise object_not_found(record_id)
        row = records.merge(kind, found[primary_id], found[other_id])
        for old in (primary_id, other_id):
            linker.hand_over(kind, old, str(row["Id"]))
        return str(row["Id"])


def _edit(
    kind: ObjectType, records: Records, linker: Linker, record_id: str, values: Mapping[str, object]
) -> None:
    row = records.find(kind, [record_id]).get(record_id)
    if row is None:
        raise object_not_found(record_id)
    after = records.update(kind, row, values)
    linker.follow_property(kind, after, list(values))


def _now(store: Store) -> datetime:
    """The stored time, or that of the last request or change if a running server is ahead of it."""
    seen = [clock.base(store)]
    latest = Audit(store).latest()
    if latest is not None:
        seen.append(moment(latest))
    for (at,) in store.select("SELECT at FROM audit_changes ORDER BY n DESC LIMIT 1"):
        seen.append(read_moment(str(at)) or seen[0])
    return max(seen)
