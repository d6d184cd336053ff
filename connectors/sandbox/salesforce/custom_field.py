"""A CustomField of a Metadata API package, checked by the vendor's rules and turned into a field.

Sources: "CustomField" and "ValueSet", Metadata API Developer Guide; "Custom Field Attributes", Salesforce
Help.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from connectors.sandbox.salesforce.schema import Field

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*__c\Z")
_RELATIONSHIP = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_)){0,39}\Z")
_MAX_NAME = 40  # without __c
_MAX_LABEL = 40
_MAX_HELP, _MAX_DESCRIPTION = 510, 1000
_MAX_LONG_TEXT = 131_072

# metadata type -> describe type
_TYPES = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Checkbox": "boolean",
    "Date": "date",
    "DateTime": "datetime",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Lookup": "reference",
}
# describe type, whether the text is long -> metadata type
METADATA_TYPES = {(kind, name == "LongTextArea"): name for name, kind in _TYPES.items()}
_SEVERAL_LINES = ("LongTextArea", "MultiselectPicklist")
_ELEMENTS = frozenset(
    {
        "caseSensitive",
        "defaultValue",
        "deleteConstraint",
        "description",
        "externalId",
        "fullName",
        "inlineHelpText",
        "label",
        "length",
        "precision",
        "referenceTo",
        "relationshipLabel",
        "relationshipName",
        "required",
        "scale",
        "trackFeedHistory",
        "trackHistory",
        "trackTrending",
        "type",
        "unique",
        "valueSet",
        "visibleLines",
    }
)
_DEFAULT_LENGTHS = {
    "Email": 80,
    "Phone": 40,
    "Url": 255,
    "TextArea": 255,
    "MultiselectPicklist": 4099,
    "Lookup": 18,
}


class FieldProblemError(Exception):
    """Why the org refuses the field, in its own words."""


def text(element: Element, name: str) -> str | None:
    """The text of a child element, or None when it is absent or empty."""
    found = element.findtext(NAMESPACE + name)
    return found.strip() or None if found is not None else None


def flag(element: Element, name: str) -> bool:
    """A boolean child element, False when absent. Raises FieldProblemError for other words."""
    value = text(element, name)
    if value not in (None, "true", "false"):
        raise FieldProblemError(f"'{value}' is not a valid value for the xsd:boolean {name}")
    return value == "true"


def check_elements(element: Element, allowed: frozenset[str]) -> None:
    """Raises FieldProblemError for an element that the type does not have, as the Metadata API does."""
    kind = element.tag.removeprefix(NAMESPACE)
    for child in element:
        if child.tag.removeprefix(NAMESPACE) not in allowed or not child.tag.startswith(NAMESPACE):
            raise FieldProblemError(f"Element {child.tag} invalid at this location in type {kind}")


def custom_field(element: Element) -> Field:
    """The field behind the element. Raises FieldProblemError."""
    check_elements(element, _ELEMENTS)
    name, label, kind = text(element, "fullName"), text(element, "label"), text(element, "type")
    if name is None or not _NAME.match(name) or len(name) - 3 > _MAX_NAME:
        raise FieldProblemError(
            "The field name can only contain alphanumeric characters, must begin with a letter, cannot end"
            " with an underscore or contain two consecutive underscores, and must end with __c, within 40"
            f" characters: {name}"
        )
    if label is None:
        raise FieldProblemError(f"Required field is missing: label of {name}")
    if len(label) > _MAX_LABEL:
        raise FieldProblemError(f"Value too long for field: Label maximum length is:{_MAX_LABEL}")
    if kind is None:
        raise FieldProblemError(f"Must specify a non-empty type for {name}")
    if kind not in _TYPES:
        raise FieldProblemError(f"'{kind}' is not a type that this org takes for a custom field")
    help_text = text(element, "inlineHelpText")
    if help_text is not None and len(help_text) > _MAX_HELP:
        raise FieldProblemError(f"Value too long for field: InlineHelpText maximum length is:{_MAX_HELP}")
    if len(text(element, "description") or "") > _MAX_DESCRIPTION:
        raise FieldProblemError(f"Value too long for field: Description maximum length is:{_MAX_DESCRIPTION}")
    if (kind in _SEVERAL_LINES) != (text(element, "visibleLines") is not None):
        verb = "Must" if kind in _SEVERAL_LINES else "Can not"
        raise FieldProblemError(f"{verb} specify 'visibleLines' for a CustomField of type {kind}")
    target, children = _lookup(element, name, kind)
    precision, scale = _digits(element, kind)
    options, labels, restricted, chosen = _options(element, kind)
    return Field(
        name=name,
        label=label,
        type=_TYPES[kind],
        length=_length(element, kind),
        precision=precision,
        scale=scale,
        values=options,
        value_labels=labels,
        restricted=restricted,
        default=_default(element, kind, chosen),
        required=_only_for(
            element, "required", kind, tuple(k for k in _TYPES if k not in ("Checkbox", "LongTextArea"))
        ),
        external_id=_only_for(element, "externalId", kind, ("Text", "Number", "Email")),
        unique=_only_for(element, "unique", kind, ("Text", "Number", "Email")),
        case_sensitive=_only_for(element, "caseSensitive", kind, ("Text",)),
        track_history=flag(element, "trackHistory"),
        help_text=help_text,
        references=() if target is None else (target,),
        relationship=None if target is None else name.removesuffix("c") + "r",
        children=children,
        on_delete=None if target is None else text(element, "deleteConstraint") or "SetNull",
    )


def _lookup(element: Element, name: str, kind: str) -> tuple[str | None, str | None]:
    """The object that a lookup leads to, and what that calls the records which do."""
    target, children = text(element, "referenceTo"), text(element, "relationshipName")
    if kind != "Lookup":
        for told in ("referenceTo", "relationshipName", "relationshipLabel", "deleteConstraint"):
            if text(element, told) is not None:
                raise FieldProblemError(f"Can not specify '{told}' for a CustomField of type {kind}")
        return None, None
    if target is None or children is None or not _RELATIONSHIP.match(children):
        raise FieldProblemError(f"Must specify 'referenceTo' and a 'relationshipName' for the Lookup {name}")
    if flag(element, "required") and text(element, "deleteConstraint") in (None, "SetNull"):
        raise FieldProblemError(
            f"Must specify either cascade delete or restrict delete for the required lookup {name}"
        )
    return target, children


def _only_for(element: Element, name: str, kind: str, kinds: tuple[str, ...]) -> bool:
    value = flag(element, name)
    if value and kind not in kinds:
        raise FieldProblemError(f"Can not specify '{name}' for a CustomField of type {kind}")
    return value


def _number(element: Element, name: str) -> int | None:
    value = text(element, name)
    if value is None:
        return None
    if not value.isdigit():
        raise FieldProblemError(f"'{value}' is not a valid value for the type xsd:int")
    return int(value)


def _length(element: Element, kind: str) -> int:
    length = _number(element, "length")
    if kind in ("Text", "LongTextArea"):
        lowest, highest = (1, 255) if kind == "Text" else (256, _MAX_LONG_TEXT)
        if length is None:
            raise FieldProblemError(f"Must specify 'length' for a CustomField of type {kind}")
        if not lowest <= length <= highest:
            raise FieldProblemError(
                f"The length of a {kind} field must be between {lowest} and {highest}: {length}"
            )
        return length
    if length is not None:
        raise FieldProblemError(f"Can not specify 'length' for a CustomField of type {kind}")
    return _DEFAULT_LENGTHS.get(kind, 0)


def _digits(element: Element, kind: str) -> tuple[int, int]:
    precision, scale = _number(element, "precision"), _number(element, "scale")
    if kind not in ("Number", "Currency", "Percent"):
        if precision is not None or scale is not None:
            raise FieldProblemError(
                f"Can not specify 'precision' or 'scale' for a CustomField of type {kind}"
            )
        return 0, 0
    if precision is None or scale is None:
        raise FieldProblemError(f"Must specify 'precision' and 'scale' for a CustomField of type {kind}")
    if not 1 <= precision <= 18 or scale > precision or scale > 17:
        raise FieldProblemError(
            f"The precision must be 1 to 18 and not below the scale: {precision}, {scale}"
        )
    return precision, scale


def _options(element: Element, kind: str) -> tuple[tuple[str, ...], tuple[str, ...], bool, str | None]:
    """Values, their labels, whether others are refused, and the default one."""
    value_set = element.find(NAMESPACE + "valueSet")
    if kind not in ("Picklist", "MultiselectPicklist"):
        if value_set is not None:
            raise FieldProblemError(f"Can not specify 'valueSet' for a CustomField of type {kind}")
        return (), (), False, None
    definition = None if value_set is None else value_set.find(NAMESPACE + "valueSetDefinition")
    if value_set is None or definition is None:
        raise FieldProblemError(
            f"Must specify a valueSet with its valueSetDefinition for a CustomField of type {kind}"
        )
    check_elements(value_set, frozenset({"restricted", "valueSetDefinition"}))
    check_elements(definition, frozenset({"sorted", "value"}))
    names: list[str] = []
    labels: list[str] = []
    chosen = None
    for value in definition.findall(NAMESPACE + "value"):
        check_elements(value, frozenset({"fullName", "default", "label", "color", "description", "isActive"}))
        name = text(value, "fullName")
        if name is None or text(value, "default") is None:
            raise FieldProblemError("Each value of a valueSetDefinition needs a fullName and a default")
        if name.lower() in (known.lower() for known in names):
            raise FieldProblemError(f"Duplicate value in picklist: {name}")
        names.append(name)
        labels.append(text(value, "label") or name)
        if flag(value, "default"):
            if chosen is not None:
                raise FieldProblemError("A picklist can have only one default value")
            chosen = name
    if not names:
        raise FieldProblemError("You must specify at least one picklist value")
    return tuple(names), tuple(labels), flag(value_set, "restricted"), chosen


def _default(element: Element, kind: str, chosen: str | None) -> str | bool | None:
    value = text(element, "defaultValue")
    if kind == "Checkbox":
        if value not in ("true", "false"):
            raise FieldProblemError(
                "Must specify 'defaultValue' true or false for a CustomField of type Checkbox"
            )
        return value == "true"
    if value is not None:
        raise FieldProblemError(
            "The sandbox takes a defaultValue for Checkbox only; other defaults are formulas"
        )
    return chosen


def changed_type(before: Field, after: Field) -> str | None:
    """Why the deployed definition can't replace the one in place, or None."""
    if before.type != after.type or before.long_text != after.long_text:
        return f"Cannot change the type of field {before.name} from {before.type} to {after.type} by a deploy"
    if after.length < before.length:
        return f"Cannot shorten field {before.name} from {before.length} to {after.length} characters"
    return None
