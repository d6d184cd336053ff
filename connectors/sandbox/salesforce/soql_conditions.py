"""The WHERE of a SOQL query as SQL conditions with bound values.

SOQL compares text without regard to case, and nulls like values (`!= 'x'` finds them): "Comparison
Operators", SOQL and SOSL Reference.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.salesforce.soql_dates import date_range
from connectors.sandbox.salesforce.soql_names import Column, Names, Scope
from connectors.sandbox.salesforce.soql_tree import (
    Comparison,
    Condition,
    Literal,
    Logic,
    Membership,
    Negation,
    Path,
    Query,
)
from connectors.sandbox.store import stamp

NUMERIC = frozenset({"int", "double", "currency", "percent"})
_FILTER_TYPES = {"datetime": "dateTime", "reference": "string", "id": "string"}


class Conditions:
    """Turns conditions into SQL; `parameters` grow in the order in which they appear in the text."""

    def __init__(self, names: Names, today: date, semi_join: Callable[[Query], str]) -> None:
        self.parameters: list[object] = []
        self._names = names
        self._today = today
        self._semi_join = semi_join

    def condition(self, scope: Scope, condition: Condition) -> str:
        match condition:
            case Logic(operator=operator, terms=terms):
                return "(" + f" {operator} ".join(self.condition(scope, term) for term in terms) + ")"
            case Negation(term=term):
                return f"NOT coalesce({self.condition(scope, term)}, 0)"
            case Comparison():
                return self._comparison(scope, condition)
            case Membership():
                return self._membership(scope, condition)

    def filterable(self, scope: Scope, path: Path) -> Column:
        column = self._names.column(scope, path)
        if not column.field.filterable:
            raise self._names.error(
                path.position,
                f"field '{column.field.name}' can not be filtered in a query call",
                "INVALID_FIELD",
            )
        return column

    def _comparison(self, scope: Scope, condition: Comparison) -> str:
        column = self.filterable(scope, condition.path)
        operator, literal = condition.operator, condition.literal
        if literal.kind == "null":
            if operator not in ("=", "!="):
                raise self._names.error(
                    literal.position,
                    f"invalid operator on {column.field.name}: null",
                    "INVALID_QUERY_FILTER_OPERATOR",
                )
            return f"({column.sql} IS {'NOT ' if operator == '!=' else ''}NULL)"
        if operator == "LIKE":
            if (
                column.field.column_kind not in ("TEXT", "TEXT KEY")
                or literal.kind != "string"
                or column.field.type == "id"
            ):
                raise self._names.error(
                    condition.path.position, "invalid operator", "INVALID_QUERY_FILTER_OPERATOR"
                )
            self.parameters.append(literal.pattern)
            return f"coalesce({column.sql} LIKE ? ESCAPE '\\', 0)"
        if literal.kind == "range":
            return self._range(column, operator, literal)
        value = self._value(column.field, literal)
        if value is None and operator in ("=", "!="):  # an empty text is no value
            return f"({column.sql} IS {'NOT ' if operator == '!=' else ''}NULL)"
        self.parameters.append(value)
        collation = (
            "" if column.field.column_kind != "TEXT" or column.field.case_sensitive else " COLLATE NOCASE"
        )
        sign = {"=": "=", "!=": "IS NOT"}.get(operator, operator)
        return f"({column.sql} {sign} ?{collation})"

    def _range(self, column: Column, operator: str, literal: Literal) -> str:
        if column.field.type not in ("date", "datetime"):
            raise self._wrong_filter(column.field, literal)
        first, after = date_range(literal.text, literal.count, self._today)
        low, high = self._day(column.field, first), self._day(column.field, after)
        sql = column.sql
        match operator:
            case "=":
                self.parameters += [low, high]
                return f"({sql} >= ? AND {sql} < ?)"
            case "!=":
                self.parameters += [low, high]
                return f"({sql} IS NULL OR {sql} < ? OR {sql} >= ?)"
            case "<" | ">=":
                self.parameters.append(low)
                return f"({sql} {operator} ?)"
        self.parameters.append(high)
        return f"({sql} {'<' if operator == '<=' else '>='} ?)"

    @staticmethod
    def _day(wanted: Field, day: date) -> str:
        return day.isoformat() if wanted.type == "date" else stamp(datetime.combine(day, time(), UTC))

    def _membership(self, scope: Scope, condition: Membership) -> str:
        column = self.filterable(scope, condition.path)
        if condition.operator in ("INCLUDES", "EXCLUDES"):
            return self._includes(column, condition)
        negated = condition.operator == "NOT IN"
        if condition.query is not None:
            inner = self._semi_join(condition.query)
        else:
            values = [self._value(column.field, v) for v in condition.literals if v.kind != "null"]
            self.parameters += values
            inner = ", ".join("?" * len(values))
            if any(v.kind == "null" for v in condition.literals):
                found = f"({column.sql} IS NULL OR {column.sql} IN ({inner}))"
                return f"(NOT coalesce({found}, 0))" if negated else found
        collation = (
            " COLLATE NOCASE"
            if column.field.column_kind == "TEXT" and not column.field.case_sensitive
            else ""
        )
        if negated:
            return f"({column.sql} IS NULL OR {column.sql}{collation} NOT IN ({inner}))"
        return f"({column.sql}{collation} IN ({inner}))"

    def _includes(self, column: Column, condition: Membership) -> str:
        if column.field.type != "multipicklist":
            raise self._names.error(
                condition.path.position,
                "INCLUDES needs a multi-select picklist",
                "INVALID_QUERY_FILTER_OPERATOR",
            )
        choices = []
        for literal in condition.literals:
            terms = []
            for option in literal.text.split(";"):
                self.parameters.append(f";{option.lower()};")
                terms.append(f"instr(';' || lower({column.sql}) || ';', ?) > 0")
            choices.append("(" + " AND ".join(terms) + ")")
        found = "(" + " OR ".join(choices) + ")"
        return f"(NOT coalesce({found}, 0))" if condition.operator == "EXCLUDES" else found

    def _value(self, wanted: Field, literal: Literal) -> object:
        """The literal as the store keeps such values. Raises RefusalError when the type does not fit."""
        fits = {
            "boolean": "boolean",
            "date": "date",
            "datetime": "datetime",
            **dict.fromkeys(NUMERIC, "number"),
        }.get(wanted.type, "string")
        if literal.kind != fits:
            raise self._wrong_filter(wanted, literal)
        match fits:
            case "boolean":
                return int(literal.text == "TRUE")
            case "number":
                return float(literal.text)
            case "date":
                return self._parsed(literal, lambda text: date.fromisoformat(text).isoformat())
            case "datetime":
                return self._parsed(literal, lambda text: stamp(datetime.fromisoformat(text)))
        if wanted.type not in ("id", "reference") or not literal.text:
            return literal.text or None
        full = normal_id(literal.text)
        if full is None:
            raise self._names.error(
                literal.position, f"invalid ID field: {literal.text}", "INVALID_QUERY_FILTER_OPERATOR"
            )
        return full

    def _parsed(self, literal: Literal, parse: Callable[[str], str]) -> str:
        try:
            return parse(literal.text)
        except ValueError:
            raise self._names.error(
                literal.position, f"invalid date: {literal.text}", "MALFORMED_QUERY"
            ) from None

    def _wrong_filter(self, wanted: Field, literal: Literal) -> RefusalError:
        kind = _FILTER_TYPES.get(wanted.type, wanted.type)
        quotes = (
            "should be enclosed in quotes"
            if kind in ("string", "picklist")
            else "should not be enclosed in quotes"
        )
        message = f"value of filter criterion for field '{wanted.name}' must be of type {kind} and {quotes}"
        return self._names.error(literal.position, message, "INVALID_FIELD")
