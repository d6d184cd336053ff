"""contact_roles: the people of a deal, and what each of them is there, from the labels of associations.

An association bears no date. That of the deal's last change stands for it: adding a person moves the deal
(num_associated_contacts), and a role is then never taken for known before it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from connectors.canonical import CRM_TABLES
from connectors.crm import Held, Window
from connectors.hubspot.cells import moment_of
from connectors.hubspot.derive import in_our_words
from connectors.hubspot.links import LINK_BATCH, Linked, Links
from connectors.hubspot.objects import Objects, Records, gathered
from connectors.hubspot.schema import Schemas
from connectors.hubspot.tables import DEALS

_SCHEMA: Final = CRM_TABLES["contact_roles"]
_PEOPLE: Final = "contacts"


class Roles:
    """Reads who takes part in deals."""

    def __init__(self, objects: Objects, schemas: Schemas, links: Links) -> None:
        self._objects = objects
        self._schemas = schemas
        self._links = links

    def pages(self, window: Window) -> Iterator[pa.Table]:
        """The people of the deals that changed in the window. Raises SetupError where we may not see them."""
        self.check()
        deals = (
            self._objects.listed(DEALS.object, ())
            if window.since is None
            else self._objects.changed(DEALS.object, DEALS.cursor, window, ())
        )
        for records in gathered(deals, LINK_BATCH):
            page = self.page(records)
            if page is not None:
                yield page

    def check(self) -> None:
        """Raise SetupError where our app may not see people."""
        _ = self._schemas[_PEOPLE]

    def page(self, deals: Records) -> pa.Table | None:
        """The people of these deals; None when there are none. One call for 1,000 deals."""
        people = self.of([str(deal["id"]) for deal in deals])
        changed = {str(deal["id"]): moment_of(deal.get("updatedAt")) for deal in deals}
        rows = [
            _row(deal, person, role, changed[deal])
            for deal, roles in people.items()
            for person, role in roles.items()
        ]
        return pa.Table.from_pylist(rows, schema=_SCHEMA) if rows else None

    def moved(self, held: Held, now: datetime) -> Iterator[pa.Table]:
        """People who joined a deal that we hold, left it or have another role there; known from `now`."""
        ours: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in held("contact_roles", _SCHEMA.names).to_pylist():
            ours[row["opportunity_crm_id"]].append(row)
        deals = held("opportunities", ["crm_id"])["crm_id"].to_pylist()
        for start in range(0, len(deals), LINK_BATCH):
            batch = deals[start : start + LINK_BATCH]
            people = self.of(batch)
            rows = [
                row for deal in batch for row in _differences(deal, ours[deal], people.get(deal, {}), now)
            ]
            if rows:
                yield pa.Table.from_pylist(rows, schema=_SCHEMA)

    def of(self, deals: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        """Deal -> person -> role, None where no label names one."""
        found = self._links.all(DEALS.object, _PEOPLE, deals)
        if not found:
            return {}
        labels = {each.id: each.label for each in self._links.types(DEALS.object, _PEOPLE) if each.label}
        return {deal: {each.id: _role(each, labels) for each in linked} for deal, linked in found.items()}


def _role(linked: Linked, labels: Mapping[int, str]) -> str | None:
    """The role by its label; of several the first by name, so that two pulls agree."""
    named = sorted(labels[each] for each in linked.types if each in labels)
    return in_our_words(named[0]) if named else None


def _differences(
    deal: str, held: Sequence[Mapping[str, Any]], people: Mapping[str, str | None], now: datetime
) -> Iterator[dict[str, Any]]:
    before = {row["contact_crm_id"]: row["role"] for row in held}
    yield from ({**row, "is_deleted": True} for row in held if row["contact_crm_id"] not in people)
    for person, role in people.items():
        if person not in before or before[person] != role:
            yield _row(deal, person, role, now)


def _row(deal: str, person: str, role: str | None, changed: datetime | None) -> dict[str, Any]:
    return {
        "crm_id": f"{deal}:{person}",
        "created_at": changed,
        "modified_at": changed,
        "known_from": changed,
        "is_deleted": False,
        "opportunity_crm_id": deal,
        "contact_crm_id": person,
        "role": role,
    }
