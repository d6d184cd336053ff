"""HubSpot's refusals, with its categories and wording.

Source: "Error handling", HubSpot developer documentation, and the validation bodies quoted in the developer
changelog ("Property Validations Rules will be enforced for APIs and Integrations").
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.sandbox.wire import Response

VALIDATION = "VALIDATION_ERROR"
NOT_FOUND = "OBJECT_NOT_FOUND"
CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error as HubSpot words it: the body of a refusal, or one entry of a 207."""

    category: str
    message: str
    status: int = 400
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    details: tuple[Mapping[str, object], ...] = ()
    sub_category: str | None = None

    def entry(self, more: Mapping[str, Sequence[str]] | None = None) -> dict[str, object]:
        """The error inside the `errors` of a multi-status reply; `more` says which row it is about."""
        body: dict[str, object] = {"status": "error", "category": self.category, "message": self.message}
        body["context"] = {name: list(values) for name, values in {**self.context, **(more or {})}.items()}
        if self.sub_category is not None:
            body["subCategory"] = self.sub_category
        if self.details:
            body["errors"] = [dict(detail) for detail in self.details]
        return body

    def response(self) -> Response:
        """The whole reply when the call itself is refused."""
        body: dict[str, object] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
        }
        if self.context:
            body["context"] = {name: list(values) for name, values in self.context.items()}
        if self.sub_category is not None:
            body["subCategory"] = self.sub_category
        if self.details:
            body["errors"] = [dict(detail) for detail in self.details]
        return Response.of(self.status, body)


class RefusalError(Exception):
    """A call, or one row of it, is refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.category}: {problem.message}")
        self.problem = problem


def refuse(message: str, *, category: str = VALIDATION, status: int = 400, **context: str) -> RefusalError:
    """A refusal with its context."""
    named = {name: [value] for name, value in context.items()}
    return RefusalError(Problem(category=category, message=message, status=status, context=named))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueProblem:
    """Why one property's value was refused."""

    property: str
    code: str  # PROPERTY_DOESNT_EXIST, INVALID_OPTION, READ_ONLY_VALUE …
    message: str


def invalid_values(problems: Sequence[ValueProblem]) -> RefusalError:
    """The refusal of a write whose values are wrong; the list travels as JSON inside the message."""
    listed = [
        {
            "isValid": False,
            "message": p.message,
            "error": p.code,
            "name": p.property,
            "localizedErrorMessage": p.message,
        }
        for p in problems
    ]
    details = tuple(
        {"message": p.message, "code": p.code, "context": {"propertyName": [p.property]}} for p in problems
    )
    message = (
        f"Property values were not valid: {json.dumps(listed, ensure_ascii=False, separators=(',', ':'))}"
    )
    return RefusalError(Problem(category=VALIDATION, message=message, details=details))


def required_missing(object_label: str, names: Sequence[str], *, verb: str = "creating") -> RefusalError:
    """A record lacks properties that it cannot be without."""
    message = f"Error {verb} {object_label.upper()}. Some required properties were not set."
    details = (
        {"message": message, "code": "REQUIRED_FIELDS_MISSING", "context": {"properties": list(names)}},
    )
    problem = Problem(
        category=VALIDATION, message=message, context={"properties": list(names)}, details=details
    )
    return RefusalError(problem)


def object_not_found(record_id: str) -> RefusalError:
    """No record has this id."""
    return refuse(
        "Object not found.  objectId are usually numeric.", category=NOT_FOUND, status=404, id=record_id
    )


def no_such_address() -> RefusalError:
    """Nothing lives at this address."""
    return refuse("Unable to find the requested resource.", category="NOT_FOUND", status=404)


def method_not_allowed(method: str) -> RefusalError:
    """The address knows other methods only."""
    return refuse(f"HTTP {method} is not allowed here", category="METHOD_NOT_ALLOWED", status=405)


def invalid_json(cause: str) -> RefusalError:
    """The body is no JSON, or has another shape than the endpoint takes."""
    return refuse(f"Invalid input JSON: {cause}")
