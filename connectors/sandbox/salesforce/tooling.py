"""The Tooling API's view of the org: its fields, also those that the user's permissions hide, and its rules.

Sources: "Query" under "REST Resources", "CustomField", "FieldDefinition" and "ValidationRule", Tooling API
Reference: `TableEnumOrId` and `EntityDefinitionId` name the object that a field is defined on, which is
Activity for the custom fields of Task and Event. Fields of them that nobody here has asked for yet (FullName,
Metadata …) are refused as columns that do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.package_objects import HOMES
from connectors.sandbox.salesforce.package_parts import held
from connectors.sandbox.salesforce.schema import Field, Schema, SObject
from connectors.sandbox.store import Cell, Store

Row = Mapping[str, Cell]


def _sobject(name: str, label: str, prefix: str, *fields: Field) -> SObject:
    every = (Field(name="Id", label="ID", type="id", length=18, required=True), *fields)
    return SObject(
        name=name,
        label=label,
        plural=f"{label}s",
        prefix=prefix,
        fields=MappingProxyType({field.name.lower(): field for field in every}),
        createable=False,
        updateable=False,
        deletable=False,
    )


_OF: Final = Field(
    name="EntityDefinitionId", label="Entity Definition ID", type="string", length=40, required=True
)
_CUSTOM_FIELD: Final = _sobject(
    "CustomField",
    "Custom Field",
    "00N",
    Field(name="DeveloperName", label="Developer Name", type="string", length=80, required=True),
    Field(name="TableEnumOrId", label="Table Enum or ID", type="picklist", length=40, required=True),
    Field(name="NamespacePrefix", label="Namespace Prefix", type="string", length=15),
)
_CUSTOM_OBJECT: Final = _sobject(
    "CustomObject",
    "Custom Object",
    "01I",
    Field(name="DeveloperName", label="Developer Name", type="string", length=80, required=True),
    Field(name="NamespacePrefix", label="Namespace Prefix", type="string", length=15),
)
_BUNDLE: Final = _sobject(
    "LightningComponentBundle",
    "Lightning Component Bundle",
    "0Rb",
    Field(name="DeveloperName", label="Developer Name", type="string", length=80, required=True),
    Field(name="Description", label="Description", type="textarea", length=1000),
    Field(name="NamespacePrefix", label="Namespace Prefix", type="string", length=15),
)
_RESOURCE: Final = _sobject(
    "LightningComponentResource",
    "Lightning Component Resource",
    "0Rd",
    Field(
        name="LightningComponentBundleId",
        label="Lightning Component Bundle ID",
        type="reference",
        length=18,
        references=("LightningComponentBundle",),
        relationship="LightningComponentBundle",
    ),
    Field(name="FilePath", label="File Path", type="string", length=255, required=True),
    Field(name="Source", label="Source", type="textarea", length=131_072),
)
_FIELD_DEFINITION: Final = _sobject(
    "FieldDefinition",
    "Field Definition",
    "000",
    Field(name="DurableId", label="Durable ID", type="string", length=120, required=True),
    _OF,
    Field(name="QualifiedApiName", label="Qualified API Name", type="string", length=70, required=True),
    Field(name="IsFieldHistoryTracked", label="Is Field History Tracked", type="boolean"),
)
_VALIDATION_RULE: Final = _sobject(
    "ValidationRule",
    "Validation Rule",
    "03d",
    _OF,
    Field(name="ValidationName", label="Rule Name", type="string", length=80, required=True),
    Field(name="Active", label="Active", type="boolean"),
    Field(name="ErrorMessage", label="Error Message", type="string", length=255),
)
_OBJECTS: Final = {
    each.name.lower(): each
    for each in (_BUNDLE, _CUSTOM_FIELD, _CUSTOM_OBJECT, _FIELD_DEFINITION, _RESOURCE, _VALIDATION_RULE)
}
_HOME_OF: Final = MappingProxyType({name: home for home, names in HOMES.items() for name in names})
_REIFIED: Final = re.compile(r"\bWHERE\b.*\b(EntityDefinitionId|DurableId)\b", re.IGNORECASE | re.DOTALL)
_FROM: Final = re.compile(r"\bFROM\s+FieldDefinition\b", re.IGNORECASE)


def check_filter(statement: str) -> None:
    """Raises RefusalError 400 for FieldDefinition without a filter that it can't do without."""
    if _FROM.search(statement) and not _REIFIED.search(statement):
        message = "FieldDefinition: a filter on a reified column is required [EntityDefinitionId,DurableId]"
        raise RefusalError(400, "MALFORMED_QUERY", message)


