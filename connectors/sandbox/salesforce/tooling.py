"""The Tooling API's view of the org: its custom fields, also those that the user's permissions hide.

Sources: "Query" under "REST Resources" and "CustomField", Tooling API Reference: `TableEnumOrId` names the
object that a field is defined on, which is Activity for the custom fields of Task and Event. Fields of it
that nobody here has asked for yet (FullName, Metadata …) are refused as columns that do not exist.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.package import HOMES
from connectors.sandbox.salesforce.schema import Field, Schema, SObject
from connectors.sandbox.store import Store

_FIELDS: Final = (
    Field(name="Id", label="ID", type="id", length=18, required=True),
    Field(name="DeveloperName", label="Developer Name", type="string", length=80, required=True),
    Field(name="TableEnumOrId", label="Table Enum or ID", type="picklist", length=40, required=True),
    Field(name="NamespacePrefix", label="Namespace Prefix", type="string", length=15),
)
_CUSTOM_FIELD: Final = SObject(
    name="CustomField",
    label="Custom Field",
    plural="Custom Fields",
    prefix="00N",
    fields=MappingProxyType({field.name.lower(): field for field in _FIELDS}),
    createable=False,
    updateable=False,
    deletable=False,
)
_HOME_OF: Final = MappingProxyType({name: home for home, names in HOMES.items() for name in names})


class Tooling:
    """The sObjects of the Tooling API."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store = store
        self._schema = schema

    def find(self, name: str) -> SObject | None:
        """CustomField, its rows as the org's fields now are; None for any other name."""
        if name.lower() != _CUSTOM_FIELD.name.lower():
            return None
        self._note_fields()
        return _CUSTOM_FIELD

    def _note_fields(self) -> None:
        """Rows for the fields that came, none for those that went; one that stays keeps its id."""
        store, table = self._store, _CUSTOM_FIELD.name
        defined = {
            (_HOME_OF.get(sobject.name, sobject.name), field.name.removesuffix("__c"))
            for sobject in self._schema.objects().values()
            for field in sobject.fields.values()
            if field.custom
        }
        with store.transaction() as sql:
            store.define(table, _CUSTOM_FIELD.columns)
            rows = store.select("SELECT Id, TableEnumOrId, DeveloperName FROM CustomField")
            noted = {(str(home), str(name)): str(key) for key, home, name in rows}
            gone = [(key,) for place, key in noted.items() if place not in defined]
            sql.executemany("DELETE FROM CustomField WHERE Id = ?", gone)
            store.bulk_insert(
                table,
                [
                    {
                        "Id": salesforce_id(_CUSTOM_FIELD.prefix, store.next_number(table)),
                        "DeveloperName": name,
                        "TableEnumOrId": home,
                    }
                    for home, name in sorted(defined - noted.keys())
                ],
            )
