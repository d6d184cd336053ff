"""What the org says about itself: versions, resources, sObjects, fields.

Sources: "Describe Global", "sObject Describe", "DescribeSObjectResult", REST and SOAP API Developer Guides.
"""

from __future__ import annotations

from connectors.sandbox.salesforce.errors import RefusalError, not_found
from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.salesforce.view import View

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "anyType": "xsd:anyType",
}
OLDEST_VERSION, NEWEST_VERSION = 31, 68  # "API End-of-Life Policy": below 31.0 is gone


def checked_version(text: str) -> str:
    """The API version of an address such as `v68.0`. Raises RefusalError 404."""
    number, _, rest = text.removeprefix("v").partition(".")
    if not text.startswith("v") or rest != "0" or not number.isdigit():
        raise not_found()
    if not OLDEST_VERSION <= int(number) <= NEWEST_VERSION:
        raise not_found()
    return f"{int(number)}.0"


def versions() -> list[dict[str, str]]:
    """Every API version that the org answers to."""
    return [
        {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)
    ]


def resources(version: str) -> dict[str, str]:
    """Where the API's parts live."""
    names = ("sobjects", "query", "queryAll", "limits", "composite", "tooling")
    return {name: f"/services/data/v{version}/{name}" for name in names}


def describe_global(view: View, version: str) -> dict[str, object]:
    """Every sObject that the user sees, in short."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [_summary(sobject, version) for sobject in view.objects()],
    }


def describe(sobject: SObject, view: View, version: str) -> dict[str, object]:
    """One sObject with its fields."""
    fields = [_field(sobject, field, view) for field in sobject.fields.values()]
    return {**_summary(sobject, version), "fields": fields, "childRelationships": [], "recordTypeInfos": []}


def basic(sobject: SObject, version: str) -> dict[str, object]:
    """What GET on an sObject's own address tells: "sObject Basic Information"."""
    return {"objectDescribe": _summary(sobject, version), "recentItems": []}


def find(view: View, name: str) -> SObject:
    """The sObject of an address. Raises RefusalError 404."""
    sobject = view.find(name)
    if sobject is None:
        raise RefusalError(404, "NOT_FOUND", "The requested resource does not exist")
    return sobject


def _summary(sobject: SObject, version: str) -> dict[str, object]:
    root = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "activateable": False,
        "createable": sobject.createable,
        "custom": sobject.own is not None,
        "customSetting": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": sobject.updateable,
        "mergeable": sobject.merge,
        "mruEnabled": False,
        "name": sobject.name,
        "queryable": True,
        "replicateable": sobject.field("SystemModstamp") is not None,
        "retrieveable": True,
        "searchable": False,
        "triggerable": sobject.updateable,
        "undeletable": sobject.deletable,
        "updateable": sobject.updateable,
        "urls": {"sobject": root, "describe": f"{root}/describe", "rowTemplate": f"{root}/{{ID}}"},
    }


def _field(sobject: SObject, field: Field, view: View) -> dict[str, object]:
    numeric = field.type in ("double", "currency", "percent")
    editable = view.editable(sobject, field)
    return {
        "aggregatable": field.filterable,
        "autoNumber": field.auto_number,
        "byteLength": field.length * 3,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": sobject.createable and field.createable and editable,
        "custom": field.custom,
        "defaultValue": field.default if field.type != "boolean" else bool(field.default),
        "defaultedOnCreate": field.defaulted or field.type == "boolean",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "externalId": field.external_id,
        "filterable": field.filterable,
        "groupable": field.filterable and not numeric and field.type not in ("int", "datetime"),
        "htmlFormatted": False,
        "idLookup": field.type == "id" or field.external_id,
        "inlineHelpText": field.help_text,
        "label": field.label,
        "length": field.length if field.type != "picklist" else 255,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.polymorphic,
        "nillable": not field.required and field.type != "boolean",
        "permissionable": not field.required,
        "picklistValues": _options(field),
        "polymorphicForeignKey": field.polymorphic,
        "precision": field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.references),
        "relationshipName": field.relationship,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.filterable,
        "type": field.type,
        "unique": field.unique,
        "updateable": sobject.updateable and field.updateable and editable,
        "writeRequiresMasterRead": False,
    }


def _options(field: Field) -> list[dict[str, object]]:
    labels = field.value_labels or field.values
    return [
        {
            "active": True,
            "defaultValue": value == field.default,
            "label": label,
            "validFor": None,
            "value": value,
        }
        for value, label in zip(field.values, labels, strict=True)
    ]
