"""What a sandbox folder holds, and how it is made, served and moved on in time.

DIR/crm.sqlite   the stand-in CRM       DIR/exports/   the company's usage, billing, surveys …
DIR/sandbox.json its address and ids    DIR/secrets/   its credentials, readable only by you
DIR/referee/     the truth, read only by the demo's last step
DIR/upswell.toml settings for this sandbox; ledger, lake and models lie in DIR/upswell/
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from connectors.errors import InputError
from worker.sandbox_settings import write_settings

if TYPE_CHECKING:
    from connectors.sandbox.server import Sandbox
    from connectors.sandbox.store import Store
    from worker.screen import Advance

DATABASE: Final = "crm.sqlite"
FACTS: Final = "sandbox.json"


def is_made(folder: Path) -> bool:
    """Whether the folder holds a sandbox already."""
    return (folder / DATABASE).exists()


def make_company(
    folder: Path,
    *,
    kind: str = "salesforce",
    accounts: int,
    months: int,
    seed: int,
    mess: float = 1.0,
    advance: Advance,
) -> dict[str, Any]:
    """A new company with its exports, its truth and its CRM; its figures. `advance` hears of the steps.

    With 0 accounts it is an org without customers and without exports. `mess` says how messy the records are,
    from 0 (all in order) over 1 (as after a few years) to 3."""
    from connectors.sandbox.company import lifecycle
    from connectors.sandbox.salesforce.org import START

    advance(0, 2)
    folder.mkdir(parents=True, exist_ok=True)
    summary = None
    if accounts:
        summary = lifecycle.generate(folder, accounts=accounts, months=months, seed=seed, mess=mess)
    advance(1, 2)
    store = _new_org(kind, folder, START if summary is None else summary.now)
    try:
        records = _loader_of(kind).load(store, folder) if summary is not None else 0
    finally:
        store.close()
    advance(2, 2)
    made = {"accounts": 0, "customers": 0, "events": 0} if summary is None else asdict(summary)
    return made | {"records": records}


def advance_company(folder: Path, *, weeks: int) -> dict[str, Any]:
    """Weeks pass for the company, its exports and its CRM, whether that is served just now or not.

    Raises InputError when the folder holds no sandbox."""
    from connectors.sandbox.store import Store

    facts = read_facts(folder)
    store = Store.open(folder / DATABASE)
    try:
        return asdict(_loader_of(facts["kind"]).advance(store, folder, weeks))
    except FileNotFoundError:
        raise InputError(
            "no company lives in this sandbox.", record=str(folder), fix="make one with --accounts 1 or more"
        ) from None
    finally:
        store.close()


def open_sandbox(folder: Path, *, port: int = 0, faults: Path | None = None, **limits: Any) -> Sandbox:
    """The sandbox of the folder, serving; DIR/upswell.toml then points at it. `limits` are the CRM's own.

    Raises InputError when the folder holds none, the port is taken or the faults can't be read."""
    from connectors.sandbox.faults import FaultRule
    from connectors.sandbox.server import Sandbox

    facts = read_facts(folder)
    try:
        rules = [FaultRule.parse(entry) for entry in json.loads(faults.read_text())] if faults else None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"these faults can't be read: {error}.", record=str(faults), fix="correct the JSON list of rules"
        ) from None
    try:
        sandbox = Sandbox(folder, facts["kind"], port=port, faults=rules, **limits)
    except OSError as error:
        raise InputError(
            f"port {port} can't be used: {error.strerror or error}.",
            record=str(folder),
            fix="name another with --port",
        ) from None
    write_settings(folder, kind=facts["kind"], url=sandbox.url, client_id=facts["client_id"])
    return sandbox


def remembered_port(folder: Path) -> int:
    """The port that the sandbox had last, else 0 for any."""
    if not (folder / FACTS).exists():
        return 0
    return urlsplit(str(read_facts(folder).get("url", ""))).port or 0


def read_facts(folder: Path) -> dict[str, Any]:
    """The sandbox's kind, address and client id. Raises InputError when the folder holds no sandbox."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            "this folder holds no sandbox.",
            record=str(folder),
            fix=f"make one with: upswell sandbox salesforce --data {folder}",
        ) from None
    assert isinstance(facts, dict)
    return facts


def _new_org(kind: str, folder: Path, now: datetime) -> Store:
    """The store of a new org (Salesforce) or account (HubSpot)."""
    if kind == "hubspot":
        from connectors.sandbox.hubspot.account import create_account

        return create_account(folder, now=now)
    from connectors.sandbox.salesforce.org import create_org

    return create_org(folder, now=now)


def _loader_of(kind: str) -> ModuleType:
    """The module that puts the company into a CRM of this kind."""
    return import_module(f"connectors.sandbox.company.{kind}")
