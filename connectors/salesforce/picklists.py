"""Values of later versions added to picklists of ours that are there, everything else left as it is.

Tooling API Reference, "CustomField": the definition is read whole and written back with the new values at its
end, so that labels, order and values which an administrator changed stay. A deploy would replace them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.fields import FieldSpec
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.metadata_fields import home_of
from connectors.salesforce.tooling import field_ids, hidden_objects


def add_values(client: SalesforceClient, wanted: Sequence[tuple[FieldSpec, Sequence[str]]]) -> list[str]:
    """Add the lacking values of each field; what could not be done, in words."""
    tables = hidden_objects(client, [home_of(spec) for spec, _ in wanted if home_of(spec).endswith("__c")])
    ids = field_ids(client, [spec.salesforce for spec, _ in wanted], tables)
    told = []
    for spec, lacking in wanted:
        place = f"{home_of(spec)}.{spec.salesforce}"
        path = f"tooling/sobjects/CustomField/{ids[home_of(spec), spec.salesforce]}"
        held = client.read(path)["Metadata"]
        merged = with_values(held, {value: spec.options[value] for value in lacking})
        if merged is None:
            told.append(
                f"{place} lacks the values {', '.join(lacking)}: an administrator switched them off, or its "
                "values are a global value set's. Add them in Setup."
            )
        else:
            client.change(path, {"FullName": place, "Metadata": merged})
    return told


def with_values(held: Mapping[str, Any], new: Mapping[str, str]) -> dict[str, Any] | None:
    """The definition with these values (-> label) added at the end; None where they can't be.

    That is in a global value set, or where one of them is there and inactive: somebody did not want it."""
    values = held.get("valueSet") or {}
    definition = values.get("valueSetDefinition")
    if not definition:
        return None
    there = definition["value"]
    if {str(each["valueName"]).lower() for each in there} & {value.lower() for value in new}:
        return None
    more = [{"valueName": value, "label": label, "default": False} for value, label in new.items()]
    return {**held, "valueSet": {**values, "valueSetDefinition": {**definition, "value": [*there, *more]}}}
