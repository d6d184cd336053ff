"""A Salesforce org in a folder: its SQLite file, its people, its credentials."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import set_base
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.schema import Schema, standard_objects
from connectors.sandbox.store import Store

DATABASE = "crm.sqlite"
FACTS = "sandbox.json"
SECRETS = "secrets"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
API_VERSION = "68.0"

ORG_ID = salesforce_id("00D", 1)
INTEGRATION_USER_ID = salesforce_id("005", 1)
ADMIN_USER_ID = salesforce_id("005", 2)
FIRST_FREE_USER = 10
"""Users from this number on are the company's; below are the org's own."""

_INTEGRATION_PROFILE, _ADMIN_PROFILE = salesforce_id("00e", 1), salesforce_id("00e", 2)
_PROFILE_PERMISSIONS = salesforce_id("0PS", 1)

# name, closed, won, forecast category, its label, probability: the stages of a new org ("OpportunityStage")
_STAGES = (
    ("Prospecting", False, False, "Pipeline", "Pipeline", 10),
    ("Qualification", False, False, "Pipeline", "Pipeline", 10),
    ("Needs Analysis", False, False, "Pipeline", "Pipeline", 20),
    ("Value Proposition", False, False, "Pipeline", "Pipeline", 50),
    ("Id. Decision Makers", False, False, "Pipeline", "Pipeline", 60),
    ("Perception Analysis", False, False, "Pipeline", "Pipeline", 70),
    ("Proposal/Price Quote", False, False, "BestCase", "Best Case", 75),
    ("Negotiation/Review", False, False, "Forecast", "Commit", 90),
    ("Closed Won", True, True, "Closed", "Closed", 100),
    ("Closed Lost", True, False, "Omitted", "Omitted", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgFacts:
    """What a client must know to log in; the secrets are files in `secrets/`."""

    kind: str
    org_id: str
    client_id: str
    username: str
    url: str | None = None

    def write(self, folder: Path) -> None:
        """Keep the facts in `sandbox.json`."""
        entries = {name: getattr(self, name) for name in self.__slots__}
        (folder / FACTS).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> OrgFacts:
        """The facts of an org that was started once."""
        return cls(**json.loads((folder / FACTS).read_text(encoding="utf-8")))


def open_or_create_org(folder: Path) -> Store:
    """The org in the folder, made first if there is none."""
    path = folder / DATABASE
    if not path.exists():
        return create_org(folder)
    store = Store.open(path)
    Schema.create(store)  # one of an older version gets the tables that it lacks
    return store


def create_org(folder: Path, *, now: datetime = START, name: str = "Northwind Cloud") -> Store:
    """A new org without Upswell's fields and without customers; `now` is where its clock starts."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.create(folder / DATABASE)
    with store.transaction():
        set_base(store, now)
        Schema.create(store)
        Audit(store)
        _own_rows(store, now, name)
        _credentials(store, folder)
    return store


def _stamps(now: datetime, by: str = ADMIN_USER_ID) -> dict[str, object]:
    return {
        "CreatedDate": now,
        "CreatedById": by,
        "LastModifiedDate": now,
        "LastModifiedById": by,
        "SystemModstamp": now,
    }


def _user(number: int, first: str, last: str, profile: str, now: datetime) -> dict[str, object]:
    username = f"{first}.{last}@northwind.example".lower()
    return {
        "Id": salesforce_id("005", number),
        "Username": username,
        "Email": username,
        "FirstName": first,
        "LastName": last,
        "Name": f"{first} {last}",
        "Alias": last[:8].lower(),
        "IsActive": True,
        "UserType": "Standard",
        "ProfileId": profile,
        "TimeZoneSidKey": "UTC",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        **_stamps(now),
    }


