"""The upswell.toml of a sandbox folder: the login, the mapping, the exports, the catalogue."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

SALESFORCE: Final = """\
[crm]
kind = "salesforce"
account_external_id = "Customer_Id__c"

[crm.salesforce]
login_url = "{url}"
instance_url = "{url}"
auth = "client_credentials"
client_id = "{client_id}"
client_secret_file = "secrets/client_secret"

[mapping.accounts]
plan_tier = "Plan_Tier__c"
seats = "Seats__c"
arr = "ARR__c"
list_arr = "List_ARR__c"
segment = "Segment__c"
customer_since = "Customer_Since__c"
contract_start = "Contract_Start__c"
renewal_date = "Renewal_Date__c"
contract_term_months = "Contract_Term_Months__c"
fiscal_year_start = "Fiscal_Year_Start_Month__c"

[mapping.contacts]
role = "Role__c"
left_at = "Left_Company_On__c"

[mapping.tickets]
csat = "CSAT__c"
"""

HUBSPOT: Final = """\
[crm]
kind = "hubspot"
account_external_id = "customer_id"

[crm.hubspot]
base_url = "{url}"
token_file = "secrets/token"

[mapping.accounts]
plan_tier = "plan_tier"
seats = "seats"
arr = "arr"
currency = "contract_currency"
list_arr = "list_arr"
segment = "segment"
customer_since = "customer_since"
contract_start = "contract_start"
renewal_date = "renewal_date"
contract_term_months = "contract_term_months"
fiscal_year_start = "fiscal_year_start_month"

[mapping.contacts]
role = "contact_role"
left_at = "left_company_on"
department = "department"

[mapping.tickets]
csat = "csat"
is_escalated = "escalated"

[mapping.products]
family = "product_family"
"""

COMPANY: Final = """\
# Settings for the sandbox beside this file, written by `upswell sandbox`.
[company]
name = "Sandbox Inc."
currency = "USD"
rates = { CAD = 0.74, EUR = 1.1, GBP = 1.28 }
fiscal_year_start = 2
timezone = "America/New_York"

"""

STATE: Final = """\
[state]
url = "sqlite:///upswell/ledger.sqlite"
models = "upswell/models"

[lake]
folder = "upswell/lake"

"""

EXPORTS: Final = (
    ("events", "events/*.parquet"),
    ("users", "users.csv"),
    ("usage", "usage/*.csv"),
    ("billing", "billing/*.csv"),
    ("entitlements", "entitlements.csv"),
    ("surveys", "surveys.csv"),
    ("triggers", "triggers.csv"),
    ("notes", "notes.csv"),
)
NOT_EXPANSIONS: Final = ("New Business", "Renewal")
ADDRESS: Final = re.compile(r'^(login_url|instance_url|base_url) = "http://127\.0\.0\.1:\d+"', re.MULTILINE)


def write_settings(folder: Path, *, kind: str, url: str, client_id: str) -> None:
    """Write DIR/upswell.toml for the sandbox at `url`, or put the new address into the one that is there."""
    file = folder / "upswell.toml"
    if file.exists():
        text = file.read_text(encoding="utf-8")
        file.write_text(ADDRESS.sub(lambda found: f'{found[1]} = "{url}"', text), encoding="utf-8")
        return
    crm = {"salesforce": SALESFORCE, "hubspot": HUBSPOT}[kind].format(url=url, client_id=client_id)
    file.write_text(COMPANY + crm + "\n" + _exports() + STATE + _target() + _products(), encoding="utf-8")


def _exports() -> str:
    return "".join(
        f'[[exports]]\nkind = "{kind}"\nformat = "table"\npath = "exports/{path}"\n\n'
        for kind, path in EXPORTS
    )


def _target() -> str:
    from connectors.sandbox.company.opportunities import TYPES

    types = ", ".join(json.dumps(name) for name in TYPES if name not in NOT_EXPANSIONS)
    return f"[target]\nhorizon_days = 90\nopportunity_types = [{types}]\n\n"


def _products() -> str:
    from connectors.sandbox.company.catalogue import EXPANSIONS

    return "\n".join(
        f"[[products]]\nid = {json.dumps(p.id)}\nname = {json.dumps(p.name)}\ntype = {json.dumps(p.kind)}\n"
        f"price = {p.price}\nunit = {json.dumps('seat' if p.per_seat else 'account')}\n"
        for p in EXPANSIONS
    )
