"""Which Salesforce object and standard field stands behind each canonical column.

Settings ([mapping.<table>]) come on top: a company's own fields are never named here. A standard field
that the org does not show leaves its column empty; a mapped one that is missing is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One object that delivers rows of a canonical table."""

    object: str
    columns: Mapping[str, str]  # canonical column -> field, or path over a relationship
    extra: tuple[str, ...] = ()  # fields that derived columns are computed from, where visible
    archived: bool = False  # query() leaves out archived rows, so the first pull asks queryAll too
    optional: bool = False  # an object that some editions have, beside another source of the same rows


ACCOUNTS: Final = Source(
    object="Account",
    columns={
        "name": "Name",
        "owner_id": "OwnerId",
        "parent_crm_id": "ParentId",
        "website": "Website",
        "industry": "Industry",
        "country": "BillingCountry",
        "account_type": "Type",
        "employees": "NumberOfEmployees",
        "annual_revenue": "AnnualRevenue",
        "currency": "CurrencyIsoCode",
    },
)
CONTACTS: Final = Source(
    object="Contact",
    columns={
        "account_crm_id": "AccountId",
        "name": "Name",
        "email": "Email",
        "title": "Title",
        "department": "Department",
        "owner_id": "OwnerId",
    },
)
OPPORTUNITIES: Final = Source(
    object="Opportunity",
    columns={
        "account_crm_id": "AccountId",
        "name": "Name",
        "opportunity_type": "Type",
        "stage": "StageName",
        "amount": "Amount",
        "currency": "CurrencyIsoCode",
        "probability": "Probability",
        "is_closed": "IsClosed",
        "is_won": "IsWon",
        "close_date": "CloseDate",
        "owner_id": "OwnerId",
    },
    extra=("StageName", "IsClosed", "CloseDate", "LastStageChangeDate"),
)
OPPORTUNITY_LINES: Final = Source(
    object="OpportunityLineItem",
    columns={
        "opportunity_crm_id": "OpportunityId",
        "product_name": "Product2.Name",
        "quantity": "Quantity",
        "amount": "TotalPrice",
    },
    extra=("Product2.ProductCode", "Product2Id"),
)
OPPORTUNITY_HISTORY: Final = Source(
    object="OpportunityHistory",
    columns={
        "opportunity_crm_id": "OpportunityId",
        "stage": "StageName",
        "amount": "Amount",
        "probability": "Probability",
        "close_date": "CloseDate",
        "changed_at": "CreatedDate",
    },
)
OPPORTUNITY_FIELD_HISTORY: Final = Source(
    object="OpportunityFieldHistory",
    columns={
        "opportunity_crm_id": "OpportunityId",
        "field": "Field",
        "old_value": "OldValue",
        "new_value": "NewValue",
        "changed_at": "CreatedDate",
    },
    extra=("DataType", "OldValue", "NewValue"),
)
CONTACT_ROLES: Final = Source(
    object="OpportunityContactRole",
    columns={
        "opportunity_crm_id": "OpportunityId",
        "contact_crm_id": "ContactId",
        "role": "Role",
        "is_primary": "IsPrimary",
    },
)
ACCOUNT_HISTORY: Final = Source(
    object="AccountHistory",
    columns={
        "account_crm_id": "AccountId",
        "field": "Field",
        "old_value": "OldValue",
        "new_value": "NewValue",
        "changed_at": "CreatedDate",
    },
    extra=("DataType", "OldValue", "NewValue"),
)
TASKS: Final = Source(
    object="Task",
    columns={
        "account_crm_id": "AccountId",
        "contact_crm_id": "WhoId",
        "owner_id": "OwnerId",
        "subject": "Subject",
        "body": "Description",
        "status": "Status",
    },
    extra=("TaskSubtype", "CompletedDateTime", "ActivityDate", "AccountId", "WhatId", "WhoId"),
    archived=True,
)
EVENTS: Final = Source(
    object="Event",
    columns={
        "account_crm_id": "AccountId",
        "contact_crm_id": "WhoId",
        "owner_id": "OwnerId",
        "subject": "Subject",
        "body": "Description",
    },
    extra=("StartDateTime", "ActivityDateTime", "ActivityDate", "AccountId", "WhatId", "WhoId"),
    archived=True,
)
CASES: Final = Source(
    object="Case",
    columns={
        "account_crm_id": "AccountId",
        "contact_crm_id": "ContactId",
        "subject": "Subject",
        "body": "Description",
        "priority": "Priority",
        "status": "Status",
        "is_closed": "IsClosed",
        "is_escalated": "IsEscalated",
        "closed_at": "ClosedDate",
    },
)
CONTRACTS: Final = Source(
    object="Contract",
    columns={
        "account_crm_id": "AccountId",
        "number": "ContractNumber",
        "status": "Status",
        "start_date": "StartDate",
        "end_date": "EndDate",
        "term_months": "ContractTerm",
        "owner_id": "OwnerId",
    },
)
ASSETS: Final = Source(
    object="Asset",
    columns={
        "account_crm_id": "AccountId",
        "contact_crm_id": "ContactId",
        "name": "Name",
        "status": "Status",
        "quantity": "Quantity",
        "price": "Price",
        "currency": "CurrencyIsoCode",
        "purchased_on": "PurchaseDate",
        "installed_on": "InstallDate",
        "ends_on": "UsageEndDate",
    },
    extra=("Product2.ProductCode", "Product2Id"),
)
CAMPAIGN_MEMBERS: Final = Source(
    object="CampaignMember",
    columns={
        "account_crm_id": "Contact.AccountId",
        "contact_crm_id": "ContactId",
        "campaign_crm_id": "CampaignId",
        "campaign_name": "Campaign.Name",
        "status": "Status",
        "has_responded": "HasResponded",
        "responded_on": "FirstRespondedDate",
    },
)
USERS: Final = Source(
    object="User",
    columns={
        "name": "Name",
        "email": "Email",
        "is_active": "IsActive",
        "timezone": "TimeZoneSidKey",
        "role": "UserRole.Name",
    },
)
PRODUCTS: Final = Source(
    object="Product2",
    columns={"name": "Name", "family": "Family", "is_active": "IsActive"},
    extra=("ProductCode",),
)
PRICE_BOOK_ENTRIES: Final = Source(
    object="PricebookEntry",
    columns={
        "price_book": "Pricebook2.Name",
        "is_standard": "Pricebook2.IsStandard",
        "price": "UnitPrice",
        "currency": "CurrencyIsoCode",
        "is_active": "IsActive",
    },
    extra=("Product2.ProductCode", "Product2Id"),
)
CURRENCIES: Final = Source(
    object="CurrencyType", columns={"currency": "IsoCode"}, extra=("ConversionRate", "IsActive")
)
DATED_RATES: Final = Source(
    object="DatedConversionRate",
    columns={"currency": "IsoCode", "valid_from": "StartDate", "valid_to": "NextStartDate"},
    extra=("ConversionRate",),
    optional=True,  # with advanced currency management only
)

