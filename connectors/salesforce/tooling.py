"""What only the Tooling API tells: fields whatever their security, history tracking, rules and flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient


def hidden_objects(client: SalesforceClient, names: Sequence[str]) -> Mapping[str, str]:
    """Which of these custom objects exist, also those hidden from us: their API names by their ids."""
    if not names:
        return {}
    bare = [name.removesuffix("__c") for name in names]
    where = [
        soql.Condition(field="DeveloperName", operator="IN", value=bare),
        soql.Condition(
            field="NamespacePrefix", operator="=", value=None
        ),  # a package may have one of the name
    ]
    found = _ask(client, soql.select(["Id", "DeveloperName"], "CustomObject", where=where))
    return {str(each["Id"]): f"{each['DeveloperName']}__c" for each in found}


def hidden_fields(
    client: SalesforceClient, names: Sequence[str], tables: Mapping[str, str] = MappingProxyType({})
) -> frozenset[tuple[str, str]]:
    """Which of these custom fields exist, as (object that defines them, name), also those hidden from us.

    `tables` are names of custom objects by their ids: "CustomField" knows those by nothing else."""
    bare = sorted({name.removesuffix("__c") for name in names})
    where = [soql.Condition(field="DeveloperName", operator="IN", value=bare)]
    found = _ask(client, soql.select(["DeveloperName", "TableEnumOrId"], "CustomField", where=where))
    homes = ((str(each["TableEnumOrId"]), f"{each['DeveloperName']}__c") for each in found)
    return frozenset((tables.get(home, home), name) for home, name in homes)


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
