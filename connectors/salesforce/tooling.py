"""What only the Tooling API tells: fields whatever their security, history tracking, rules and flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient

# a package's acme__Expansion_Score__c bears the same developer name as ours, and is another field
_UNPACKAGED: Final = soql.Condition(field="NamespacePrefix", operator="=", value=None)


def hidden_objects(client: SalesforceClient, names: Sequence[str]) -> Mapping[str, str]:
    """Which of these custom objects exist, also those hidden from us: their API names by their ids."""
    if not names:
        return {}
    bare = [name.removesuffix("__c") for name in names]
    where = [soql.Condition(field="DeveloperName", operator="IN", value=bare), _UNPACKAGED]
    found = _ask(client, soql.select(["Id", "DeveloperName"], "CustomObject", where=where))
    return {str(each["Id"]): f"{each['DeveloperName']}__c" for each in found}


def hidden_fields(
    client: SalesforceClient, names: Sequence[str], tables: Mapping[str, str] = MappingProxyType({})
) -> frozenset[tuple[str, str]]:
    """Which of these custom fields exist, as (object that defines them, name), also those hidden from us.

    `tables` are names of custom objects by their ids: "CustomField" knows those by nothing else."""
    return frozenset(field_ids(client, names, tables))


def field_ids(
    client: SalesforceClient, names: Sequence[str], tables: Mapping[str, str]
) -> Mapping[tuple[str, str], str]:
    """The ids of custom fields, by (object that defines them, name); `tables` as of `hidden_fields`."""
    bare = sorted({name.removesuffix("__c") for name in names})
    where = [soql.Condition(field="DeveloperName", operator="IN", value=bare), _UNPACKAGED]
    found = _ask(client, soql.select(["Id", "DeveloperName", "TableEnumOrId"], "CustomField", where=where))
    return {
        (
            tables.get(str(each["TableEnumOrId"]), str(each["TableEnumOrId"])),
            f"{each['DeveloperName']}__c",
        ): str(each["Id"])
        for each in found
    }


def bundle_sources(client: SalesforceClient, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """The files of these Lightning web components as the org holds them, by component and file name."""
    path = "LightningComponentBundle.DeveloperName"
    where = [soql.Condition(field=path, operator="IN", value=list(names))]
    found: dict[str, dict[str, str]] = {}
    for each in _ask(client, soql.select(["FilePath", "Source"], "LightningComponentResource", where=where)):
        _, bundle, name = str(each["FilePath"]).split("/")
        found.setdefault(bundle, {})[name] = str(each.get("Source") or "")
    return found


def bundle_descriptions(client: SalesforceClient, names: Sequence[str]) -> Mapping[str, str]:
    """What these Lightning web components say of themselves, by component."""
    where = [soql.Condition(field="DeveloperName", operator="IN", value=list(names)), _UNPACKAGED]
    statement = soql.select(["DeveloperName", "Description"], "LightningComponentBundle", where=where)
    return {
        str(each["DeveloperName"]): str(each.get("Description") or "") for each in _ask(client, statement)
    }


def tracked_fields(client: SalesforceClient, object_name: str) -> int:
    """How many fields of an object have their history kept."""
    where = [soql.Condition(field="EntityDefinitionId", operator="=", value=object_name)]
    names = ["QualifiedApiName", "IsFieldHistoryTracked"]
    found = _ask(client, soql.select(names, "FieldDefinition", where=where))
    return sum(bool(each["IsFieldHistoryTracked"]) for each in found)


def validation_rules(client: SalesforceClient, object_name: str) -> list[tuple[str, str]]:
    """The active validation rules of an object: name and the message that people see, by name."""
    where = [
        soql.Condition(field="EntityDefinitionId", operator="=", value=object_name),
        soql.Condition(field="Active", operator="=", value=True),
    ]
    found = _ask(client, soql.select(["ValidationName", "ErrorMessage"], "ValidationRule", where=where))
    return sorted((str(each["ValidationName"]), str(each.get("ErrorMessage") or "")) for each in found)


def _ask(client: SalesforceClient, statement: str) -> Iterable[dict[str, object]]:
    """The records of a Tooling query."""
    page = client.read("tooling/query", params={"q": statement})
    while True:
        yield from page["records"]
        if page["done"]:
            return
        page = client.read("tooling/" + str(page["nextRecordsUrl"]).partition("/tooling/")[2])
