"""Canonical tables from HubSpot's objects, page by page.

First pull: the list. Increments: the search, over a fixed window of the modification date. Once a day
the archived records besides, which no search shows; merged ones come as aliases of their survivor.
Associations are read for up to 1,000 records at a time. One that changes is noticed at once where HubSpot
keeps it in a property as well (primary company, parent company); any other once a day, by moved.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.aside import Aside
from connectors.canonical import DAY, FLAG, FROM_CRM, TEXT, TIME
from connectors.crm import FieldType, Window
from connectors.errors import AbsentError, SetupError
from connectors.hubspot.aside import HISTORIES, LINES, ROLES
from connectors.hubspot.cells import column, moment_of
from connectors.hubspot.deals import Closings
from connectors.hubspot.derive import Derivation
from connectors.hubspot.history import Histories
from connectors.hubspot.links import LINK_BATCH, LISTED, Links
from connectors.hubspot.mapped import check_mapping
from connectors.hubspot.objects import Objects, Records, gathered
from connectors.hubspot.roles import Roles
from connectors.hubspot.schema import Described, Schemas
from connectors.hubspot.tables import ABSENT, MERGED, SOURCES, Link, Source, sources_of
from connectors.mappings import Mappings
from connectors.page import MISFITS, Page, misfit, whole
from connectors.seen import seen

_STAMPS: Final = ("crm_id", "created_at", "modified_at", "known_from", "is_deleted", "merged_into")
_Pages = Callable[[Window], Iterator[pa.Table]]
_SUBJECTS: Final = {past: table for table, pasts in HISTORIES.items() for past in pasts}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What one source of a table is asked for; `columns` are canonical column -> property."""

    table: str
    source: Source
    columns: dict[str, str]
    properties: tuple[str, ...]
    links: Mapping[str, Link]  # canonical column -> association, where no property is mapped
    associations: tuple[str, ...]  # objects that a list is asked to name
    group: int  # records that are brought to a page together, so that what they cost in calls is shared


