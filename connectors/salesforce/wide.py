"""A query for more columns than an address holds: several queries for some of them each, stitched by Id.

The first one leads; the others run beside it in the same order. A row that one of them lacks, or that changed
between two of them, is read again by itself, so that no row comes half filled or half old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote_plus

from connectors.errors import TransientError
from connectors.page import Records
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.query import Query

ADDRESS: Final = 15_000  # bytes of a query in an address; Salesforce takes 16,384 for the whole address
_COLUMNS: Final = 7_000  # bytes of the columns of one part, which leaves room for some hundred ids
_IDS: Final = 6_000
_AHEAD: Final = 3  # pages that a part is read on in search of a row, beyond which it is missing there
_TRIES: Final = 3

_Row = Mapping[str, Any]


def fits(query: Query) -> bool:
    """Whether one address holds the query."""
    return len(quote_plus(query.statement(ordered=True))) <= ADDRESS


def wide_pages(query: Query, client: SalesforceClient, *, at_most: int | None = None) -> Iterator[Records]:
    """Pages of the query's rows, as `Query.pages` gives them."""
    parts = _parts(query)
    others = [_Beside(part.pages(client)) for part in parts[1:]]
    for page in parts[0].pages(client, at_most=at_most):
        ids = [str(row["Id"]) for row in page]
        found = [{str(row["Id"]): row for row in page}, *(other.take(ids) for other in others)]
        rows = {each: _whole(query, [part.get(each) for part in found]) for each in ids}
        doubtful = [each for each, row in rows.items() if row is None]
        rows |= _read_again(query, parts, client, doubtful)
        whole = [row for row in rows.values() if row is not None]
        if whole:
            yield whole


def _parts(query: Query) -> list[Query]:
    """The same query for some of its columns each; every part has Id and stamp."""
    keys = ["Id"] if query.cursor is None else ["Id", query.cursor]
    chunks: list[list[str]] = [[]]
    size = 0
    for name in query.columns:
        if name in keys:
            continue
        cost = len(quote_plus(f"{name}, "))
        if size + cost > _COLUMNS:
            chunks.append([])
            size = 0
        chunks[-1].append(name)
        size += cost
    return [replace(query, fields=(*keys, *chunk)) for chunk in chunks]


class _Beside:
    """One of the queries that run beside the leading one."""

    def __init__(self, pages: Iterator[Records]) -> None:
        self._pages = pages
        self._waiting: dict[str, _Row] = {}

    def take(self, ids: Sequence[str]) -> Mapping[str, _Row]:
        """Its rows with these ids, as far as they come."""
        for _ in range(_AHEAD):
            if all(each in self._waiting for each in ids):
                break
            self._waiting.update({str(row["Id"]): row for row in next(self._pages, ())})
        return {each: self._waiting.pop(each) for each in ids if each in self._waiting}


def _whole(query: Query, pieces: Sequence[_Row | None]) -> _Row | None:
    """One row of all its pieces; None where one is missing or of another moment."""
    row: dict[str, Any] = {}
    for piece in pieces:
        if piece is None or (row and query.cursor is not None and piece[query.cursor] != row[query.cursor]):
            return None
        row = _joined(row, piece)
    return row


def _joined(row: Mapping[str, Any], piece: _Row) -> dict[str, Any]:
    """Both together, parents' fields too."""
    made = dict(row)
    for name, value in piece.items():
        held = made.get(name)
        made[name] = (
            _joined(held, value) if isinstance(held, Mapping) and isinstance(value, Mapping) else value
        )
    return made


def _read_again(
    query: Query, parts: Sequence[Query], client: SalesforceClient, ids: Iterable[str]
) -> dict[str, _Row | None]:
    """The rows as they are by now; None for one that is gone.

    Raises TransientError for one that never rests."""
    rows: dict[str, _Row | None] = {}
    for chunk in soql.in_chunks(ids, most=_IDS):
        left = set(chunk)
        for _ in range(_TRIES):
            found = [_by_id(part, client, sorted(left)) for part in parts]
            for each in sorted(left):
                pieces = [part.get(each) for part in found]
                rows[each] = _whole(query, pieces)
                if rows[each] is not None or not any(pieces):
                    left.discard(each)
            if not left:
                break
        else:
            raise TransientError(
                "A record changes faster than its columns can be read.",
                record=f"{query.object} {min(left)}",
                fix="Pull again later, or map fewer fields.",
            )
    return rows


def _by_id(part: Query, client: SalesforceClient, ids: Sequence[str]) -> Mapping[str, _Row]:
    statement = soql.select(
        part.columns, part.object, where=[soql.Condition(field="Id", operator="IN", value=ids)]
    )
    return {str(row["Id"]): row for row in client.records(statement, deleted=part.deleted)}
