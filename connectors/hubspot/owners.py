"""The owners table: people who records can be assigned to, from the Owners API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.values import parse_time

_PAGE: Final = 500


class Owners:
    """Reads the owners of one account, deactivated ones too."""

    def __init__(self, client: HubspotClient) -> None:
        self._client = client

    def pages(self, window: Window) -> Iterator[pa.Table]:
        """Owners changed in the window. The API has no filter, so all are read."""
        for archived in ("false", "true"):
            params = {"limit": _PAGE, "archived": archived}
            for page in self._client.pages(self._client.paths.owners, params):
                rows = [_row(owner) for owner in page if _within(owner, window)]
                if rows:
                    yield pa.Table.from_pylist(rows, schema=CRM_TABLES["owners"])


def _within(owner: Mapping[str, Any], window: Window) -> bool:
    changed = parse_time(str(owner.get("updatedAt") or owner["createdAt"]))
    return window.since is None or window.since <= changed < window.until


def _row(owner: Mapping[str, Any]) -> dict[str, Any]:
    """One owner; the first team stands for the role, for HubSpot's API tells no other."""
    created = parse_time(str(owner["createdAt"]))
    teams = owner.get("teams") or ()
    main = next((team for team in teams if team.get("primary")), teams[0] if teams else {})
    name = f"{owner.get('firstName') or ''} {owner.get('lastName') or ''}".strip()
    return {
        "crm_id": str(owner["id"]),
        "created_at": created,
        "modified_at": parse_time(str(owner.get("updatedAt") or owner["createdAt"])),
        "known_from": created,
        "is_deleted": False,
        "name": name or None,
        "email": owner.get("email"),
        "is_active": not owner.get("archived"),
        "role": main.get("name"),
    }
