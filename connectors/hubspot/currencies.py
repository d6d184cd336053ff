"""exchange_rates: what the account's other currencies are worth in its own, and since when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa

from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.hubspot.cells import day, moment_of
from connectors.hubspot.client import HubspotClient

_PAGE: Final = 100


class Currencies:
    """Reads the exchange rates of one account; `home` tells its own currency when it is needed."""

    def __init__(self, client: HubspotClient, home: Callable[[], str]) -> None:
        self._client = client
        self._home = home

    def pages(self, window: Window) -> Iterator[pa.Table]:  # noqa: ARG002  # there are few, and no filter
        """All rates, whenever they were set."""
        told = [
            rate
            for page in self._client.pages(self._client.paths.exchange_rates, {"limit": _PAGE})
            for rate in page
            if rate["toCurrencyCode"] == self._home()
        ]
        told.sort(key=lambda rate: (str(rate["fromCurrencyCode"]), str(rate["effectiveAt"]), str(rate["id"])))
        following = [
            later if later is not None and later["fromCurrencyCode"] == rate["fromCurrencyCode"] else None
            for rate, later in zip(told, [*told, None][1:], strict=True)
        ]
        rows = [_row(rate, later) for rate, later in zip(told, following, strict=True)]
        now = self._client.door.server_time
        known = min((row["created_at"] for row in rows), default=now)
        rows.append({**_stamped(self._home(), known), "currency": self._home(), "rate": 1.0})
        told_on = None if now is None else now.date()
        yield pa.Table.from_pylist(
            [{**row, "told_on": told_on} for row in rows], schema=CRM_TABLES["exchange_rates"]
        )


def _row(rate: Mapping[str, Any], later: Mapping[str, Any] | None) -> dict[str, Any]:
    """One rate, which holds until the next one of its currency."""
    row = _stamped(str(rate["id"]), moment_of(rate.get("createdAt")))
    return row | {
        "modified_at": moment_of(rate.get("updatedAt")) or row["created_at"],
        "currency": str(rate["fromCurrencyCode"]),
        "rate": float(rate["conversionRate"]),
        "valid_from": _day(rate),
        "valid_to": None if later is None else _day(later),
    }


def _day(rate: Mapping[str, Any]) -> date:
    return day(str(rate["effectiveAt"]))


def _stamped(identifier: str, known: datetime | None) -> dict[str, Any]:
    return {
        "crm_id": identifier,
        "created_at": known,
        "modified_at": known,
        "known_from": known,
        "is_deleted": False,
    }