SOURCES: Final[Mapping[str, tuple[Source, ...]]] = MappingProxyType(
    {
        "accounts": (ACCOUNTS,),
        "contacts": (CONTACTS,),
        "opportunities": (OPPORTUNITIES,),
        "opportunity_lines": (OPPORTUNITY_LINES,),
        "opportunity_history": (OPPORTUNITY_HISTORY,),
        "opportunity_field_history": (OPPORTUNITY_FIELD_HISTORY,),
        "contact_roles": (CONTACT_ROLES,),
        "account_history": (ACCOUNT_HISTORY,),
        "activities": (TASKS, EVENTS),
        "tickets": (CASES,),
        "contracts": (CONTRACTS,),
        "assets": (ASSETS,),
        "campaign_members": (CAMPAIGN_MEMBERS,),
        "owners": (USERS,),
        "products": (PRODUCTS,),
        "price_book_entries": (PRICE_BOOK_ENTRIES,),
        "exchange_rates": (CURRENCIES, DATED_RATES),
    }
)


def sources_of(table: str, own: Mapping[str, str]) -> tuple[Source, ...]:
    """Where a table comes from; `own` are the objects that the settings name, by table."""
    return (Source(object=own[table], columns={}),) if table in own else SOURCES[table]


OBJECTS_READ: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(
        [
            *(source.object for sources in SOURCES.values() for source in sources),
            "Pricebook2",
            "UserRole",
            "Campaign",
        ]
    )
)
"""Every object of which a pull asks something."""
