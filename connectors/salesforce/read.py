"""Canonical tables from SOQL, some records at a time, by REST or by Bulk.

First pull: all rows of an object. Increments: queryAll over the window of SystemModstamp, so that deleted and
merged records are seen. An object that can't be filtered on SystemModstamp (AccountHistory) is read by
CreatedDate, as its describe says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Final

import pyarrow as pa

from connectors.aside import Aside
from connectors.canonical import FROM_CRM
from connectors.compare import differing
from connectors.crm import FieldType, Held, Window
from connectors.errors import AbsentError, SetupError
from connectors.mappings import Mappings, fits, misfit_of
from connectors.page import MISFITS, Page, misfit, whole
from connectors.salesforce.cells import at, column
from connectors.salesforce.children import Children
from connectors.salesforce.derive import Derivation
from connectors.salesforce.fetch import Fetch
from connectors.salesforce.opportunities import ALONG, MainProducts, Stays
from connectors.salesforce.query import Query
from connectors.salesforce.schema import Described, Schemas
from connectors.salesforce.tables import OBJECTS_READ, Source, sources_of
from connectors.seen import seen

_STAMPS: Final = {
    "crm_id": "Id",
    "created_at": "CreatedDate",
    "modified_at": "SystemModstamp",
    "known_from": "CreatedDate",
    "is_deleted": "IsDeleted",
    "merged_into": "MasterRecordId",
}

_EVER: Final = Window(since=None, until=datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """Where one canonical column comes from."""

    name: str
    path: str
    percent: bool


class Reader:
    """Reads canonical tables of one org."""

    def __init__(
        self,
        fetch: Fetch,
        schemas: Schemas,
        mappings: Mappings,
        *,
        derivation: Derivation,
        children: Children,
    ) -> None:
        self._fetch = fetch
        self._schemas = schemas
        self._mappings = mappings
        self._derivation = derivation
        self._children = children
        self._asides: dict[str, Aside] = {}
        self.hidden: dict[str, dict[str, str]] = {}  # table -> object of it that our user does not see -> why

    def pull(self, table: str, window: Window, *, also: Collection[str] = ()) -> Iterator[pa.Table]:
        """Pages in the canonical schema; checked against describe before the first query.

        First pages of the tables in `also`, whose turn comes next, are read with this one's."""
        aside = self._asides.pop(table, None)
        if aside is not None:
            if aside.window == window:
                yield from aside.pages()
                return
            aside.close()
        plans = self._plans(table)
        known = self._along(table, window, also)
        self._children.forget()
        self._children.know(window, known)
        queries = [self._query(source, columns, window) for source, columns in plans]
        following = (
            query for each in also if each not in self._asides for query in self._queries(each, window)
        )
        if queries:
            self._fetch.expect(queries[0], chain(queries[1:], following))
        for query, (_, columns) in zip(queries, plans, strict=True):
            for records in self._fetch.pages(query):
                yield self._page(
                    table, Page(object=query.object, records=records, arrays={}, window=window), columns
                )

    def _along(self, table: str, window: Window, also: Collection[str]) -> list[Stays | MainProducts]:
        """What opportunities need of tables whose turn comes next, which are read now and set aside.

        Not for an increment, where they need more than those tables bring; nor where the settings map a
        table's columns, for then it may tell something else."""
        if table != "opportunities" or window.since is not None:
            return []
        facts = []
        for name, kind in ALONG.items():
            if name in also and not self._mappings.columns(name) and name not in self._mappings.objects:
                aside = Aside(name, window)
                try:
                    facts.append(kind.of_table(aside.kept(self.pull(name, window))))
                except SetupError:  # our user does not see them: their own turn says so
                    aside.close()
                    continue
                except BaseException:
                    aside.close()
                    raise
                self._asides[name] = aside
        return facts

    def close(self) -> None:
        """Forget what was set aside and never asked for."""
        for aside in self._asides.values():
            aside.close()
        self._asides.clear()

    def _queries(self, table: str, window: Window) -> list[Query]:
        """What the table asks; nothing where its own turn will say why."""
        try:
            return [self._query(source, columns, window) for source, columns in self._plans(table)]
        except SetupError:
            return []

    def _plans(self, table: str) -> list[tuple[Source, list[_Column]]]:
        """What is read of which object. Raises SetupError."""
        if table not in self._mappings.delivered:
            raise KeyError(f"{table} is no table of the CRM; there are {', '.join(self._mappings.delivered)}")
        self._schemas.learn((*OBJECTS_READ, *self._mappings.objects.values()))
        sources, unseen = seen(self._sources(table), self._schemas.__getitem__)
        self.hidden[table] = unseen
        self._check_mapping(table, [each.object for each in sources])
        if table == "exchange_rates" and not self._schemas.holds_path("Account", "CurrencyIsoCode"):
            raise AbsentError("This org has one currency.", record=table)
        return [(source, self._columns(table, source)) for source in sources]

    def moved(self, table: str, held: Held) -> Iterator[pa.Table]:
        """The rows we hold whose formula fields, or fields of parents, tell something else by now.

        Neither moves the record's own stamp. Only what the company mapped is asked for, all of it."""
        unstamped = [
            name for name, path in self._mappings.columns(table).items() if self._drifts(table, path)
        ]
        yield from self.reread(table, unstamped, held)

    def reread(self, table: str, names: Collection[str], held: Held) -> Iterator[pa.Table]:
        """The rows we hold that differ from the CRM's in one of these columns: their ids and the columns."""
        for source in self._sources(table):
            wanted = {"crm_id", *names} - {"known_from"}  # which no field alone tells
            columns = [each for each in self._columns(table, source) if each.name in wanted]
            if len(columns) > 1:
                pages = self._some(table, source, columns)
                first = next(pages, None)
                if first is not None:
                    yield from differing(chain([first], pages), held(table, first.column_names))

    def _some(self, table: str, source: Source, columns: Sequence[_Column]) -> Iterator[pa.Table]:
        """All live records, these columns of them."""
        query = Query(
            object=source.object,
            fields=("Id", *(each.path for each in columns)),
            cursor=None,
            window=_EVER,
            deleted=source.archived,
        )
        for records in self._fetch.pages(query):
            page = Page(object=source.object, records=records, arrays={})
            arrays = self._arrays(table, page, columns)
            yield pa.table(
                {**arrays, **self._derivation.translated(table, replace(page, arrays=dict(arrays)))}
            )

    def _drifts(self, table: str, path: str) -> bool:
        """Whether a field changes without its record's stamp."""
        if "." in path:
            return True
        known = (self._schemas[source.object].schema.fields.get(path) for source in self._sources(table))
        return any(field is not None and field.calculated for field in known)

    def _query(self, source: Source, columns: Sequence[_Column], window: Window) -> Query:
        extra = [path for path in source.extra if self._schemas.holds_path(source.object, path)]
        return Query(
            object=source.object,
            fields=("Id", *(each.path for each in columns), *extra),
            cursor=self._schemas[source.object].cursor,
            window=window,
            deleted=window.since is not None or source.archived,
        )

    def _sources(self, table: str) -> list[Source]:
        """Where the table comes from in this org."""
        every = sources_of(table, self._mappings.objects)
        return [each for each in every if not each.optional or self._shown(each)]

    def _shown(self, source: Source) -> bool:
        try:
            self._schemas[source.object]
        except SetupError:
            return False
        return True

    def _columns(self, table: str, source: Source) -> list[_Column]:
        """The columns that can be filled from what our user sees."""
        here = self._schemas[source.object]
        own = {
            name: path
            for name, path in self._mappings.columns(table).items()
            if self._schemas.holds_path(source.object, path)
        }
        wanted = {**self._stamps(here), **source.columns, **own}
        return [
            _Column(name=name, path=path, percent=self._is_percent(here, path))
            for name, path in wanted.items()
            if self._schemas.holds_path(source.object, path)
        ]

    def _stamps(self, here: Described) -> Mapping[str, str]:
        """The stamps' fields; an object without SystemModstamp is stamped by its own cursor."""
        stamps = dict(_STAMPS)
        if not here.has("SystemModstamp") and here.cursor is not None:
            stamps["modified_at"] = here.cursor
        return stamps

    def _check_mapping(self, table: str, objects: Sequence[str]) -> None:
        """Raise SetupError for a mapped column that is not ours, and a field that the org lacks or that is of
        a type that the column can't have."""
        for where, path, kind in self._mappings.checked(table, _STAMPS):
            held = {each: found for each in objects if (found := self._schemas.field(each, path))}
            if not held:
                raise SetupError(
                    f"{' and '.join(objects)} has no field {path}, or does not show it to our user.",
                    record=where,
                    fix="Correct the mapping, restore the field, or grant it by a permission set.",
                )
            for each, found in held.items():
                if not fits(kind, found):
                    raise misfit_of(where, each, path, found, kind)
        self._mappings.constants(table)

    def _is_percent(self, here: Described, path: str) -> bool:
        field = here.schema.fields.get(path)
        return field is not None and field.type is FieldType.PERCENT

    def _page(self, table: str, page: Page, columns: Sequence[_Column]) -> pa.Table:
        """One page in the canonical schema: mapped columns, then derived ones, the rest null."""
        arrays = self._arrays(table, page, columns)
        rows = len(page.records)
        arrays |= self._mappings.filled(table, arrays, rows)
        arrays.update(self._derivation.columns(table, replace(page, arrays=dict(arrays))))
        if "is_deleted" not in arrays:
            arrays["is_deleted"] = pa.array([False] * rows)
        return whole(arrays, FROM_CRM[table], rows)

    def _arrays(self, table: str, page: Page, columns: Sequence[_Column]) -> dict[str, pa.Array]:
        """The columns that fields fill. Raises SetupError for a value of another kind."""
        schema, records = FROM_CRM[table], page.records
        arrays: dict[str, pa.Array] = {}
        for each in columns:
            if "." in each.path:
                values = [at(record, each.path) for record in records]
            else:
                values = [record.get(each.path) for record in records]
            kind = schema.field(each.name).type
            try:
                arrays[each.name] = column(values, kind, percent=each.percent)
            except MISFITS:
                ids = [str(record.get("Id")) for record in records]
                identifier, matter = misfit(values, ids, kind, partial(column, kind=kind))
                raise SetupError(
                    f"{each.path} {matter}",
                    record=f"{page.object} {identifier}",
                    fix=f"Map {table}.{each.name} to another field, or correct the record.",
                ) from None
        return arrays
