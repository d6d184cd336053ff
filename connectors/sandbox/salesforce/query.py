"""Queries over REST: pages, locators that stay consistent, and the user's open cursors.

Sources: "Query", "QueryAll", "Query Options Header", REST API Developer Guide; "SOQL and SOSL Limits".
"""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.schema import SObject
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.soql_sql import CompiledQuery, compile_query
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response

MAX_PAGE, MIN_PAGE = 2_000, 200
OPEN_CURSORS = 10  # of one user; the oldest gives way


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """The result of a query as it was when it was asked: ids, or finished rows of an aggregate."""

    user_id: str
    compiled: CompiledQuery
    keys: Sequence[str]
    page_size: int


class Queries:
    """Answers queries and keeps their cursors."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()

    def ask(
        self,
        soql: str,
        *,
        find: Callable[[str], SObject | None],
        user_id: str,
        base: str,
        today: date,
        deleted_too: bool,
        options: str,
    ) -> Response:
        """The first page of a query over the sObjects that `find` knows. Raises RefusalError.

        `base` is the address of the API that was asked, without /query.
        """
        tree = parse(soql)
        compiled = compile_query(soql, tree, find=find, base=base, today=today, deleted_too=deleted_too)
        keys = [str(row[0]) for row in self._store.select(compiled.keys, compiled.parameters)]
        if compiled.counts:
            return Response.of(200, {"totalSize": len(keys), "done": True, "records": []})
        cursor = _Cursor(user_id=user_id, compiled=compiled, keys=keys, page_size=_page_size(options))
        if len(keys) <= MIN_PAGE:
            return self._page(cursor, "", 0, base)
        locator = salesforce_id("0r8", self._store.next_number("locator"))
        self._cursors[locator] = cursor
        mine = [name for name, other in self._cursors.items() if other.user_id == user_id]
        for name in mine[:-OPEN_CURSORS]:
            del self._cursors[name]
        return self._page(cursor, locator, 0, base)

    def more(self, token: str, *, user_id: str, base: str) -> Response:
        """The page behind a nextRecordsUrl. Raises RefusalError INVALID_QUERY_LOCATOR."""
        locator, _, offset = token.partition("-")
        cursor = self._cursors.get(locator)
        if (
            cursor is None
            or cursor.user_id != user_id
            or not offset.isdigit()
            or int(offset) > len(cursor.keys)
        ):
            raise RefusalError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, locator, int(offset), base)

    def _page(self, cursor: _Cursor, locator: str, offset: int, base: str) -> Response:
        end = offset + _rows(cursor.page_size, offset)
        keys = cursor.keys[offset:end]
        if cursor.compiled.page is None:
            records = list(keys)
        else:
            records = [
                str(row[0]) for row in self._store.select(cursor.compiled.page, (json.dumps(list(keys)),))
            ]
        done = end >= len(cursor.keys)
        more = "" if done else f',"nextRecordsUrl":"{base}/query/{locator}-{end}"'
        head = f'{{"totalSize":{len(cursor.keys)},"done":{json.dumps(done)}{more},"records":['
        body = f"{head}{','.join(records)}]}}".encode()
        return Response(status=200, body=body, headers={"Content-Type": "application/json;charset=UTF-8"})


def soql_of(request: Request) -> str:
    """The query text. Raises RefusalError when there is none."""
    soql = request.query.get("q")
    if not soql:
        raise RefusalError(400, "MALFORMED_QUERY", "A query string has to be specified")
    return soql


def _page_size(options: str) -> int:
    """batchSize of the Sforce-Query-Options header, within the vendor's bounds."""
    for option in options.split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            return min(MAX_PAGE, max(MIN_PAGE, int(value)))
    return MAX_PAGE


def _rows(page_size: int, offset: int) -> int:
    """Rows of the page at this offset.

    "Query Options Header": there is no guarantee that the requested batch size is the actual one. Every
    fifth page or so comes out smaller, the same ones at each run.
    """
    dice = zlib.crc32(str(offset + page_size).encode())
    return page_size - dice % 97 if dice % 5 == 0 else page_size
