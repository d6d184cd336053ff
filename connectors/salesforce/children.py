"""Rows of a child object that belong to the records of a pull's window, read once for the whole window.

A semi-join asks for them in one query, where lists of ids would take one query for some hundred records; a
full read takes the child object as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol, Self, TypeVar, cast

from connectors.crm import Window
from connectors.errors import SetupError
from connectors.page import Page, Records
from connectors.salesforce.fetch import ONE_PAGE, Fetch
from connectors.salesforce.query import Query
from connectors.salesforce.schema import Schemas
from connectors.salesforce.soql import Condition, Subquery

_BY_REST: Final = 4 * ONE_PAGE  # its first page is there already: three more cost no more calls than a job


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRows:
    """Which rows: those of `object` whose `link` is a record of `parent` in the window.

    The relationship to the parent bears the parent's name, as standard objects' do."""

    object: str
    parent: str
    link: str
    fields: tuple[str, ...]
    only: tuple[Condition, ...] = ()  # what holds for the parents
    also: tuple[Condition, ...] = ()  # what holds for the rows


class Facts(Protocol):
    """What is kept of the rows."""

    source: ClassVar[ChildRows]

    @classmethod
    def of_pages(cls, pages: Iterable[Records]) -> Self:
        """From the rows, some at a time; of no rows where our user does not see them."""
        ...


F = TypeVar("F", bound=Facts)


class Children:
    """Reads child rows, and keeps what was made of them until the next pull."""

    def __init__(self, fetch: Fetch, schemas: Schemas) -> None:
        self._fetch = fetch
        self._schemas = schemas
        self._known: dict[type[Facts], tuple[Window, Facts]] = {}

    def forget(self) -> None:
        """Read anew from here on: another pull begins."""
        self._known.clear()

    def know(self, window: Window, facts: Iterable[Facts]) -> None:
        """Take these for the window's: their rows were read anyway."""
        self._known |= {type(each): (window, each) for each in facts}

    def of(self, page: Page, kind: type[F]) -> F:
        """The facts for all records of the page's window."""
        window = page.window
        if window is None:
            raise ValueError("a page of no window has no child rows")
        held = self._known.get(kind)
        if held is None or held[0] != window:
            held = (window, kind.of_pages(self._rows(kind.source, window)))
            self._known[kind] = held
        return cast(F, held[1])

    def _rows(self, wanted: ChildRows, window: Window) -> Iterable[Records]:
        try:
            visible = [name for name in wanted.fields if self._schemas.holds_path(wanted.object, name)]
        except SetupError:
            return ()
        query = Query(
            object=wanted.object,
            fields=("Id", wanted.link, *visible),
            cursor=None,
            window=window,
            deleted=False,
            also=(*self._of_parents(wanted, window), *wanted.also),
        )
        return self._fetch.pages(query, by_rest=_BY_REST)

    def _of_parents(self, wanted: ChildRows, window: Window) -> tuple[Condition, ...]:
        """The semi-join; for a full read, which is about all rows, only what holds for their parents."""
        cursor = self._schemas[wanted.parent].cursor
        if window.since is None or cursor is None:
            over = ((f"{wanted.parent}.{each.field}", each) for each in wanted.only)
            shown = ((path, each) for path, each in over if self._schemas.holds_path(wanted.object, path))
            return tuple(replace(each, field=path) for path, each in shown)
        changed = (
            Condition(field=cursor, operator="<", value=window.until),
            Condition(field=cursor, operator=">=", value=window.since),
        )
        parents = Subquery(field="Id", source=wanted.parent, where=(*changed, *wanted.only))
        return (Condition(field=wanted.link, operator="IN", value=parents),)
