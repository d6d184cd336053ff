"""The custom objects that an org was given, kept in its store so that other processes see them as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from connectors.sandbox.store import TEXT, Store

TABLE = "custom_objects"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnObject:
    """One custom object without its fields; `number` is the display format of its automatic names."""

    name: str
    label: str
    plural: str
    prefix: str = ""  # of its records' ids; the org gives it
    number: str = ""  # empty: records are named by hand
    description: str = ""
    sharing: str = "ReadWrite"

    def row(self, number: int) -> str:
        """The automatic name of its so-manieth record."""
        head, _, rest = self.number.partition("{")
        zeros, _, tail = rest.partition("}")
        return f"{head}{number:0{len(zeros)}d}{tail}"


_COLUMNS = {each.name: TEXT for each in fields(OwnObject)}


def define(store: Store) -> None:
    """Make the table, or give one of an older version the columns that it lacks."""
    store.define(TABLE, _COLUMNS, key="name")


def held(store: Store) -> Iterator[OwnObject]:
    """The objects of the org, oldest first."""
    there = store.columns(TABLE)
    if not there:
        return
    names = [name for name in _COLUMNS if name in there]
    listed = ", ".join(names)
    for row in store.select(f"SELECT {listed} FROM {TABLE} ORDER BY rowid"):  # noqa: S608  # names of this file
        told = {name: str(cell) for name, cell in zip(names, row, strict=True) if cell is not None}
        yield OwnObject(**told)


def add(store: Store, made: OwnObject) -> None:
    """Keep a new object."""
    define(store)
    store.bulk_insert(TABLE, [{name: getattr(made, name) for name in _COLUMNS}])


def change(store: Store, made: OwnObject) -> None:
    """Keep what an object of this name is called now; its prefix stays."""
    define(store)
    told = {name: getattr(made, name) for name in _COLUMNS if name != "prefix"}
    store.bulk_update(TABLE, [told], key="name")


def drop(store: Store, name: str) -> None:
    """Forget an object."""
    with store.transaction() as sql:
        sql.execute(f"DELETE FROM {TABLE} WHERE name = ?", (name,))  # noqa: S608  # a name of this file
