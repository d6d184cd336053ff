"""The canonical tables that every source delivers: one Arrow schema each, in one place.

CRM tables name accounts by the CRM's id (`account_crm_id`); export tables by the company's own key
(`account_key`). `sync/identity.py` joins the two into `account_id` before anything is computed.
Ids are text, timestamps are UTC microseconds, money is in the row's currency per year unless said
otherwise, and each row says when it became known (`known_from`), so that a feature as of a day never
sees the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa

TEXT: Final = pa.string()
TIME: Final = pa.timestamp("us", tz="UTC")
DAY: Final = pa.date32()
REAL: Final = pa.float64()
WHOLE: Final = pa.int64()
FLAG: Final = pa.bool_()


def _crm(**columns: pa.DataType) -> pa.Schema:
    """A CRM table: the vendor's id and stamps, then the columns."""
    stamps = {
        "crm_id": TEXT,
        "created_at": TIME,
        "modified_at": TIME,
        "known_from": TIME,
        "is_deleted": FLAG,
        "merged_into": TEXT,  # crm_id of the survivor of a merge
    }
    return pa.schema([(name, kind) for name, kind in (stamps | columns).items()])


def _export(**columns: pa.DataType) -> pa.Schema:
    """An export table: the company's own account key, then the columns."""
    return pa.schema([(name, kind) for name, kind in ({"account_key": TEXT} | columns).items()])


CRM_TABLES: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        "accounts": _crm(
            external_id=TEXT,
            name=TEXT,
            owner_id=TEXT,
            parent_crm_id=TEXT,
            website=TEXT,
            industry=TEXT,
            segment=TEXT,
            country=TEXT,
            account_type=TEXT,  # as the CRM says: customer, prospect, former customer
            is_customer=FLAG,
            employees=WHOLE,
            annual_revenue=REAL,
            currency=TEXT,
            plan_tier=TEXT,
            seats=REAL,
            arr=REAL,
            list_arr=REAL,
            customer_since=DAY,
            contract_start=DAY,
            renewal_date=DAY,
            contract_term_months=REAL,
            fiscal_year_start=WHOLE,  # month 1–12
            csm_id=TEXT,  # user who looks after the customer; only where a field of the CRM is mapped
        ),
        "contacts": _crm(
            account_crm_id=TEXT,
            name=TEXT,
            email=TEXT,
            title=TEXT,
            department=TEXT,
            role=TEXT,  # champion, executive_sponsor, decision_maker, finance_admin, user
            owner_id=TEXT,
            left_at=DAY,
        ),
        "opportunities": _crm(
            account_crm_id=TEXT,
            name=TEXT,
            opportunity_type=TEXT,
            pipeline=TEXT,
            stage=TEXT,
            amount=REAL,
            currency=TEXT,
            probability=REAL,
            is_closed=FLAG,
            is_won=FLAG,
            close_date=DAY,  # expected until closed, then as typed by a person
            closed_at=TIME,  # when the closed stage was entered, from history; null while open
            owner_id=TEXT,
            product_id=TEXT,  # main product: the line with the largest amount
        ),
        "opportunity_lines": _crm(
            opportunity_crm_id=TEXT, product_id=TEXT, product_name=TEXT, quantity=REAL, amount=REAL
        ),
        "opportunity_history": _crm(
            opportunity_crm_id=TEXT,
            stage=TEXT,
            amount=REAL,
            probability=REAL,
            close_date=DAY,
            changed_at=TIME,
        ),
        "opportunity_field_history": _crm(
            opportunity_crm_id=TEXT, field=TEXT, old_value=TEXT, new_value=TEXT, changed_at=TIME
        ),
        "contact_roles": _crm(
            opportunity_crm_id=TEXT,
            contact_crm_id=TEXT,
            role=TEXT,  # the CRM's, in the form of contacts.role: decision_maker, economic_buyer …
            is_primary=FLAG,
        ),
        "account_history": _crm(
            account_crm_id=TEXT, field=TEXT, old_value=TEXT, new_value=TEXT, changed_at=TIME
        ),
        "activities": _crm(
            account_crm_id=TEXT,
            contact_crm_id=TEXT,
            owner_id=TEXT,
            kind=TEXT,  # meeting, call, email, note, task
            subject=TEXT,
            body=TEXT,
            status=TEXT,
            occurred_at=TIME,
        ),
        "tickets": _crm(
            account_crm_id=TEXT,
            contact_crm_id=TEXT,
            subject=TEXT,
            body=TEXT,
            priority=TEXT,  # low, medium, high, critical
            status=TEXT,
            is_closed=FLAG,
            is_escalated=FLAG,
            closed_at=TIME,
            csat=REAL,  # 1–5
        ),
        "contracts": _crm(
            account_crm_id=TEXT,
            number=TEXT,
            status=TEXT,
            start_date=DAY,
            end_date=DAY,
            term_months=REAL,
            owner_id=TEXT,
        ),
        "assets": _crm(
            account_crm_id=TEXT,
            contact_crm_id=TEXT,
            product_id=TEXT,
            name=TEXT,
            status=TEXT,
            quantity=REAL,
            price=REAL,
            currency=TEXT,
            purchased_on=DAY,
            installed_on=DAY,
            ends_on=DAY,
        ),
        "campaign_members": _crm(
            account_crm_id=TEXT,
            contact_crm_id=TEXT,
            campaign_crm_id=TEXT,
            campaign_name=TEXT,
            status=TEXT,
            has_responded=FLAG,
            responded_on=DAY,
        ),
        "owners": _crm(name=TEXT, email=TEXT, is_active=FLAG, timezone=TEXT, role=TEXT),
        "products": _crm(product_id=TEXT, name=TEXT, family=TEXT, is_active=FLAG, price=REAL),
        "price_book_entries": _crm(
            product_id=TEXT, price_book=TEXT, is_standard=FLAG, price=REAL, currency=TEXT, is_active=FLAG
        ),
        "exchange_rates": _crm(
            currency=TEXT,
            rate=REAL,  # what one unit is worth in the currency that the CRM reports in; that one's own is 1
            valid_from=DAY,  # null: the rate that holds whatever the day
            valid_to=DAY,  # the first day on which it does not hold any more
            told_on=DAY,  # the CRM's day when it told the rate; all rates are read together
        ),
    }
)