class Reader:
    """Reads canonical tables of one account; `zone` tells the account's time zone when it is needed.

    `apart` reads tables that are no records of one object."""

    def __init__(
        self,
        *,
        objects: Objects,
        schemas: Schemas,
        mappings: Mappings,
        links: Links,
        derivation: Derivation,
        closings: Closings,
        histories: Histories,
        roles: Roles,
        apart: Mapping[str, _Pages],
        zone: Callable[[], ZoneInfo],
    ) -> None:
        self._objects = objects
        self._schemas = schemas
        self._mappings = mappings
        self._links = links
        self._derivation = derivation
        self._closings = closings
        self._histories = histories
        self._roles = roles
        self._apart: dict[str, _Pages] = {**apart, ROLES: roles.pages}
        self._apart |= {past: partial(self._past, past) for past in _SUBJECTS}
        self._zone = zone
        self._aside: dict[str, Aside] = {}
        self.hidden: dict[str, dict[str, str]] = {}  # table -> object of it that our app does not see -> why

    def pull(self, table: str, window: Window, *, also: Collection[str] = ()) -> Iterator[pa.Table]:
        """Pages in the canonical schema; checked against the account's properties before the first.

        What comes along of the tables in `also` is set aside for their turn."""
        aside = self._aside.get(table)
        if aside is not None and aside.window == window:
            yield from self._aside.pop(table).pages()
        elif table in self._mappings.objects:
            yield from self._records(table, window, ())
        elif table in self._apart:
            yield from self._apart[table](window)
        elif table in ABSENT:
            raise AbsentError(
                ABSENT[table], record=table, fix=f"Name an object of yours: [mapping.{table}] object."
            )
        elif table not in SOURCES:
            raise KeyError(f"{table} is no table of the CRM; there are {', '.join(self._mappings.delivered)}")
        else:
            yield from self._records(table, window, also)

    def _past(self, table: str, window: Window) -> Iterator[pa.Table]:
        self._check_mapping(_SUBJECTS[table], self._sources(_SUBJECTS[table]))
        return self._histories.pages(table, window, self._zone())

    def _sources(self, table: str) -> list[Source]:
        """Where the table comes from, as far as our app sees it."""
        found, self.hidden[table] = seen(sources_of(table, self._mappings), self._schemas.__getitem__)
        return found

    def _records(self, table: str, window: Window, also: Collection[str]) -> Iterator[pa.Table]:
        sources = self._sources(table)
        self._check_mapping(table, sources)
        with self._lines_known(table, window, also):
            asides = {each: Aside(each, window) for each in self._along(table, also)}
            began = False
            try:
                for plan in [self._plan(table, source) for source in sources]:
                    for page in self._pull(plan, window, asides):
                        began = True
                        yield page
                self._set_aside(asides)
                return
            except BaseException as error:  # GeneratorExit too: half of a table must not pass for all of it
                for aside in asides.values():
                    aside.close()
                if began or not asides or not isinstance(error, SetupError):
                    raise
        # what came along is refused, such as history by the account's tier: the table comes without it
        yield from self._records(table, window, ())

    def _along(self, table: str, also: Collection[str]) -> Iterator[str]:
        """The tables that come along with this one."""
        usual = set(also) - self._mappings.objects.keys()  # an object of the settings is read by itself
        yield from (each for each in HISTORIES.get(table, ()) if each in usual)
        if table == "opportunities" and ROLES in usual:
            try:
                self._roles.check()
            except SetupError:  # our app sees no people: their own turn says so
                return
            yield ROLES

    @contextmanager
    def _lines_known(self, table: str, window: Window, also: Collection[str]) -> Iterator[None]:
        """All lines are read before all opportunities, when both are wanted: a deal's main product is one.

        Not where the settings map what a line tells, for then it may be no line of ours."""
        own = LINES in self._mappings.objects or self._mappings.columns(LINES)
        if table != "opportunities" or LINES not in also or own or window.since is not None:
            yield
            return
        aside = Aside(LINES, window)
        try:
            self._closings.know(aside.kept(self.pull(LINES, window)))
        except SetupError:  # our app sees no lines: their own turn says so
            aside.close()
            yield
            return
        except BaseException:
            aside.close()
            raise
        self._set_aside({LINES: aside})
        try:
            yield
        finally:
            self._closings.know(None)

    def _set_aside(self, asides: Mapping[str, Aside]) -> None:
        for table in asides.keys() & self._aside.keys():
            self._aside[table].close()
        self._aside |= asides

    def close(self) -> None:
        """Forget what was set aside and never asked for."""
        for aside in self._aside.values():
            aside.close()
        self._aside.clear()

    def _pull(self, plan: _Plan, window: Window, asides: Mapping[str, Aside]) -> Iterator[pa.Table]:
        """Archived records first: what lives again, or lives on in a survivor, then has the last word."""
        if window.new_day:
            yield from self._archived(plan, window)
        group = plan.group if window.since is None and ROLES not in asides else LINK_BATCH
        for records in gathered(self._live(plan, window, asides), group):
            yield from self._with_aliases(plan, records)
            self._add_asides(plan, records, window, asides)

    def _add_asides(self, plan: _Plan, records: Records, window: Window, asides: Mapping[str, Aside]) -> None:
        """Set aside what these records tell of other tables. A list has told their past; no search does."""
        names = self._past_names(asides)
        past = records
        if names and window.since is not None:
            past = self._objects.by_id(plan.source.object, [str(r["id"]) for r in records], history=names)
        for table, aside in asides.items():
            page = (
                self._roles.page(records)
                if table == ROLES
                else self._histories.page(table, past, window, self._zone())
            )
            if page is not None:
                aside.add(page)

    def _past_names(self, asides: Collection[str]) -> list[str]:
        """The properties whose past the tables that come along are made of."""
        names = [name for table in asides if table != ROLES for name in self._histories.names(table)]
        return list(dict.fromkeys(names))

    def _live(self, plan: _Plan, window: Window, asides: Collection[str]) -> Iterator[Records]:
        source = plan.source
        if window.since is None:
            return self._objects.listed(
                source.object,
                plan.properties,
                associations=plan.associations,
                history=self._past_names(asides),
            )
        return self._objects.changed(source.object, source.cursor, window, plan.properties)

    def _archived(self, plan: _Plan, window: Window) -> Iterator[pa.Table]:
        """Records archived since the last midnight that a window crossed."""
        assert window.since is not None
        since = window.since - _DAY
        pages = self._objects.listed(
            plan.source.object, plan.properties, associations=plan.associations, archived=True
        )
        for page in pages:
            records = [r for r in page if (moment_of(r.get("archivedAt")) or window.until) >= since]
            if records:
                yield from self._with_aliases(plan, records)

    def _with_aliases(self, plan: _Plan, records: Records) -> Iterator[pa.Table]:
        """The records, and those that were merged into them: nobody else tells of these."""
        yield self._page(plan, records)
        aliases = _aliases(records)
        if aliases:
            yield pa.Table.from_pylist(aliases, schema=FROM_CRM[plan.table])

    def _plan(self, table: str, source: Source) -> _Plan:
        """The columns that can be filled from the account's properties."""
        here = self._schemas[source.object]
        wanted = {**source.columns, **self._mappings.columns(table)}
        columns = {name: prop for name, prop in wanted.items() if here.has(prop)}
        links = {name: link for name, link in source.links.items() if name not in columns}
        own = table in self._mappings.objects  # it tells what the settings say, and nothing is derived
        extra = [
            *source.extra,
            *(() if own else self._derivation.needed(table)),
            *(link.property for link in links.values()),
        ]
        derived = () if own else self._derivation.associated(table, columns)
        labelled = [link for link in links.values() if link.label and not here.has(link.property)]
        plain = [
            link.target
            for link in links.values()
            if link not in labelled and not link.required and link.target in LISTED
        ]
        return _Plan(
            table=table,
            source=source,
            columns=columns,
            properties=tuple(dict.fromkeys([*columns.values(), *(name for name in extra if here.has(name))])),
            links=links,
            associations=tuple(dict.fromkeys([*plain, *derived])),
            group=LINK_BATCH if labelled or derived else 1,
        )

    def _check_mapping(self, table: str, sources: Sequence[Source]) -> None:
        objects = [source.object for source in sources]
        check_mapping(
            table, objects, _STAMPS, mappings=self._mappings, schemas=self._schemas, links=self._links
        )

    def _page(self, plan: _Plan, records: Records) -> pa.Table:
        """One page in the canonical schema: properties, associations, derived columns, the rest null."""
        schema = FROM_CRM[plan.table]
        self._schemas.check_shown(plan.source.object, plan.properties, records)
        here = self._schemas[plan.source.object]
        arrays: dict[str, pa.Array] = _stamps(records)
        for name, prop in plan.columns.items():
            values = _shown([r["properties"].get(prop) for r in records], prop, here)
            arrays[name] = self._column(values, schema.field(name).type, plan, prop, records)
        for name, link in plan.links.items():
            linked = self._links.told(plan.source.object, link, records, shown=here.has(link.property))
            arrays[name] = pa.array(linked, TEXT)
        arrays |= self._mappings.filled(plan.table, arrays, len(records))
        page = Page(object=plan.source.object, records=records, arrays=dict(arrays))
        if plan.table in self._mappings.objects:
            arrays |= self._derivation.currency(page)
        else:
            arrays |= self._derivation.columns(plan.table, page)
        return whole(arrays, schema, len(records))

    def _column(
        self, values: Sequence[Any], kind: pa.DataType, plan: _Plan, prop: str, records: Records
    ) -> pa.Array:
        held = self._schemas[plan.source.object].schema.fields[prop].type
        # a time's day is the day that people in the account saw
        zone = self._zone() if kind == DAY and held is FieldType.DATETIME else None
        try:
            return column(values, kind, zone=zone)
        except MISFITS:
            ids = [str(record["id"]) for record in records]
            identifier, matter = misfit(values, ids, kind, partial(column, kind=kind))
            raise SetupError(
                f"{prop} {matter}",
                record=f"{plan.source.object} {identifier}",
                fix=f"Map {plan.table} to another property, or correct the record.",
            ) from None


