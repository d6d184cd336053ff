"""What a sandbox folder holds, and the settings that point Upswell at it.

DIR/crm.sqlite   the stand-in CRM       DIR/exports/   the company's usage, billing, surveys …
DIR/sandbox.json its address and ids    DIR/secrets/   its credentials, readable only by you
DIR/referee/     the truth, read only by the demo's last step
DIR/upswell.toml settings for this sandbox; ledger, lake and models lie in DIR/upswell/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.errors import InputError

SETTINGS = """\
# Settings for the sandbox beside this file, written by `upswell sandbox`.
[company]
name = "Sandbox Inc."
currency = "USD"
fiscal_year_start = 2
timezone = "America/New_York"

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

{exports}
[state]
url = "sqlite:///upswell/ledger.sqlite"
models = "upswell/models"

[lake]
folder = "upswell/lake"

[target]
horizon_days = 90
opportunity_types = [{opportunity_types}]

{products}"""


def read_facts(folder: Path) -> dict[str, Any]:
    """The sandbox's address and client id. Raises InputError when the folder holds no sandbox."""
    file = folder / "sandbox.json"
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            "this folder holds no sandbox.",
            record=str(folder),
            fix=f"make one with: upswell sandbox salesforce --data {folder}",
        ) from None
    assert isinstance(facts, dict)
    return facts


def write_settings(folder: Path, *, url: str, client_id: str) -> Path:
    """Write DIR/upswell.toml for the sandbox at `url`; gives its path."""
    from connectors.sandbox.company.catalogue import EXPANSIONS, SEAT_PRICE
    from connectors.sandbox.company.salesforce import EXPANSION_TYPES

    exports = "".join(
        f'[[exports]]\nkind = "{kind}"\nformat = "table"\npath = "exports/{path}"\n\n'
        for kind, path in (
            ("events", "events/*.parquet"),
            ("users", "users.csv"),
            ("usage", "usage/*.csv"),
            ("billing", "billing/*.csv"),
            ("entitlements", "entitlements.csv"),
            ("surveys", "surveys.csv"),
            ("triggers", "triggers.csv"),
            ("notes", "notes.csv"),
        )
    )
    products = "\n".join(
        f"[[products]]\nid = {json.dumps(p.id)}\nname = {json.dumps(p.name)}\ntype = {json.dumps(p.kind)}\n"
        f"price = {p.price}\nunit = {json.dumps('seat' if p.per_seat else 'account')}\n"
        for p in EXPANSIONS
    )
    assert len(SEAT_PRICE)
    file = folder / "upswell.toml"
    types = ", ".join(json.dumps(name) for name in EXPANSION_TYPES)
    text = SETTINGS.format(
        url=url, client_id=client_id, exports=exports, products=products, opportunity_types=types
    )
    file.write_text(text, encoding="utf-8")
    return file
