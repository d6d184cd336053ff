"""A person at work in the org: the same validation and automation as for the integration user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.org import ADMIN_USER_ID, DATABASE
from connectors.sandbox.salesforce.rows import Actor, Writer
from connectors.sandbox.salesforce.schema import Schema, SObject
from connectors.sandbox.salesforce.view import View
from connectors.sandbox.store import Store, moment, stamp


def person_edit(
    where: Path | Store,
    object_name: str,
    record_id: str,
    values: Mapping[str, object],
    *,
    user_id: str = ADMIN_USER_ID,
) -> None:
    """A person changes a record of the org in a folder or in an open store.

    Raises connectors.sandbox.salesforce.rows.RowRefusedError with the vendor's reasons, KeyError for
    an object that the org does not have."""
    store = Store.open(where / DATABASE) if isinstance(where, Path) else where
    try:
        edit_as_person(store, _now(store), object_name, record_id, values, user_id=user_id)
    finally:
        if isinstance(where, Path):
            store.close()


def person_create(
    where: Path | Store, object_name: str, values: Mapping[str, object], *, user_id: str = ADMIN_USER_ID
) -> str:
    """A person creates a record; its id. Raises as `person_edit` does."""
    store = Store.open(where / DATABASE) if isinstance(where, Path) else where
    try:
        with store.transaction():
            writer, sobject = _writer(store, _now(store), object_name, user_id)
            record_id = writer.create(sobject, values)
            writer.flush()
            return record_id
    finally:
        if isinstance(where, Path):
            store.close()


def person_delete(
    where: Path | Store, object_name: str, record_id: str, *, user_id: str = ADMIN_USER_ID
) -> None:
    """A person deletes a record. Raises as `person_edit` does."""
    store = Store.open(where / DATABASE) if isinstance(where, Path) else where
    try:
        with store.transaction():
            writer, sobject = _writer(store, _now(store), object_name, user_id)
            writer.delete(sobject, record_id)
            writer.flush()
    finally:
        if isinstance(where, Path):
            store.close()


def edit_as_person(
    store: Store,
    now: str,
    object_name: str,
    record_id: str,
    values: Mapping[str, object],
    *,
    user_id: str = ADMIN_USER_ID,
) -> None:
    """A person changes a record at this moment of the sandbox's time."""
    with store.transaction():
        writer, sobject = _writer(store, now, object_name, user_id)
        writer.update(sobject, record_id, values)
        writer.flush()


def _now(store: Store) -> str:
    """The stored time, or the last request's if a running server is ahead of what it stored."""
    base = Clock(store).stamp()
    latest = Audit(store).latest()
    if latest is None:
        return base
    return max(base, stamp(moment(latest).replace(microsecond=0)))


def _writer(store: Store, now: str, object_name: str, user_id: str) -> tuple[Writer, SObject]:
    schema = Schema(store)
    view = View(store=store, schema=schema, user_id=user_id, sees_all=True)
    sobject = view.find(object_name)
    if sobject is None:
        raise KeyError(f"the org has no object {object_name!r}")
    actor = Actor(user_id=user_id, now=now, request=None, locked=lambda _index, _id: False)
    return Writer(store=store, schema=schema, view=view, audit=Audit(store), actor=actor), sobject
