"""Which fields of the CRM a table's mapped columns were read from, and what a changed mapping asks for.

An increment brings a newly mapped field for the records that change; the others would stay without it. So
the column is read again for all records we hold: alone where the CRM tells it alone, else with the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connectors.mappings import CONSTANT
from sync.store import Store
from sync.store.tables import MappedColumnRow

_READ = ""  # stands for the table itself, so that one without mapped columns is known as read too


@dataclass(frozen=True, slots=True, kw_only=True)
class Remapped:
    """The columns that were read from other fields than they are mapped to now.

    One that is mapped no more is `dropped`: its values may come from somewhere else now, or from nowhere. So
    is one that is the same in every row now, and what tells when a row became known: no field alone is it."""

    columns: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def asks_for_all(self, *, columns_alone: bool) -> bool:
        """Whether only a full read of the table will do."""
        return bool(self.dropped) or (bool(self.columns) and not columns_alone)


def remapped(store: Store, org_id: str, table: str, mapped: Mapping[str, str]) -> Remapped:
    """What changed since the table was last read; nothing where that was never noted."""
    of_table = select(MappedColumnRow.column_name, MappedColumnRow.field).where(
        MappedColumnRow.org_id == org_id, MappedColumnRow.table_name == table
    )
    with store.session() as session:
        before = {row.column_name: row.field for row in session.execute(of_table)}
    if before.pop(_READ, None) is None:
        return Remapped()
    changed = {name: field for name, field in sorted(mapped.items()) if before.get(name) != field}
    whole = {name for name, field in changed.items() if field.startswith(CONSTANT) or name == "known_from"}
    return Remapped(
        columns=tuple(name for name in changed if name not in whole),
        dropped=tuple(sorted((before.keys() - mapped.keys()) | whole)),
    )


def note_mapped(session: Session, org_id: str, table: str, mapped: Mapping[str, str]) -> None:
    """Note in the caller's transaction from which fields the table's columns are read now, for all rows."""
    session.execute(
        delete(MappedColumnRow).where(MappedColumnRow.org_id == org_id, MappedColumnRow.table_name == table)
    )
    session.add_all(
        MappedColumnRow(org_id=org_id, table_name=table, column_name=name, field=field)
        for name, field in {_READ: "", **mapped}.items()
    )
