"""A person at work in the org: the same validation and automation as for the integration user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.org import ADMIN_USER_ID, DATABASE
from connectors.sandbox.salesforce.rows import Actor, Writer
from connectors.sandbox.salesforce.schema import Schema, SObject
from connectors.sandbox.salesforce.view import View
from connectors.sandbox.store import Store, moment, stamp

MAX_LOSERS = 2  # "merge()": up to three records


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
    with _opened(where) as store:
        edit_as_person(store, _now(store), object_name, record_id, values, user_id=user_id)


def person_create(
    where: Path | Store, object_name: str, values: Mapping[str, object], *, user_id: str = ADMIN_USER_ID
) -> str:
    """A person creates a record; its id. Raises as `person_edit` does."""
    with _opened(where) as store, store.transaction():
        writer, sobject = _writer(store, _now(store), object_name, user_id)
        record_id = writer.create(sobject, values)
        writer.flush()
        return record_id


def person_delete(
    where: Path | Store, object_name: str, record_id: str, *, user_id: str = ADMIN_USER_ID
) -> None:
    """A person deletes a record. Raises as `person_edit` does."""
    with _opened(where) as store, store.transaction():
        writer, sobject = _writer(store, _now(store), object_name, user_id)
        writer.delete(sobject, record_id)
        writer.flush()


def person_hide(where: Path | Store, name: str) -> None:
    """An administrator takes an object, or a field (Object.Field), away from the integration user.

    To that user it does not exist then, as what an org's edition lacks."""
    with _opened(where) as store:
        hidden = set((store.meta.get(View.HIDDEN) or "").split()) | {name.lower()}
        store.meta[View.HIDDEN] = " ".join(sorted(hidden))


def person_merge(
    where: Path | Store,
    object_name: str,
    survivor_id: str,
    loser_ids: Sequence[str],
    *,
    user_id: str = ADMIN_USER_ID,
) -> None:
    """A person merges up to two records into a third. Raises as `person_edit` does.

    "merge()", SOAP API Developer Guide: children move to the survivor, losers are deleted and their
    MasterRecordId names it."""
    if not 1 <= len(loser_ids) <= MAX_LOSERS:
        raise ValueError(f"a merge takes one or two losers, not {len(loser_ids)}")
    with _opened(where) as store, store.transaction():
        writer, sobject = _writer(store, _now(store), object_name, user_id)
        if not sobject.merge:
            raise ValueError(f"{sobject.name} records can't be merged")
        for loser_id in loser_ids:
            writer.merge(sobject, survivor_id, loser_id)
        writer.flush()


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


@contextmanager
def _opened(where: Path | Store) -> Iterator[Store]:
    """The store itself, or the one in the folder, closed at the end."""
    if isinstance(where, Store):
        yield where
        return
    store = Store.open(where / DATABASE)
    try:
        yield store
    finally:
        store.close()


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