def add_validation_rule(
    store: Store, object_name: str, name: str, *, message: str, active: bool = True
) -> None:
    """Put a rule on an object, as an administrator does in Setup; here it is listed and refuses nothing."""
    store.define(_VALIDATION_RULE.name, _VALIDATION_RULE.columns)
    row = {
        "Id": salesforce_id(_VALIDATION_RULE.prefix, store.next_number(_VALIDATION_RULE.name)),
        "EntityDefinitionId": object_name,
        "ValidationName": name,
        "Active": active,
        "ErrorMessage": message,
    }
    store.bulk_insert(_VALIDATION_RULE.name, [row])


def _named(name: str) -> tuple[str | None, str]:
    """The namespace of a custom field's package, where it has one, and its developer name."""
    namespace, _, developer = name.removesuffix("__c").rpartition("__")
    return namespace or None, developer


def _description(files: Mapping[str, str]) -> str | None:
    """What a component's own metadata says of it."""
    meta = next((text for name, text in files.items() if name.endswith("-meta.xml")), "<none/>")
    return ElementTree.fromstring(meta.encode()).findtext("{*}description")  # noqa: S314  # a package was read


class Tooling:
    """The sObjects of the Tooling API."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store = store
        self._schema = schema

    def find(self, name: str) -> SObject | None:
        """One of its objects, the rows being as the org now is; None for any other name."""
        found = _OBJECTS.get(name.lower())
        if found is None:
            return None
        self._store.define(found.name, found.columns)
        if found in (_CUSTOM_FIELD, _CUSTOM_OBJECT):
            self._store.define(_CUSTOM_OBJECT.name, _CUSTOM_OBJECT.columns)
            named = {(name.removesuffix("__c"),) for name in self._schema.own_objects()}
            self._note(_CUSTOM_OBJECT, ("DeveloperName",), named)
        if found is _CUSTOM_FIELD:
            place = ("TableEnumOrId", "NamespacePrefix", "DeveloperName")
            self._note(found, place, self._custom_fields())
        if found in (_BUNDLE, _RESOURCE):
            self._store.define(_BUNDLE.name, _BUNDLE.columns)
            told = {(name, _description(files)) for name, files in held(self._store, _BUNDLE.name).items()}
            self._note(_BUNDLE, ("DeveloperName", "Description"), told)
        if found is _RESOURCE:
            self._note(found, ("LightningComponentBundleId", "FilePath", "Source"), self._resources())
        if found is _FIELD_DEFINITION:
            key = ("EntityDefinitionId", "QualifiedApiName", "DurableId", "IsFieldHistoryTracked")
            self._note(found, key, self._definitions())
        return found

    def _custom_fields(self) -> set[tuple[Cell, ...]]:
        """Each with the object that it is defined on; a custom object is known by its id alone."""
        rows = self._store.select("SELECT DeveloperName, Id FROM CustomObject")
        homes = {**_HOME_OF, **{f"{name}__c": str(key) for name, key in rows}}
        return {
            (homes.get(sobject.name, sobject.name), *_named(field.name))
            for sobject in self._schema.objects().values()
            for field in sobject.fields.values()
            if field.custom
        }

    def _resources(self) -> set[tuple[Cell, ...]]:
        ids = {
            str(name): key
            for name, key in self._store.select("SELECT DeveloperName, Id FROM LightningComponentBundle")
        }
        return {
            (ids[name], f"lwc/{name}/{file}", content)
            for name, files in held(self._store, _BUNDLE.name).items()
            for file, content in files.items()
        }

    def _definitions(self) -> set[tuple[Cell, ...]]:
        return {
            (sobject.name, field.name, f"{sobject.name}.{field.name}", int(field.track_history))
            for sobject in self._schema.objects().values()
            for field in sobject.fields.values()
        }

    def _note(self, sobject: SObject, columns: tuple[str, ...], now: Iterable[tuple[Cell, ...]]) -> None:
        """Rows for what came, none for what went; one that stays keeps its id."""
        store, defined = self._store, set(now)
        names = ", ".join(f'"{name}"' for name in columns)
        with store.transaction() as sql:
            rows = store.select(f'SELECT Id, {names} FROM "{sobject.name}"')  # noqa: S608  # names of this file
            noted = {tuple(row[1:]): str(row[0]) for row in rows}
            gone = [(key,) for place, key in noted.items() if place not in defined]
            sql.executemany(f'DELETE FROM "{sobject.name}" WHERE Id = ?', gone)  # noqa: S608  # names of this file
            store.bulk_insert(
                sobject.name,
                [
                    {
                        "Id": salesforce_id(sobject.prefix, store.next_number(sobject.name)),
                        **dict(zip(columns, place, strict=True)),
                    }
                    for place in sorted(defined - noted.keys(), key=str)
                ],
            )
