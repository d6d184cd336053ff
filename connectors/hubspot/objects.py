"""Records of one object: listed, searched, or read by id, with as many properties as are wanted.

List for everything (100 a page), search for what changed (200 a page, ordered by id and continued from
the last id, so that the limit of 10,000 results is never met), batch read for given ids (100, or 50
with history).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from connectors.crm import Window
from connectors.errors import TerminalError
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.errors import NOT_FOUND, read_problem
from connectors.hubspot.values import is_id, millis

Records = list[Mapping[str, Any]]

LIST_PAGE: Final = 100
SEARCH_PAGE: Final = 200
READ_BATCH: Final = 100
HISTORY_BATCH: Final = 50
_ADDRESS: Final = 6_000  # characters of property names in an address; HubSpot answers 414 to too long a one
_SEARCH_BODY: Final = 2_000  # of the 3,000 characters that a search may have in all
_ID: Final = "hs_object_id"


class Objects:
    """Reads records of one account."""

    def __init__(self, client: HubspotClient) -> None:
        self._client = client

    def listed(
        self,
        object_name: str,
        properties: Sequence[str],
        *,
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
        archived: bool = False,
    ) -> Iterator[Records]:
        """Every record, live or archived, a page at a time; each names its records of these objects."""
        here, rest = _that_fit(properties, _ADDRESS - _length(history))
        params: dict[str, Any] = {"limit": LIST_PAGE, "properties": ",".join(here) or _ID}
        if archived:
            params["archived"] = "true"
        if history:
            params |= {"limit": HISTORY_BATCH, "propertiesWithHistory": ",".join(history)}
        if associations:
            params["associations"] = ",".join(associations)
        for page in self._client.pages(self._client.paths.records(object_name), params):
            records = self._with(object_name, list(page), rest, archived=archived) if rest else list(page)
            # one that has none comes without the key, which elsewhere means that nobody asked
            yield [{"associations": {}, **record} for record in records] if associations else records

    def changed(
        self, object_name: str, cursor: str, window: Window, properties: Sequence[str]
    ) -> Iterator[Records]:
        """Live records whose `cursor` property lies in the window, as the search index knows them."""
        last = "0"
        here, rest = _that_fit(properties, _SEARCH_BODY)
        fixed = [{"propertyName": cursor, "operator": "LT", "value": millis(window.until)}]
        if window.since is not None:
            fixed.append({"propertyName": cursor, "operator": "GTE", "value": millis(window.since)})
        while True:
            beyond = {"propertyName": _ID, "operator": "GT", "value": last}
            body = {
                "filterGroups": [{"filters": [*fixed, beyond]}],
                "sorts": [{"propertyName": _ID, "direction": "ASCENDING"}],
                "properties": list(here),
                "limit": SEARCH_PAGE,
            }
            page: Records = self._client.search(object_name, body)["results"]
            if page:
                yield self._with(object_name, page, rest) if rest else page
            if len(page) < SEARCH_PAGE:
                return
            last = str(page[-1]["id"])

    def by_id(
        self,
        object_name: str,
        ids: Sequence[str],
        properties: Sequence[str] = (),
        *,
        history: Sequence[str] = (),
        key: str | None = None,
        archived: bool = False,
    ) -> Records:
        """The records that exist of these ids (or of these values of the unique property `key`).

        A merged record comes back as its survivor, under the survivor's id."""
        size = HISTORY_BATCH if history else READ_BATCH
        unique = [each for each in dict.fromkeys(ids) if key is not None or is_id(each)]
        found: Records = []
        for start in range(0, len(unique), size):
            body: dict[str, Any] = {
                "inputs": [{"id": each} for each in unique[start : start + size]],
                "properties": list(properties),
                "propertiesWithHistory": list(history),
            }
            if key is not None:
                body["idProperty"] = key
            path = self._client.paths.batch(object_name, "read")
            reply = self._client.ask(path, body, {"archived": "true"} if archived else None)
            _check(reply, object_name)
            found += reply.get("results") or ()
        return found

    def _with(
        self, object_name: str, page: Records, rest: Sequence[str], *, archived: bool = False
    ) -> Records:
        """The page, with the properties for which the first call had no room."""
        more = self.by_id(object_name, [str(r["id"]) for r in page], rest, archived=archived)
        by_id = {str(r["id"]): r["properties"] for r in more}
        return [
            {**record, "properties": {**record["properties"], **by_id.get(str(record["id"]), {})}}
            for record in page
        ]


def gathered(pages: Iterable[Records], size: int) -> Iterator[Records]:
    """The pages in groups of at least `size` records, the last one smaller."""
    held: Records = []
    for page in pages:
        held = held + page if held else page
        if len(held) >= size:
            yield held
            held = []
    if held:
        yield held


def _that_fit(properties: Sequence[str], room: int) -> tuple[Sequence[str], Sequence[str]]:
    """The names that fit into so many characters, and those that don't."""
    for position in range(len(properties)):
        if _length(properties[: position + 1]) > room:
            return properties[:position], properties[position:]
    return properties, ()


def _length(names: Sequence[str]) -> int:
    """Characters that the names take, each with its comma and quotes, or %2C."""
    return sum(len(name) + 3 for name in names)


def _check(reply: Mapping[str, Any], object_name: str) -> None:
    """Ids that don't exist are reported as an error, and are simply not among the results."""
    for entry in reply.get("errors") or ():
        problem = read_problem(entry)
        if NOT_FOUND not in {problem.code, problem.category}:
            raise TerminalError(
                f"HubSpot does not give {object_name}: {problem.message}",
                record=", ".join(problem.ids[:3]) or object_name,
                vendor_code=problem.code,
            )
