"""First pages of several queries, asked for in one call before their turn.

Most tables of an increment have few new rows or none, and a query of its own for each of them costs a call. A
Composite call takes five queries (documented: at most 5 of its 25 subrequests may be queries or Collections).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.query import Query

TOGETHER: Final = 5

_Key = tuple[object, str, bool]


class Ahead:
    """Keeps first pages until their query's turn comes.

    A page belongs to a window, and was read after the window's end: a later window never gets it."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._pages: dict[_Key, Mapping[str, Any]] = {}

    def ask(self, query: Query, following: Iterable[Query]) -> None:
        """Have the first page of the query, and of some that follow it, unless it is here."""
        if _key(query) in self._pages:
            return
        # what is left of another window was asked for by a pull that broke off
        self._pages = {key: page for key, page in self._pages.items() if key[0] == query.window}
        new = (each for each in following if _key(each) not in self._pages)
        wanted = {_key(each): each for each in (query, *islice(new, TOGETHER - 1))}
        if len(wanted) > 1:
            statements = [(each.statement(ordered=True), each.deleted) for each in wanted.values()]
            pages = self._client.first_pages(statements)
            self._pages |= {key: page for key, page in zip(wanted, pages, strict=True) if page is not None}

    def take(self, query: Query) -> Mapping[str, Any] | None:
        """The query's first page, once; None where it is not here."""
        return self._pages.pop(_key(query), None)


def _key(query: Query) -> _Key:
    return query.window, query.statement(ordered=True), query.deleted
