"""Associations that changed: HubSpot moves no stamp for them, so what we hold is compared with what it tells.

An engagement that is associated with a company later, or taken away from it, keeps its modification date
(issues of other connectors tell of associations lost for good, e.g. airbyte's #27199 and #44554). Where a
property shows the association too (a contact's primary company), the change moves the stamp and the increment
has it. For the rest, once a day, each row that we hold is asked for: one call for 1,000 rows and column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import FLAG, TEXT
from connectors.crm import Held
from connectors.hubspot.derive import KINDS
from connectors.hubspot.links import LINK_BATCH, Links
from connectors.hubspot.roles import Roles
from connectors.hubspot.schema import Schemas
from connectors.hubspot.tables import Link, Source, sources_of
from connectors.mappings import Mappings
from connectors.seen import seen


class Moves:
    """Finds rows whose associations changed."""

    def __init__(
        self,
        schemas: Schemas,
        mappings: Mappings,
        links: Links,
        *,
        roles: Roles,
        now: Callable[[], datetime],
    ) -> None:
        self._schemas = schemas
        self._mappings = mappings
        self._links = links
        self._roles = roles
        self._now = now

    def pages(self, table: str, held: Held) -> Iterator[pa.Table]:
        """The rows held that are associated with another record now: their ids, and the columns for that.

        Of contact_roles, which are associations themselves, those that came, changed or went, whole."""
        if table == "contact_roles" and table not in self._mappings.objects:
            yield from self._roles.moved(held, self._now())
            return
        for source in seen(sources_of(table, self._mappings), self._schemas.__getitem__)[0]:
            links = self._unstamped(table, source)
            if links:
                rows = self._held(table, source, list(links), held)
                for start in range(0, rows.num_rows, LINK_BATCH):
                    yield from self._changed(source, links, rows.slice(start, LINK_BATCH))

    def _unstamped(self, table: str, source: Source) -> Mapping[str, Link]:
        """The columns that an association fills and no property shows."""
        if not source.links:
            return {}
        here = self._schemas[source.object]
        mapped = {name for name, prop in self._mappings.columns(table).items() if here.has(prop)}
        return {
            name: link
            for name, link in source.links.items()
            if name not in mapped and not here.has(link.property)
        }

    def _held(self, table: str, source: Source, columns: Sequence[str], held: Held) -> pa.Table:
        """Our rows of this object: several deliver activities, one of each kind."""
        kind = KINDS.get(source.object)
        if kind is None or table in self._mappings.objects:
            return held(table, ["crm_id", *columns])
        rows = held(table, ["crm_id", "kind", *columns])
        return rows.filter(pc.equal(rows["kind"], kind)).drop_columns(["kind"])

    def _changed(self, source: Source, links: Mapping[str, Link], rows: pa.Table) -> Iterator[pa.Table]:
        records = [{"id": each, "properties": {}} for each in rows["crm_id"].to_pylist()]
        changed = pa.array([False] * rows.num_rows, FLAG)
        now = {"crm_id": rows["crm_id"].combine_chunks()}
        for name, link in links.items():
            now[name] = pa.array(self._links.told(source.object, link, records, shown=False), TEXT)
            before = rows[name].combine_chunks()
            changed = pc.or_(changed, pc.not_equal(pc.fill_null(now[name], ""), pc.fill_null(before, "")))
        moved = pa.table(now).filter(changed)
        if moved.num_rows:
            yield moved
