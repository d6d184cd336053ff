"""A check-up of the org: version, scopes, objects and fields, and what fires when we write.

Only reads. Validation rules are listed by the Tooling API ("ValidationRule"), flows by FlowDefinitionView.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from connectors.checkup import Remark, check_tables
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.mappings import Mappings
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.schema import Schemas
from connectors.salesforce.tables import OBJECTS_READ, SOURCES
from connectors.salesforce.tooling import validation_rules

_WRITTEN: Final = ("Account", "Task")
_TRIGGERS: Final = ("RecordBeforeSave", "RecordAfterSave")
_ENOUGH: Final = frozenset({"api", "full"})
_SHOWN: Final = 5


def examine(client: SalesforceClient, schemas: Schemas, mappings: Mappings) -> Iterator[Remark]:
    """Every remark about the org, in the order in which a reader wants them."""
    yield _version(client)
    yield from _scopes(client)
    schemas.learn(OBJECTS_READ)
    yield from check_tables(SOURCES, mappings, schemas.holds_path)
    for name in _WRITTEN:
        yield from _told(f"validation rules of {name}", _rules, client, name)
    yield from _told("flows", _flows, client)


def _version(client: SalesforceClient) -> Remark:
    """Our version against those that the org has."""
    ours, versions = client.settings.api_version, client.versions()
    if not versions:
        return Remark(area="CRM", name="API version", found=f"{ours}; the org does not tell which it has")
    found = f"{ours}, of {versions[0]} to {versions[-1]}"
    if ours in versions:
        return Remark(area="CRM", name="API version", found=found)
    fix = f"Set api_version in [crm.salesforce] to {versions[-1]}."
    return Remark(area="CRM", name="API version", found=found, fix=fix, is_fault=True)


def _scopes(client: SalesforceClient) -> Iterator[Remark]:
    """Whether the app may use the API at all; what it may see is the user's matter."""
    if client.scopes is None:
        return
    found = ", ".join(sorted(client.scopes)) or "none"
    if _ENOUGH & client.scopes:
        yield Remark(area="CRM", name="scopes", found=found)
    else:
        fix = "Give the External Client App the scope api ('Manage user data via APIs')."
        yield Remark(area="CRM", name="scopes", found=found, fix=fix, is_fault=True)


def _rules(client: SalesforceClient, object_name: str) -> Remark:
    """Active validation rules, which may refuse what we write."""
    name = f"validation rules of {object_name}"
    rules = validation_rules(client, object_name)
    if not rules:
        return Remark(area="Writes", name=name, found="none is active")
    return Remark(
        area="Writes",
        name=name,
        found=_listed(len(rules), [f"{rule} ({message})" for rule, message in rules]),
        fix="Exempt our user from those that could refuse a score; refused rows are told one by one.",
    )


def _flows(client: SalesforceClient) -> Remark:
    """Active flows that start when a record that we write is saved."""
    statement = soql.select(
        ["Label", "ApiName", "TriggerObjectOrEventId"],
        "FlowDefinitionView",
        where=[
            soql.Condition(field="IsActive", operator="=", value=True),
            soql.Condition(field="TriggerType", operator="IN", value=list(_TRIGGERS)),
        ],
    )
    found = [
        f"{each.get('Label') or each['ApiName']} ({each['TriggerObjectOrEventId']})"
        for each in client.records(statement)
        if each.get("TriggerObjectOrEventId") in _WRITTEN
    ]
    if not found:
        return Remark(area="Writes", name="flows", found=f"none starts with {' or '.join(_WRITTEN)}")
    return Remark(
        area="Writes",
        name="flows",
        found=_listed(len(found), sorted(found)),
        fix="Make sure that they bear some hundred records at once, and do nothing for our fields.",
    )


def _told(name: str, look: Callable[..., Remark], *about: Any) -> Iterator[Remark]:
    """The remark, or that our user may not look."""
    try:
        yield look(*about)
    except LoginError:
        raise
    except (SetupError, TerminalError) as error:
        yield Remark(
            area="Writes",
            name=name,
            found=f"can't be seen: {error.message}",
            fix="Give our user 'View Setup and Configuration' if they should be checked.",
        )


def _listed(number: int, names: list[str]) -> str:
    more = f" and {number - _SHOWN} more" if number > _SHOWN else ""
    return f"{number} active: {', '.join(names[:_SHOWN])}{more}"
