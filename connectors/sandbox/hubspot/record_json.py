"""Records as JSON: the properties that were asked for, their history, and what they are associated with.

Source: "Retrieve records", Object APIs: unknown properties are left out, system properties always come along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.sandbox.hubspot.associations import Associations, types_between
from connectors.sandbox.hubspot.automation import Row
from connectors.sandbox.hubspot.errors import refuse
from connectors.sandbox.hubspot.history import History, initial
from connectors.sandbox.hubspot.schema import ARCHIVED, ARCHIVED_AT, ID, NUMBER, ObjectType, Schema
from connectors.sandbox.store import Store

_ASSOCIATED_A_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a read asks for about each record."""

    properties: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    associations: tuple[str, ...] = ()


class Reader:
    """Reads records of one store as JSON."""

    def __init__(self, *, store: Store, schema: Schema, associations: Associations) -> None:
        self._store = store
        self._schema = schema
        self._associations = associations
        self._history = History(store)

    def names(self, kind: ObjectType, wanted: Wanted) -> list[str]:
        """The properties that a reply holds, in its order."""
        asked = (*wanted.properties, *wanted.history) or kind.default
        return kind.known((kind.created, ID, kind.modified, *asked))

    def page(
        self, kind: ObjectType, wanted: Wanted, *, after: int, limit: int, archived: bool
    ) -> tuple[list[dict[str, object]], str | None]:
        """One page of records in order of their ids, and the cursor of the next one."""
        names = self.names(kind, wanted)
        # names come from the schema, values are bound
        statement = (
            f'SELECT {columns_of(names)} FROM "{kind.name}" WHERE "{ARCHIVED}" = ? AND "{NUMBER}" > ?'  # noqa: S608
            f' ORDER BY "{NUMBER}" LIMIT ?'
        )
        rows = self._store.select(statement, (int(archived), after, limit + 1))
        results = self.wire(kind, names, rows[:limit], wanted)
        return results, str(rows[limit - 1][0]) if len(rows) > limit else None

    def records(self, kind: ObjectType, rows: Sequence[Row], wanted: Wanted) -> list[dict[str, object]]:
        """Rows that are at hand, as JSON."""
        names = self.names(kind, wanted)
        cells = [
            (r["Id"], r[ARCHIVED], r[ARCHIVED_AT], *(r["Id" if n == ID else n] for n in names)) for r in rows
        ]
        return self.wire(kind, names, cells, wanted)

    def wire(
        self, kind: ObjectType, names: Sequence[str], rows: Sequence[Sequence[object]], wanted: Wanted
    ) -> list[dict[str, object]]:
        """Rows selected by `columns_of` as JSON."""
        created, modified = 3 + names.index(kind.created), 3 + names.index(kind.modified)
        results = []
        for row in rows:
            record: dict[str, object] = {
                "id": row[0],
                "properties": dict(zip(names, row[3:], strict=True)),
                "createdAt": row[created],
                "updatedAt": row[modified],
                "archived": bool(row[1]),
            }
            if row[1]:
                record["archivedAt"] = row[2]
            results.append(record)
        if wanted.history:
            self._add_history(kind, results, kind.known(wanted.history))
        for name in wanted.associations:
            self._add_associations(kind, results, name)
        return results

    def _add_history(self, kind: ObjectType, results: list[dict[str, object]], names: Sequence[str]) -> None:
        found = self._history.of(kind.name, [str(record["id"]) for record in results], names)
        for record in results:
            values = record["properties"]
            assert isinstance(values, dict)
            shown: dict[str, object] = {}
            for name in names:
                entries = found.get((str(record["id"]), name))
                if entries is None:
                    entries = [] if values[name] is None else [initial(values[name], record["createdAt"])]
                for entry in entries:
                    entry["timestamp"] = entry["timestamp"] or record["createdAt"]
                shown[name] = entries
            record["propertiesWithHistory"] = shown

    def _add_associations(self, kind: ObjectType, results: list[dict[str, object]], name: str) -> None:
        other = self._schema.find(name)
        if other is None or not types_between(kind.name, other.name):
            raise refuse(f"Unable to infer object type from: {name}")
        base = f"{kind.singular}_to_{other.singular}"
        names = {
            each.type_id: (base if each.label is None else f"{base}_{each.label}").lower().replace(" ", "_")
            for each in types_between(kind.name, other.name)
        }
        plural = other.plural.lower().replace(" ", "_")
        found = self._associations.of(kind.name, [str(record["id"]) for record in results], other.name)
        for record in results:
            pairs = found.get(str(record["id"]))
            if not pairs:
                continue
            listed = [{"id": to_id, "type": names[type_id]} for to_id, type_id in pairs[:_ASSOCIATED_A_PAGE]]
            shown: dict[str, object] = {"results": listed}
            if len(pairs) > _ASSOCIATED_A_PAGE:
                shown["paging"] = {"next": {"after": pairs[_ASSOCIATED_A_PAGE][0], "link": ""}}
            held = record.setdefault("associations", {})
            assert isinstance(held, dict)
            held[plural] = shown


def columns_of(names: Sequence[str]) -> str:
    """The columns that `Reader.wire` takes, for a SELECT; the names must come from the schema."""
    listed = ", ".join(f'"{name}"' if name != ID else "Id" for name in names)
    return f'Id, "{ARCHIVED}", "{ARCHIVED_AT}", {listed}'