def _own_rows(store: Store, now: datetime, name: str) -> None:
    stamps = _stamps(now)
    store.bulk_insert(
        "Profile",
        [
            {
                "Id": _INTEGRATION_PROFILE,
                "Name": "Minimum Access - API Only Integrations",
                "UserType": "Standard",
                **stamps,
            },
            {"Id": _ADMIN_PROFILE, "Name": "System Administrator", "UserType": "Standard", **stamps},
        ],
    )
    store.bulk_insert(
        "User",
        [
            _user(1, "Upswell", "Integration", _INTEGRATION_PROFILE, now),
            _user(2, "Robin", "Admin", _ADMIN_PROFILE, now),
        ],
    )
    organization = {
        "Id": ORG_ID,
        "Name": name,
        "TimeZoneSidKey": "UTC",
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_US",
        "OrganizationType": "Enterprise Edition",
        "InstanceName": "LOCAL",
        "IsSandbox": True,
        "FiscalYearStartMonth": 2,
        **stamps,
    }
    store.bulk_insert("Organization", [organization])
    stages = []
    for i, (label, closed, won, category, category_name, probability) in enumerate(_STAGES):
        stage = {
            "Id": salesforce_id("01J", i + 1),
            "MasterLabel": label,
            "ApiName": label,
            "IsActive": True,
            **stamps,
        }
        stage |= {"SortOrder": i + 1, "IsClosed": closed, "IsWon": won, "DefaultProbability": probability}
        stages.append(stage | {"ForecastCategory": category, "ForecastCategoryName": category_name})
    store.bulk_insert("OpportunityStage", stages)
    _grant_company_fields(store, now, stamps)


def _grant_company_fields(store: Store, now: datetime, stamps: dict[str, object]) -> None:
    """The integration user's profile sees the company's own custom fields, as an administrator arranged."""
    permission_set = {
        "Id": _PROFILE_PERMISSIONS,
        "Name": "X00eIntegration",
        "Label": "Integration profile",
        "IsOwnedByProfile": True,
        "ProfileId": _INTEGRATION_PROFILE,
        **stamps,
    }
    store.bulk_insert("PermissionSet", [permission_set])
    assignment = {
        "PermissionSetId": _PROFILE_PERMISSIONS,
        "AssigneeId": INTEGRATION_USER_ID,
        "SystemModstamp": now,
    }
    store.bulk_insert("PermissionSetAssignment", [{"Id": salesforce_id("0Pa", 1), **assignment}])
    custom = [(o.name, f.name) for o in standard_objects().values() for f in o.fields.values() if f.custom]
    store.bulk_insert(
        "FieldPermissions",
        [
            {
                "Id": salesforce_id("01k", i + 1),
                "ParentId": _PROFILE_PERMISSIONS,
                "SobjectType": sobject,
                "Field": f"{sobject}.{field}",
                "PermissionsRead": True,
                "PermissionsEdit": True,
                "SystemModstamp": now,
            }
            for i, (sobject, field) in enumerate(custom)
        ],
    )


def _credentials(store: Store, folder: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    client_id = "3MVG9" + secrets.token_urlsafe(48)
    client_secret = secrets.token_hex(32).upper()
    refresh_token = "5Aep861" + secrets.token_urlsafe(48)
    store.meta["org.id"] = ORG_ID
    store.meta["org.seed"] = uuid.uuid4().hex
    store.meta["client.id"] = client_id
    store.meta["client.secret"] = client_secret
    store.meta["client.refresh_token"] = refresh_token
    store.meta["client.public_key"] = public.decode()
    username = str((store.row("User", INTEGRATION_USER_ID) or {})["Username"])
    store.meta["client.username"] = username
    secret_folder = folder / SECRETS
    secret_folder.mkdir(mode=0o700, exist_ok=True)
    for name, content in (
        ("client_secret", client_secret),
        ("refresh_token", refresh_token),
        ("jwt_key.pem", private.decode()),
    ):
        path = secret_folder / name
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
    OrgFacts(kind="salesforce", org_id=ORG_ID, client_id=client_id, username=username).write(folder)
