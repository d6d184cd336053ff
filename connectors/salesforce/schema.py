"""What the org says about its objects: describe, as the integration user sees it.

Every field, relationship and object name that goes into a query comes from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.crm import FieldSchema, FieldType, ObjectSchema
from connectors.errors import SetupError, TerminalError

_TYPES: Final[Mapping[str, FieldType]] = {
    "string": FieldType.TEXT,
    "textarea": FieldType.LONG_TEXT,
    "email": FieldType.TEXT,
    "phone": FieldType.TEXT,
    "url": FieldType.TEXT,
    "int": FieldType.NUMBER,
    "long": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "percent": FieldType.PERCENT,
    "currency": FieldType.CURRENCY,
    "boolean": FieldType.CHECKBOX,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "picklist": FieldType.PICKLIST,
    "combobox": FieldType.TEXT,
    "multipicklist": FieldType.MULTI_PICKLIST,
    "reference": FieldType.REFERENCE,
}

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")  # it becomes part of an address
_TOGETHER: Final = 25  # subrequests of a Composite call
_CURSORS: Final = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An object's schema, and what only queries need to know of it."""

    schema: ObjectSchema
    cursor: str | None  # the stamp on which increments can be filtered
    relations: Mapping[str, str]  # Owner -> User; the first target where there are several
    filterable: frozenset[str]

    def has(self, name: str) -> bool:
        """Whether our user sees the field."""
        return name in self.schema.fields


class Schemas:
    """Describes objects once each: `get` calls sobjects/X/describe, `together` several in one call."""

    def __init__(
        self, get: Callable[[str], Any], together: Callable[[Sequence[str]], Mapping[str, Any]]
    ) -> None:
        self._get = get
        self._together = together
        self._known: dict[str, Described | None] = {}  # None: the org has or shows no such object

    def learn(self, object_names: Iterable[str]) -> None:
        """Describe those that are not described yet, as many in one call as the org takes."""
        names = [name for name in dict.fromkeys(object_names) if _NAME.fullmatch(name) is not None]
        new = [name for name in names if name not in self._known]
        for start in range(0, len(new), _TOGETHER):
            for name, body in self._together(new[start : start + _TOGETHER]).items():
                self._known[name] = None if body is None else described(body)

    def __getitem__(self, object_name: str) -> Described:
        """The object. Raises SetupError when the org does not show it to our user."""
        if object_name not in self._known:
            if _NAME.fullmatch(object_name) is None:
                raise SetupError("This is no object name.", record=object_name, fix="Correct the mapping.")
            try:
                self._known[object_name] = described(self._get(f"sobjects/{object_name}/describe"))
            except TerminalError as error:
                if error.status != 404:
                    raise
                self._known[object_name] = None
        known = self._known[object_name]
        if known is None:
            raise SetupError(
                "The org has no such object, or does not show it to our user.",
                record=object_name,
                fix="Give the integration user read access to it, or leave its table out.",
            )
        return known

    def forget(self, object_name: str) -> None:
        """Describe it anew next time, because its fields were changed."""
        self._known.pop(object_name, None)

    def holds_path(self, object_name: str, path: str) -> bool:
        """Whether a field or a path over relationships (Product2.ProductCode) can be read."""
        return self.field(object_name, path) is not None

    def type_of(self, object_name: str, path: str) -> FieldType:
        """What a field or a path over relationships holds; OTHER where it can't be read."""
        field = self.field(object_name, path)
        return FieldType.OTHER if field is None else field.type

    def field(self, object_name: str, path: str) -> FieldSchema | None:
        """The field at the end of a path; None where there is none that our user sees."""
        head, _, rest = path.partition(".")
        here = self[object_name]
        if not rest:
            return here.schema.fields.get(head)
        target = here.relations.get(head)
        if target is None:
            return None
        try:
            return self.field(target, rest)
        except SetupError:
            return None


def described(body: Mapping[str, Any]) -> Described:
    """The describe reply as our values."""
    fields = {str(item["name"]): _field(item) for item in body["fields"]}
    filterable = frozenset(str(item["name"]) for item in body["fields"] if item.get("filterable", True))
    relations = {
        str(item["relationshipName"]): str(item["referenceTo"][0])
        for item in body["fields"]
        if item.get("relationshipName") and item.get("referenceTo")
    }
    return Described(
        schema=ObjectSchema(
            name=str(body["name"]),
            label=str(body.get("label") or body["name"]),
            fields=fields,
            createable=bool(body.get("createable")),
            updateable=bool(body.get("updateable")),
        ),
        cursor=next((name for name in _CURSORS if name in filterable), None),
        relations=relations,
        filterable=filterable,
    )


def _field(item: Mapping[str, Any]) -> FieldSchema:
    """One field of a describe reply. `digits` limit whole numbers, `precision` the others."""
    kind = _TYPES.get(str(item["type"]), FieldType.TEXT if item["type"] == "id" else FieldType.OTHER)
    length = int(item.get("length") or 0)
    if kind is FieldType.LONG_TEXT and 0 < length <= 255:
        kind = FieldType.TEXT
    numeric = kind in {FieldType.NUMBER, FieldType.PERCENT, FieldType.CURRENCY}
    digits = int(item.get("precision") or 0) or int(item.get("digits") or 0)
    return FieldSchema(
        name=str(item["name"]),
        label=str(item.get("label") or item["name"]),
        type=kind,
        length=length or None,
        precision=digits or None if numeric else None,
        scale=int(item.get("scale") or 0) if numeric else None,
        options=tuple(
            str(option["value"]) for option in item.get("picklistValues") or () if option.get("active", True)
        ),
        restricted=bool(item.get("restrictedPicklist")),
        createable=bool(item.get("createable")),
        updateable=bool(item.get("updateable")),
        calculated=bool(item.get("calculated")),
        external_id=bool(item.get("externalId")),
        unique=bool(item.get("unique")),
        help=str(item.get("inlineHelpText") or ""),
        references=tuple(str(target) for target in item.get("referenceTo") or ()),
    )
