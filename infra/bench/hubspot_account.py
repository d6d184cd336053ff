"""A HubSpot account of any size, written straight into the sandbox's store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.company.hubspot_rows import link, row_of
from connectors.sandbox.hubspot.associations import Associations, Link, plain_type, types_between
from connectors.sandbox.hubspot.history import Change, History
from connectors.sandbox.store import Store

CREATED, CHANGED = "2026-05-04T08:00:00.000Z", "2026-10-01T08:00:00.000Z"
ENGAGEMENTS = ("meetings", "calls", "emails", "notes", "tasks")
_FIRST = {"companies": 1_000_000_000, "deals": 2_000_000_000, "line_items": 3_000_000_000}
_FIRST_ENGAGEMENT = 4_000_000_000
_STAGES = ("prospecting", "closedwon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many records of each kind; each third deal has a line item."""

    companies: int = 50_000
    deals: int = 150_000
    engagements: int = 300_000

    @property
    def lines(self) -> int:
        """Line items."""
        return self.deals // 3

    def times(self, scale: float) -> Size:
        """A smaller or larger account."""
        return Size(
            companies=int(self.companies * scale),
            deals=int(self.deals * scale),
            engagements=int(self.engagements * scale),
        )


def fill(store: Store, size: Size) -> None:
    """Companies, deals of theirs with one change of stage, line items, and engagements of five kinds."""
    with store.transaction():
        store.bulk_insert("companies", (_company(number) for number in range(size.companies)))
        store.bulk_insert("deals", (_deal(number, size) for number in range(size.deals)))
        store.bulk_insert("line_items", (_line(number) for number in range(size.lines)))
        for place, name in enumerate(ENGAGEMENTS):
            store.bulk_insert(name, (_engagement(n, name) for n in range(place, size.engagements, 5)))
        Associations(store).add(_links(size))
        History(store).insert(_changes(size))


def _company(number: int) -> dict[str, Any]:
    return row_of(
        _FIRST["companies"] + number,
        createdate=CREATED,
        hs_lastmodifieddate=CHANGED,
        name=f"Company {number}",
        lifecyclestage="customer",
        customer_id=f"C-{number:06}",
        seats=str(10 + number % 500),
        arr=str(1_000 + number),
    )


def owner_of(record_id: str, size: Size) -> str:
    """The company of a deal or an engagement."""
    return str(_owner(int(record_id) % 1_000_000_000, size))


def _owner(number: int, size: Size) -> int:
    return _FIRST["companies"] + number % size.companies


def _deal(number: int, size: Size) -> dict[str, Any]:
    stage = _STAGES[number % 2]
    return row_of(
        _FIRST["deals"] + number,
        createdate=CREATED,
        hs_lastmodifieddate=CHANGED,
        dealname=f"Deal {number}",
        pipeline="default",
        dealstage=stage,
        amount=str(500 + number % 9_000),
        closedate=CHANGED,
        dealtype="Seat Expansion",
        hs_is_closed=str(number % 2 == 1).lower(),
        hs_is_closed_won=str(number % 2 == 1).lower(),
        hs_primary_associated_company=str(_owner(number, size)),
        **{f"hs_v2_date_entered_{stage}": CHANGED},
    )


def _line(number: int) -> dict[str, Any]:
    return row_of(
        _FIRST["line_items"] + number,
        createdate=CREATED,
        hs_lastmodifieddate=CHANGED,
        name="Seats",
        hs_sku="SEATS",
        quantity="5",
        amount=str(100 + number % 900),
    )


def _engagement(number: int, name: str) -> dict[str, Any]:
    told = {"hs_email_direction": "EMAIL"} if name == "emails" else {}
    return row_of(
        _FIRST_ENGAGEMENT + number,
        hs_createdate=CREATED,
        hs_lastmodifieddate=CHANGED,
        hs_timestamp=CREATED,
        **told,
    )


def _links(size: Size) -> Iterator[Link]:
    primary = types_between("deals", "companies")[-1].type_id
    for number in range(size.deals):
        yield link("deals", _FIRST["deals"] + number, "companies", _owner(number, size), primary)
    for number in range(size.lines):
        line, deal = _FIRST["line_items"] + number, _FIRST["deals"] + 3 * number
        yield link("line_items", line, "deals", deal, plain_type("line_items", "deals").type_id)
    for number in range(size.engagements):
        name = ENGAGEMENTS[number % 5]
        kind = plain_type(name, "companies").type_id
        yield link(name, _FIRST_ENGAGEMENT + number, "companies", _owner(number, size), kind)


def _changes(size: Size) -> Iterator[Change]:
    for number in range(1, size.deals, 2):
        yield Change(
            object="deals",
            id=str(_FIRST["deals"] + number),
            name="dealstage",
            value="closedwon",
            previous="prospecting",
            at=CHANGED,
        )