def _stamps(records: Records) -> dict[str, pa.Array]:
    created = column([r.get("createdAt") for r in records], TIME)
    return {
        "crm_id": pa.array([str(r["id"]) for r in records], TEXT),
        "created_at": created,
        "modified_at": column([r.get("updatedAt") for r in records], TIME),
        "known_from": created,
        "is_deleted": pa.array([bool(r.get("archived")) for r in records], FLAG),
    }


def _shown(values: list[Any], prop: str, here: Described) -> list[Any]:
    """Choices by their labels; everything else as it is."""
    field, choices = here.schema.fields[prop], here.choices.get(prop)
    if choices is None or field.type not in {FieldType.PICKLIST, FieldType.MULTI_PICKLIST}:
        return values
    if field.type is FieldType.PICKLIST:
        return [value and choices.label(value) for value in values]
    return [value and ";".join(choices.label(one) for one in value.split(";")) for value in values]


def _aliases(records: Records) -> list[dict[str, Any]]:
    """A deleted row for each record that was merged into one of these."""
    rows = []
    for record in records:
        for loser in str(record["properties"].get(MERGED) or "").split(";"):
            if loser and loser != str(record["id"]):
                changed = moment_of(record.get("updatedAt"))
                rows.append(
                    {
                        "crm_id": loser,
                        "modified_at": changed,
                        "known_from": changed,
                        "is_deleted": True,
                        "merged_into": str(record["id"]),
                    }
                )
    return rows
