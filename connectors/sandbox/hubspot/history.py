"""Property history: what a property was, when it changed and what changed it.

Source: "Property history", Object APIs: `propertiesWithHistory`, newest first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.sandbox.store import Store

_LIMIT = 20  # the vendor keeps 20 values of a property (45 of a contact's)
_CONTACT_LIMIT = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one property; `previous` is what it was before."""

    object: str
    id: str
    name: str
    value: str | None
    previous: str | None
    at: str
    source_type: str = "CRM_UI"
    source_id: str = ""


class History:
    """The property history of one store; `add` collects, `flush` writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: list[Change] = []

    @staticmethod
    def create(store: Store) -> History:
        """Make the table."""
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE property_history (n INTEGER PRIMARY KEY, object TEXT, id INTEGER, name TEXT,"
                " value TEXT, previous TEXT, at TEXT, source_type TEXT, source_id TEXT)"
            )
            sql.execute("CREATE INDEX property_history_of ON property_history (object, id, name, at)")
        return History(store)

    def add(self, change: Change) -> None:
        """Remember a change until the next flush."""
        self._pending.append(change)

    def flush(self) -> None:
        """Write what was added."""
        if self._pending:
            self.insert(self._pending)
            self._pending = []

    def discard(self) -> None:
        """Forget what was added since the last flush."""
        self._pending = []

    def insert(self, changes: Iterable[Change]) -> None:
        """Write changes at once; for a bulk load."""
        with self._store.transaction() as sql:
            sql.executemany(
                "INSERT INTO property_history (object, id, name, value, previous, at, source_type, source_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (c.object, int(c.id), c.name, c.value, c.previous, c.at, c.source_type, c.source_id)
                    for c in changes
                ),
            )

    def move(self, object_name: str, old_ids: Sequence[str], new_id: str) -> None:
        """Hand the history of merged records to the new one."""
        with self._store.transaction() as sql:
            sql.executemany(
                "UPDATE property_history SET id = ? WHERE object = ? AND id = ?",
                [(int(new_id), object_name, int(old)) for old in old_ids],
            )

    def of(
        self, object_name: str, ids: Sequence[str], names: Sequence[str]
    ) -> dict[tuple[str, str], list[dict[str, object]]]:
        """Entries by record and property, newest first.

        The value before the first change comes last, without a stamp."""
        rows = self._store.select(
            "SELECT h.id, h.name, h.value, h.previous, h.at, h.source_type, h.source_id"
            " FROM json_each(?) AS wanted CROSS JOIN property_history AS h"
            " ON h.object = ? AND h.id = CAST(wanted.value AS INTEGER)"
            " WHERE h.name IN (SELECT value FROM json_each(?)) ORDER BY h.id, h.name, h.at DESC, h.n DESC",
            (json.dumps(list(ids)), object_name, json.dumps(list(names))),
        )
        found: dict[tuple[str, str], list[dict[str, object]]] = {}
        first: dict[tuple[str, str], object] = {}
        for record_id, name, value, previous, at, source_type, source_id in rows:
            key = (str(record_id), str(name))
            found.setdefault(key, []).append(_entry(value, at, source_type, source_id))
            first[key] = previous
        limit = _CONTACT_LIMIT if object_name == "contacts" else _LIMIT
        for key, entries in found.items():
            if first[key] is not None:
                entries.append(_entry(first[key], None, "IMPORT", ""))
            del entries[limit:]
        return found


def _entry(value: object, at: object, source_type: object, source_id: object) -> dict[str, object]:
    return {
        "value": "" if value is None else value,
        "timestamp": at,
        "sourceType": source_type,
        "sourceId": source_id or None,
    }


def initial(value: object, at: object) -> dict[str, object]:
    """The only entry of a property that never changed since the record was made."""
    return _entry(value, at, "IMPORT", "")