EXPORT_TABLES: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        "events": _export(user_id=TEXT, event=TEXT, feature=TEXT, at=TIME, session_id=TEXT, known_from=TIME),
        "users": _export(
            user_id=TEXT,
            email=TEXT,
            name=TEXT,
            title=TEXT,
            department=TEXT,
            role=TEXT,  # as contacts.role
            created_at=TIME,
            deactivated_at=TIME,
        ),
        "usage": _export(metric=TEXT, period_start=DAY, period_days=WHOLE, value=REAL, known_from=TIME),
        "billing": _export(
            period_start=DAY,
            period_end=DAY,
            plan_tier=TEXT,
            seats=REAL,
            arr=REAL,
            list_arr=REAL,
            currency=TEXT,
            invoiced=REAL,
            overage=REAL,  # part of invoiced above the plan's limits
            known_from=TIME,  # when the invoice was issued
        ),
        "entitlements": _export(
            item=TEXT,  # seats, api_calls, storage_gb … or a product id
            kind=TEXT,  # limit, product
            quantity=REAL,
            valid_from=DAY,
            valid_to=DAY,  # null: until further notice
            known_from=TIME,
        ),
        "helpdesk_tickets": _export(
            ticket_id=TEXT,  # of the helpdesk; unique over all of its accounts
            subject=TEXT,
            body=TEXT,
            priority=TEXT,  # as tickets.priority
            status=TEXT,
            is_closed=FLAG,
            is_escalated=FLAG,
            created_at=TIME,
            closed_at=TIME,
            csat=REAL,  # 1–5
            known_from=TIME,
        ),
        "surveys": _export(
            kind=TEXT,  # nps (0–10), csat (1–5)
            score=REAL,
            responded_at=TIME,
            respondent_email=TEXT,
            comment=TEXT,
        ),
        "triggers": _export(
            kind=TEXT,  # funding, executive_hire, product_launch, m_and_a, hiring, technology_change
            occurred_on=DAY,
            known_from=TIME,
            title=TEXT,
            source=TEXT,
        ),
        "notes": _export(
            kind=TEXT,  # qbr, onboarding, goal
            written_at=TIME,
            author=TEXT,
            outcome=TEXT,  # positive, neutral, negative
            text=TEXT,
        ),
    }
)

EXPORT_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"tickets" if table == "helpdesk_tickets" else table: table for table in EXPORT_TABLES}
)
"""The export table behind each kind of [[exports]]. `tickets` is a table of the CRM's already, so those of a
helpdesk have one of their own until `sync/identity.py` joins the two."""


MAPPED_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {kind: f"crm_{kind}" for kind in EXPORT_KINDS if kind not in CRM_TABLES}
)
"""What an export can tell and an object of the CRM may tell as well, with the table of such an object's rows.

They are records, which change and are deleted, so they stay apart until `sync/identity.py` joins the two."""

MAPPED_TABLES: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        table: _crm(**{"account_crm_id": TEXT} | {column.name: column.type for column in EXPORT_TABLES[kind]})
        for kind, table in MAPPED_KINDS.items()
    }
)

FROM_CRM: Final[Mapping[str, pa.Schema]] = MappingProxyType({**CRM_TABLES, **MAPPED_TABLES})
"""Every table whose rows are records of a CRM."""


def schema_of(table: str) -> pa.Schema:
    """The Arrow schema of a canonical table. Raises KeyError for an unknown name."""
    return FROM_CRM[table] if table in FROM_CRM else EXPORT_TABLES[table]
