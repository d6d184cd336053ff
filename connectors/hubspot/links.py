"""Associations between records: who belongs to whom, and the type ids for making one.

Told by the record itself where it can be: the primary or parent company stands in a property, and a list
of records brings what each is associated with ("associations", at most 100 of a kind, with a cursor if
there are more). What they can't tell is asked: the Associations API reads up to 1,000 records at a time,
each with pages of its own. Type ids come from the labels endpoint, for every account has its own besides
HubSpot's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.errors import SetupError, TerminalError
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.errors import NO_LINKS, NOT_FOUND, read_problem
from connectors.hubspot.tables import Link
from connectors.hubspot.values import is_id
from connectors.page import Records

LINK_BATCH: Final = 1000
LISTED: Final = frozenset(
    {"companies", "contacts", "deals", "tickets", "products", "line_items", "calls", "emails", "meetings"}
    | {"notes", "tasks"}
)
"""Objects whose name in a list's associations is known; a company's own objects have several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkType:
    """A kind of association in one direction; an empty label is the plain one."""

    category: str
    id: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A record that another one is associated with, and the kinds of association."""

    id: str
    types: frozenset[int]


class Links:
    """Reads associations of one account."""

    def __init__(self, client: HubspotClient) -> None:
        self._client = client
        self._types: dict[tuple[str, str], tuple[LinkType, ...]] = {}

    def types(self, source: str, target: str) -> tuple[LinkType, ...]:
        """The kinds of association from one object to another."""
        if (source, target) not in self._types:
            found = self._client.get(self._client.paths.labels(source, target))["results"]
            self._types[(source, target)] = tuple(
                LinkType(
                    category=str(each["category"]), id=int(each["typeId"]), label=str(each.get("label") or "")
                )
                for each in found
            )
        return self._types[(source, target)]

    def plain(self, source: str, target: str) -> LinkType:
        """The unlabelled kind of HubSpot's own, for making an association. Raises SetupError without one."""
        ours = [each for each in self.types(source, target) if each.category == "HUBSPOT_DEFINED"]
        found = sorted(ours, key=lambda each: (each.label != "", each.id))
        if not found:
            raise SetupError(
                f"The account knows no association from {source} to {target}.",
                record=source,
                fix="Give the app the scopes of both objects.",
            )
        return found[0]

    def told(self, source: str, link: Link, records: Records, *, shown: bool) -> list[str | None]:
        """The record that each one is linked to, None without; `shown`: the account has the link's property.

        A listed record then costs no call: one whose property is empty has no record of the label."""
        found: dict[str, str] = {}
        unknown: list[Mapping[str, Any]] = []
        for record in records:
            if shown and (named := record["properties"].get(link.property)):
                found[str(record["id"])] = str(named)
            elif not shown or not link.required:
                unknown.append(record)
        if unknown and link.label and not shown:
            ids = [str(record["id"]) for record in unknown]
            found |= self.first(source, link.target, ids, label=link.label, required=link.required)
        elif unknown:
            found |= {i: _smallest(ids) for i, ids in self.of(source, link.target, unknown).items() if ids}
        return [found.get(str(record["id"])) for record in records]

    def of(self, source: str, target: str, records: Records) -> Mapping[str, Sequence[str]]:
        """Ids of what each record is associated with: as the list told it, else asked for."""
        listed = {str(record["id"]): _listed(record, target) for record in records}
        unknown = [identifier for identifier, ids in listed.items() if ids is None]
        asked = self.all(source, target, unknown) if unknown else {}
        return {
            identifier: [each.id for each in asked.get(identifier, ())] if ids is None else ids
            for identifier, ids in listed.items()
        }

    def first(
        self, source: str, target: str, ids: Sequence[str], *, label: str = "", required: bool = False
    ) -> Mapping[str, str]:
        """One associated record for each id: of that label where there is one, else (unless `required`)
        the one with the smallest id, so that two pulls agree."""
        wanted = {each.id for each in self.types(source, target) if each.label.casefold() == label.casefold()}
        chosen = {}
        for identifier, linked in self.all(source, target, ids).items():
            labelled = [each for each in linked if label and each.types & wanted]
            candidates = labelled or ([] if required else linked)
            if candidates:
                chosen[identifier] = _smallest([each.id for each in candidates])
        return chosen

    def all(self, source: str, target: str, ids: Iterable[str]) -> Mapping[str, list[Linked]]:
        """Every associated record of each id; one API call for 1,000 ids, and more for long lists."""
        found: dict[str, list[Linked]] = defaultdict(list)
        asked: list[dict[str, str]] = [{"id": each} for each in dict.fromkeys(ids) if is_id(each)]
        while asked:
            batch, asked = asked[:LINK_BATCH], asked[LINK_BATCH:]
            reply = self._client.ask(self._client.paths.links_of(source, target), {"inputs": batch})
            _check(reply, source, target)
            for each in reply.get("results") or ():
                identifier = str(each["from"]["id"])
                found[identifier] += [_linked(to) for to in each.get("to") or ()]
                after = ((each.get("paging") or {}).get("next") or {}).get("after")
                if after is not None:
                    asked.append({"id": identifier, "after": str(after)})
        return found


def _listed(record: Mapping[str, Any], target: str) -> Sequence[str] | None:
    """What a list of records told about this one; None if it was not asked or could not tell all.

    A record comes once for each label; line items are called "line items" there."""
    if "associations" not in record or target not in LISTED:
        return None
    named = record["associations"] or {}
    told = named.get(target) or named.get(target.replace("_", " "))
    if told is None:
        return ()
    return None if told.get("paging") else list(dict.fromkeys([str(each["id"]) for each in told["results"]]))


def _smallest(ids: Iterable[str]) -> str:
    """The smallest id, so that two pulls agree."""
    return min(ids, key=lambda each: (len(each), each))


def _linked(to: Mapping[str, Any]) -> Linked:
    types = frozenset(int(each["typeId"]) for each in to.get("associationTypes") or ())
    return Linked(id=str(to["toObjectId"]), types=types)


def _check(reply: Mapping[str, Any], source: str, target: str) -> None:
    """A record without associations, or deleted meanwhile, is reported as an error and is none."""
    for entry in reply.get("errors") or ():
        problem = read_problem(entry)
        if not {problem.code, problem.category} & {NO_LINKS, NOT_FOUND}:
            raise TerminalError(
                f"HubSpot does not tell the associations from {source} to {target}: {problem.message}",
                record=", ".join(problem.ids[:3]) or source,
                vendor_code=problem.code,
            )
