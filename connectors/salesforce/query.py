"""A long query that survives the loss of its cursor.

Salesforce keeps ten query cursors a user and drops the oldest for the eleventh ("QueryLocator", SOAP API
Developer Guide), and any after two days ("INVALID_QUERY_LOCATOR", Salesforce Help). A pull that waits for
its consumer, or asks for related rows between two pages, meets that. It then goes on behind the last row
it saw, so no row is lost or comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.crm import Window
from connectors.errors import TerminalError
from connectors.page import Records
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.soql import Condition
from connectors.salesforce.values import parse_time

_CURSOR_LOST: Final = "INVALID_QUERY_LOCATOR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """All rows of an object in a window: by Id without a start, else by the cursor field and Id."""

    object: str
    fields: tuple[str, ...]
    cursor: str | None  # None: the object has no stamp to filter on, so all of it is read
    window: Window
    deleted: bool
    also: tuple[Condition, ...] = ()  # what holds for the rows besides the window

    @property
    def is_whole(self) -> bool:
        """Whether it asks for every row of its object."""
        return not self._within() and not self.also

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields, each once."""
        return tuple(dict.fromkeys(self.fields))

    def statement(self, *, ordered: bool) -> str:
        """The whole query in one text."""
        return self._statement(self._within(), ordered=ordered)

    def pages(
        self, client: SalesforceClient, *, at_most: int | None = None, first: Mapping[str, Any] | None = None
    ) -> Iterator[Records]:
        """Pages that hold at least one row; with the first one, where it is here already.

        Raises TooManyRowsError before the first one when there are more rows than `at_most`."""
        parts = [self._within()]
        while parts:
            where = parts.pop(0)
            last: Mapping[str, Any] | None = None
            try:
                statement = self._statement(where, ordered=True)
                pages = client.pages(statement, deleted=self.deleted, at_most=at_most, first=first)
                first = None
                for records in pages:
                    at_most = None
                    if records:
                        yield records
                        last = records[-1]
            except TerminalError as error:
                if error.vendor_code != _CURSOR_LOST or last is None:
                    raise
                parts = [*self._behind(last, where), *parts]

    def _statement(self, where: Sequence[Condition], *, ordered: bool) -> str:
        order = ("Id",) if not self._by_cursor() else (str(self.cursor), "Id")
        where = [*where, *self.also]
        return soql.select(self.columns, self.object, where=where, order=order if ordered else ())

    def _by_cursor(self) -> bool:
        return self.window.since is not None and self.cursor is not None

    def _within(self) -> list[Condition]:
        """The window as conditions. A full read has none: what changes while it runs must not be missing."""
        if self.cursor is None or self.window.since is None:
            return []
        return [
            Condition(field=self.cursor, operator="<", value=self.window.until),
            Condition(field=self.cursor, operator=">=", value=self.window.since),
        ]

    def _behind(self, last: Mapping[str, Any], where: Sequence[Condition]) -> list[list[Condition]]:
        """What is left of a part behind its last row: the rest of that moment, then the moments after it."""
        same_id = Condition(field="Id", operator=">", value=str(last["Id"]))
        if not self._by_cursor():
            return [[*_without(where, "Id"), same_id]]
        cursor = str(self.cursor)
        moment = parse_time(last[cursor])
        at = Condition(field=cursor, operator="=", value=moment)
        after = Condition(field=cursor, operator=">", value=moment)
        rest = [at, same_id]
        if any(each.field == cursor and each.operator == "=" for each in where):
            return [rest]  # the part was one moment only
        return [rest, [each for each in where if each.operator == "<"] + [after]]


def _without(where: Sequence[Condition], field: str) -> list[Condition]:
    return [each for each in where if each.field != field]
