"""All records of a query, page by page over REST or by a Bulk job, whichever suits their number.

What one REST page can hold is read by REST. More is a Bulk job's: Salesforce advises it from about 2,000
records on, and there it costs fewer API calls from some thousand on. How many there are is told by the record
count for whole objects, one call for all of them; and by REST's first page for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from connectors.errors import LoginError, SetupError, TerminalError
from connectors.page import Records
from connectors.salesforce import soql
from connectors.salesforce.ahead import Ahead
from connectors.salesforce.bulk import Bulk, BulkUnfitError
from connectors.salesforce.client import SalesforceClient, TooManyRowsError
from connectors.salesforce.query import Query
from connectors.salesforce.schema import Schemas
from connectors.salesforce.wide import fits, wide_pages

ONE_PAGE: Final = 2_000  # records


class Fetch:
    """Reads queries of one org. `bulk` None: everything by REST."""

    def __init__(
        self, client: SalesforceClient, schemas: Schemas, *, bulk: Bulk | None, objects: Sequence[str]
    ) -> None:
        self._client = client
        self._schemas = schemas
        self._bulk = bulk
        self._objects = tuple(objects)
        self._ahead = Ahead(client)
        self._counts: Mapping[str, int] | None = None

    def expect(self, query: Query, following: Iterable[Query]) -> None:
        """Say which queries come next: first pages of some are read in one call, where pages they will be."""
        if self._is_small(query):
            self._ahead.ask(query, (each for each in following if self._is_small(each)))

    def pages(self, query: Query, *, by_rest: int = ONE_PAGE) -> Iterator[Records]:
        """Some records at a time: in the query's order by REST, which reads so many, and in none by Bulk."""
        statement = query.statement(ordered=False)
        if self._bulk is None or not self._bulk.takes(query.object) or len(statement) > soql.LONGEST:
            yield from self._by_rest(query)
            return
        if not (query.is_whole and self._count(query.object) > by_rest):
            try:
                yield from self._by_rest(query, at_most=by_rest)
            except TooManyRowsError:
                pass
            else:
                return
        columns = {path: self._schemas.type_of(query.object, path) for path in query.columns}
        try:
            yield from self._bulk.records(query.object, statement, columns, deleted=query.deleted)
        except BulkUnfitError:
            yield from self._by_rest(query)

    def _by_rest(self, query: Query, *, at_most: int | None = None) -> Iterator[Records]:
        if fits(query):
            return query.pages(self._client, at_most=at_most, first=self._ahead.take(query))
        return wide_pages(query, self._client, at_most=at_most)

    def _is_small(self, query: Query) -> bool:
        """Whether it begins with a page of REST."""
        takes = self._bulk is not None and self._bulk.takes(query.object)
        return fits(query) and not (takes and query.is_whole and self._count(query.object) > ONE_PAGE)

    def _count(self, object_name: str) -> int:
        """About how many records the object has, 0 where nobody tells: history objects, for one."""
        if self._counts is None:
            try:
                told = self._client.read("limits/recordCount", params={"sObjects": ",".join(self._objects)})
            except LoginError:
                raise
            except (SetupError, TerminalError):  # it takes the permission View Setup and Configuration
                told = None
            self._counts = {each["name"]: int(each["count"]) for each in (told or {}).get("sObjects", ())}
        return self._counts.get(object_name, 0)
