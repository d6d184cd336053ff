"""What a handler of one request has at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.errors import invalid_json, refuse
from connectors.sandbox.hubspot.limits import RateLimits
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.record_json import Reader, Wanted
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.schema import ObjectType, Schema
from connectors.sandbox.hubspot.settings import Settings
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request

_WHOLE = re.compile(r"[0-9]{1,18}\Z")  # what SQLite holds as an integer


_SURROGATE = b"\\ud"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request with the account behind it."""

    request: Request
    now: datetime
    settings: Settings
    limits: RateLimits
    store: Store
    schema: Schema
    associations: Associations
    reader: Reader
    records: Records
    linker: Linker
    url: str

    def object_type(self, name: str) -> ObjectType:
        """The object type in the path. Raises RefusalError."""
        kind = self.schema.find(name)
        if kind is None:
            raise refuse(f"Unable to infer object type from: {name}", type=name)
        return kind

    def body(self) -> dict[str, object]:
        """The body as a JSON object. Raises RefusalError."""
        try:
            value = json.loads(self.request.body, parse_constant=_not_json)
            if _SURROGATE in self.request.body.lower():
                json.dumps(value, ensure_ascii=False).encode()  # half a character is no text
        except (ValueError, RecursionError) as error:
            raise invalid_json(str(error)) from None
        if not isinstance(value, dict):
            raise invalid_json("an object was expected")
        return value

    def inputs(self, limit: int) -> list[dict[str, object]]:
        """The rows of a batch call. Raises RefusalError for none and for too many."""
        rows = self.body().get("inputs")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise invalid_json("Some required fields were not set: [inputs]")
        if not rows:
            raise refuse("The batch request must contain at least 1 input.")
        if len(rows) > limit:
            raise refuse(
                f"The maximum number of inputs supported in a batch request is {limit}, was {len(rows)}."
            )
        return rows

    def wanted(self, body: Mapping[str, object] | None = None) -> Wanted:
        """The properties, histories and associations that the query or the body asks for."""
        if body is not None:
            return Wanted(
                properties=_texts(body, "properties"), history=_texts(body, "propertiesWithHistory")
            )
        return Wanted(
            properties=self.many("properties"),
            history=self.many("propertiesWithHistory"),
            associations=self.many("associations"),
        )

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a query parameter, repeated or separated by commas."""
        given = self.request.values.get(name, ())
        return tuple(part.strip() for value in given for part in value.split(",") if part.strip())

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false."""
        return self.request.query.get(name, "false").lower() == "true"

    def count(self, name: str, *, default: int, highest: int) -> int:
        """A query parameter that counts. Raises RefusalError outside 1…highest."""
        text = self.request.query.get(name)
        if text is None:
            return default
        if not 1 <= (whole_of(text) or 0) <= highest:
            raise refuse(f"{name} must be between 1 and {highest}, was {text}", propertyName=name)
        return int(text)


def _not_json(token: str) -> object:
    raise ValueError(f"Unexpected token {token}")


def _texts(body: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = body.get(name) or []
    if not isinstance(values, list):
        raise invalid_json(f"{name} must be a list")
    return tuple(str(value) for value in values)


def text_of(row: Mapping[str, object], name: str) -> str:
    """A required text of a row; ids may come as numbers. Raises RefusalError."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise invalid_json(f"Some required fields were not set: [{name}]")
    return str(value)


def mapping_of(row: Mapping[str, object], name: str) -> dict[str, object]:
    """A required object of a row. Raises RefusalError."""
    value = row.get(name)
    if not isinstance(value, dict):
        raise invalid_json(f"Some required fields were not set: [{name}]")
    return value


def whole_of(value: object) -> int | None:
    """A whole number as ids and cursors are, or None for anything else."""
    return int(str(value)) if _WHOLE.match(str(value)) else None


def cursor_of(value: object) -> int:
    """The place behind a paging cursor, 0 for none. Raises RefusalError."""
    if value in (None, ""):
        return 0
    found = whole_of(value)
    if found is None:
        raise refuse(f"The paging cursor {value!r} is not valid", propertyName="after")
    return found
