"""The custom objects that an account was given, kept in its store so that other processes see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from connectors.sandbox.store import TEXT, Store

TABLE = "custom_object_types"
_COLUMNS = {"name": TEXT, "type_id": TEXT, "singular": TEXT, "plural": TEXT, "definition": TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnType:
    """One custom object without its properties; `name` is its full name."""

    name: str
    short: str  # what its maker called it
    type_id: str
    singular: str
    plural: str
    description: str = ""
    primary: str = "record_name"
    secondary: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    searchable: tuple[str, ...] = ()
    associated: tuple[str, ...] = ()
    created_at: str | None = None
    archived_at: str | None = None


def define(store: Store) -> None:
    """Make the table, or give one of an older version the columns that it lacks."""
    store.define(TABLE, _COLUMNS, key="name")


def held(store: Store) -> Iterator[OwnType]:
    """The custom objects of the account, oldest first, archived ones too."""
    if not store.columns(TABLE):
        return
    define(store)
    statement = f"SELECT name, type_id, singular, plural, definition FROM {TABLE} ORDER BY rowid"  # noqa: S608  # a name of this file
    for name, type_id, singular, plural, definition in store.select(statement):
        told = {"name": name, "type_id": type_id, "singular": singular, "plural": plural}
        told |= {"short": str(name).partition("_")[2]}
        more = json.loads(str(definition)) if definition else {}
        lists = {key: tuple(value) for key, value in more.items() if isinstance(value, list)}
        yield OwnType(**{**told, **more, **lists})


def keep(store: Store, made: OwnType) -> None:
    """Add a custom object, or change the one of its name."""
    define(store)
    row = {name: getattr(made, name) for name in _COLUMNS if name != "definition"}
    row["definition"] = json.dumps(asdict(made))
    if store.bulk_update(TABLE, [row], key="name") == 0:
        store.bulk_insert(TABLE, [row])


def drop(store: Store, name: str) -> None:
    """Forget a custom object."""
    with store.transaction() as sql:
        sql.execute(f"DELETE FROM {TABLE} WHERE name = ?", (name,))  # noqa: S608  # a name of this file
