"""Salesforce's refusals, with its codes and wording.

Source: "Status Codes and Error Responses", REST API Developer Guide, and "Core Data Types Used in API
Calls: StatusCode", SOAP API Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.sandbox.wire import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """Why one row was refused."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    status: int = 400  # of a call about this row alone

    def as_row(self) -> dict[str, object]:
        """The error inside a row's result of an sObject Collections call."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_body(self) -> dict[str, object]:
        """The error inside the body of a call about one record."""
        body: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.status == 400 and self.code not in _WITHOUT_FIELDS:
            body["fields"] = list(self.fields)
        return body


_WITHOUT_FIELDS = frozenset({"JSON_PARSER_ERROR", "MALFORMED_QUERY", "INVALID_TYPE", "NOT_FOUND"})


class RefusalError(Exception):
    """A whole call is refused: the errors and the HTTP status that goes with them."""

    def __init__(self, status: int, code: str, message: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.errors = (RowError(code=code, message=message, fields=fields, status=status),)
        self.with_fields = bool(fields)

    def response(self) -> Response:
        """The refusal on the wire: a JSON array of errors."""
        body = []
        for error in self.errors:
            entry: dict[str, object] = {"message": error.message, "errorCode": error.code}
            if self.with_fields:
                entry["fields"] = list(error.fields)
            body.append(entry)
        return Response.of(self.status, body)


def row_refusal(errors: tuple[RowError, ...]) -> Response:
    """The refusal of a call about one record."""
    return Response.of(errors[0].status, [error.as_body() for error in errors])


def not_found() -> RefusalError:
    """Nothing lives at this address."""
    return RefusalError(404, "NOT_FOUND", "The requested resource does not exist")


def method_not_allowed(method: str, allowed: str) -> RefusalError:
    """The address knows other methods only."""
    return RefusalError(
        405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}"
    )


def unknown_field(object_name: str, field: str) -> RowError:
    """A write names a field that does not exist or that the user may not see."""
    message = f"No such column '{field}' on sobject of type {object_name}"
    return RowError(code="INVALID_FIELD", message=message)
