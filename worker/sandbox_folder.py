"""What a sandbox folder holds, and the settings that point Upswell at it.

DIR/crm.sqlite   the stand-in CRM       DIR/exports/   the company's usage, billing, surveys …
DIR/sandbox.json its address and ids    DIR/secrets/   its credentials, readable only by you
DIR/referee/     the truth, read only by the demo's last step
DIR/upswell.toml settings for this sandbox; ledger, lake and models lie in DIR/upswell/
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import InputError

if TYPE_CHECKING:
    from connectors.sandbox.server import Sandbox
    from worker.screen import Advance

ADDRESS: Final = re.compile(r'^(login_url|instance_url) = "http://127\.0\.0\.1:\d+"', re.MULTILINE)
NOT_EXPANSIONS: Final = ("New Business", "Renewal")

SETTINGS: Final = """\
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


def make_company(folder: Path, *, accounts: int, months: int, seed: int, advance: Advance) -> dict[str, Any]:
    """A new company with its exports, its truth and its CRM; its figures. `advance` hears of the steps."""
    from connectors.sandbox.company import lifecycle, salesforce
    from connectors.sandbox.salesforce.org import create_org

    advance(0, 2)
    folder.mkdir(parents=True, exist_ok=True)
    summary = lifecycle.generate(folder, accounts=accounts, months=months, seed=seed)
    advance(1, 2)
    store = create_org(folder, now=summary.now)
    try:
        records = salesforce.load(store, folder)
    finally:
        store.close()
    advance(2, 2)
    return asdict(summary) | {"records": records}


def advance_company(folder: Path, *, weeks: int) -> dict[str, Any]:
    """Weeks pass for the company, its exports and its CRM, whether that is served just now or not."""
    from connectors.sandbox.company import salesforce
    from connectors.sandbox.salesforce.org import DATABASE
    from connectors.sandbox.store import Store

    read_facts(folder)
    store = Store.open(folder / DATABASE)
    try:
        return asdict(salesforce.advance(store, folder, weeks))
    finally:
        store.close()


def open_sandbox(folder: Path, *, port: int = 0, faults: Path | None = None) -> Sandbox:
    """The sandbox of the folder, serving; DIR/upswell.toml then points at it.

    Raises InputError when the port is taken or the faults can't be read."""
    from connectors.sandbox.faults import FaultRule
    from connectors.sandbox.server import Sandbox

    try:
        rules = [FaultRule.parse(entry) for entry in json.loads(faults.read_text())] if faults else None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"these faults can't be read: {error}.", record=str(faults), fix="correct the JSON list of rules"
        ) from None
    try:
        sandbox = Sandbox(folder, port=port, faults=rules)
    except OSError as error:
        raise InputError(
            f"port {port} can't be used: {error.strerror}.",
            record=str(folder),
            fix="name another with --port",
        ) from None
    facts = read_facts(folder)
    write_settings(folder, url=sandbox.url, client_id=facts["client_id"])
    return sandbox


def remembered_port(folder: Path) -> int:
    """The port that the sandbox had last, else 0 for any."""
    from urllib.parse import urlsplit

    if not (folder / "sandbox.json").exists():
        return 0
    return urlsplit(str(read_facts(folder).get("url", ""))).port or 0


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


def write_settings(folder: Path, *, url: str, client_id: str) -> None:
    """Write DIR/upswell.toml for the sandbox at `url`, or put the new address into the one that is there."""
    file = folder / "upswell.toml"
    if file.exists():
        text = file.read_text(encoding="utf-8")
        file.write_text(ADDRESS.sub(lambda found: f'{found[1]} = "{url}"', text), encoding="utf-8")
        return
    from connectors.sandbox.company.catalogue import EXPANSIONS
    from connectors.sandbox.company.opportunities import TYPES

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
    types = ", ".join(json.dumps(name) for name in TYPES if name not in NOT_EXPANSIONS)
    text = SETTINGS.format(
        url=url, client_id=client_id, exports=exports, products=products, opportunity_types=types
    )
    file.write_text(text, encoding="utf-8")
