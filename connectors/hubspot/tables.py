"""Which HubSpot object, standard property and association stands behind each canonical column.

Settings ([mapping.<table>]) come on top: a company's own properties are never named here. A standard
property that the account does not have leaves its column empty; a mapped one that is missing is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from connectors.mappings import Mappings


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A column that an association fills: with the record of that label, else with the first."""

    target: str
    label: str = ""
    required: bool = False  # no record of that label: nothing
    property: str = ""  # where HubSpot shows the record of that label too


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One object that delivers rows of a canonical table."""

    object: str
    columns: Mapping[str, str]  # canonical column -> property
    links: Mapping[str, Link] = field(default_factory=dict)
    extra: tuple[str, ...] = ()  # properties that derived columns are computed from, where they exist
    cursor: str = "hs_lastmodifieddate"


COMPANY: Final = Link(target="companies")  # activities know no primary company
PERSON: Final = Link(target="contacts")
ASSOCIATED: Final = "associations."
"""What a mapped value begins with when it names an association."""
MERGED: Final = "hs_merged_object_ids"


def _primary(shown_in: str) -> Link:
    return Link(target="companies", label="Primary", property=shown_in)


COMPANIES: Final = Source(
    object="companies",
    columns={
        "name": "name",
        "owner_id": "hubspot_owner_id",
        "website": "website",
        "industry": "industry",
        "country": "country",
        "account_type": "lifecyclestage",
        "employees": "numberofemployees",
        "annual_revenue": "annualrevenue",
    },
    links={
        "parent_crm_id": Link(
            target="companies", label="Parent Company", required=True, property="hs_parent_company_id"
        )
    },
    extra=(MERGED,),
)
CONTACTS: Final = Source(
    object="contacts",
    columns={
        "email": "email",
        "title": "jobtitle",
        "department": "job_function",
        "owner_id": "hubspot_owner_id",
    },
    links={"account_crm_id": _primary("associatedcompanyid")},
    extra=("firstname", "lastname", MERGED),
    cursor="lastmodifieddate",
)
DEALS: Final = Source(
    object="deals",
    columns={
        "name": "dealname",
        "opportunity_type": "dealtype",
        "amount": "amount",
        "currency": "deal_currency_code",
        "close_date": "closedate",
        "owner_id": "hubspot_owner_id",
    },
    links={"account_crm_id": _primary("hs_primary_associated_company")},
    extra=(
        "dealstage",
        "pipeline",
        "closedate",
        "hs_deal_stage_probability",
        "hs_is_closed",
        "hs_is_closed_won",
        MERGED,
    ),
)
LINE_ITEMS: Final = Source(
    object="line_items",
    columns={"product_name": "name", "quantity": "quantity", "amount": "amount"},
    links={"opportunity_crm_id": Link(target="deals")},
    extra=("hs_sku", "hs_product_id"),
)
MEETINGS: Final = Source(
    object="meetings",
    columns={"owner_id": "hubspot_owner_id", "subject": "hs_meeting_title", "body": "hs_meeting_body"},
    links={"account_crm_id": COMPANY, "contact_crm_id": PERSON},
    extra=("hs_meeting_start_time", "hs_timestamp"),
)
CALLS: Final = Source(
    object="calls",
    columns={
        "owner_id": "hubspot_owner_id",
        "subject": "hs_call_title",
        "body": "hs_call_body",
        "status": "hs_call_status",
    },
    links={"account_crm_id": COMPANY, "contact_crm_id": PERSON},
    extra=("hs_timestamp",),
)
EMAILS: Final = Source(
    object="emails",
    columns={
        "owner_id": "hubspot_owner_id",
        "subject": "hs_email_subject",
        "body": "hs_email_text",
        "status": "hs_email_status",
    },
    links={"account_crm_id": COMPANY, "contact_crm_id": PERSON},
    extra=("hs_timestamp",),
)
TASKS: Final = Source(
    object="tasks",
    columns={
        "owner_id": "hubspot_owner_id",
        "subject": "hs_task_subject",
        "body": "hs_task_body",
        "status": "hs_task_status",
    },
    links={"account_crm_id": COMPANY, "contact_crm_id": PERSON},
    extra=("hs_task_completion_date", "hs_timestamp"),
)
NOTES: Final = Source(
    object="notes",
    columns={"owner_id": "hubspot_owner_id", "body": "hs_note_body"},
    links={"account_crm_id": COMPANY, "contact_crm_id": PERSON},
    extra=("hs_timestamp",),
)
TICKETS: Final = Source(
    object="tickets",
    columns={
        "subject": "subject",
        "body": "content",
        "priority": "hs_ticket_priority",
        "closed_at": "closed_date",
    },
    links={"account_crm_id": _primary("hs_primary_company_id"), "contact_crm_id": PERSON},
    extra=("hs_pipeline", "hs_pipeline_stage", MERGED),
)
PRODUCTS: Final = Source(
    object="products",
    columns={"name": "name", "family": "hs_product_type", "price": "price"},
    extra=("hs_sku", "hs_status"),
)

ABSENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "contracts": "HubSpot keeps no contracts.",
        "assets": "HubSpot keeps no assets.",
        "campaign_members": "HubSpot tells no members of a campaign.",
    }
)
"""Tables that HubSpot has no object for, unless the settings name one."""

SOURCES: Final[Mapping[str, tuple[Source, ...]]] = MappingProxyType(
    {
        "accounts": (COMPANIES,),
        "contacts": (CONTACTS,),
        "opportunities": (DEALS,),
        "opportunity_lines": (LINE_ITEMS,),
        "opportunity_history": (DEALS,),
        "opportunity_field_history": (DEALS,),
        "contact_roles": (DEALS,),
        "account_history": (COMPANIES,),
        "activities": (MEETINGS, CALLS, EMAILS, NOTES, TASKS),
        "tickets": (TICKETS,),
        "products": (PRODUCTS,),
        "price_book_entries": (PRODUCTS,),
    }
)
"""Owners and exchange rates have APIs of their own (owners.py, currencies.py) and are no objects."""


def sources_of(table: str, mappings: Mappings) -> tuple[Source, ...]:
    """Where a table comes from, with the object and the associations that the settings name."""
    own = mappings.objects.get(table)
    usual = (Source(object=own, columns={}),) if own is not None else SOURCES.get(table, ())
    named = {
        name: link_of(path) for name, path in mappings.columns(table).items() if path.startswith(ASSOCIATED)
    }
    return tuple(replace(source, links={**source.links, **named}) for source in usual)


def link_of(path: str) -> Link:
    """The association that a mapping names: associations.companies, or one label of it after a colon."""
    target, _, label = path.removeprefix(ASSOCIATED).partition(":")
    return Link(target=target, label=label, required=bool(label))
