"""A parsed SOQL query as parametrised SQL over the store's tables.

SQL text is built from the schema's names; every value of the query is bound. SOQL compares text without
regard to case, and nulls like values (`!= 'x'` finds them): "Comparison Operators", SOQL and SOSL Reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.salesforce.record_json import Selection, columns_json, record_json
from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.salesforce.soql_dates import date_range
from connectors.sandbox.salesforce.soql_tokens import malformed
from connectors.sandbox.salesforce.soql_tree import (
    Aggregate,
    Comparison,
    Condition,
    FieldSet,
    Literal,
    Logic,
    Membership,
    Negation,
    Ordering,
    Path,
    Query,
)
from connectors.sandbox.store import identifier, stamp

MAX_OFFSET = 2_000  # "OFFSET", SOQL and SOSL Reference
MAX_FIELDS_ALL = 200  # "FIELDS()": unbounded sets need LIMIT 200 at most
_MAX_PARENTS = 5  # "Relationship Query Limitations": five levels from child to parent

_APPEND = (
    " If you are attempting to use a custom {0}, be sure to append the '__c' after the {1} name. Please"
    " reference your WSDL or the describe call for the appropriate names."
)
_NUMERIC = frozenset({"int", "double", "currency", "percent"})
_FILTER_TYPES = {"datetime": "dateTime", "reference": "string", "id": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """What to run: `keys` finds the result, `page` turns some of its record ids into JSON."""

    sobject: SObject
    keys: str
    parameters: tuple[object, ...]
    page: str | None  # None: `keys` itself gives JSON rows (aggregates)
    counts: bool = False  # COUNT(): only the number of rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A field of the query in SQL."""

    sql: str
    field: Field


@dataclass(slots=True, kw_only=True)
class _Scope:
    """The tables that one (sub)query reads."""

    sobject: SObject
    query: Query
    root: str
    joins: dict[tuple[str, ...], tuple[str, SObject]] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)


def compile_query(
    soql: str,
    query: Query,
    *,
    find: Callable[[str], SObject | None],
    version: str,
    today: date,
    deleted_too: bool,
) -> CompiledQuery:
    """The SQL behind a query as the user with these sObjects may ask it. Raises RefusalError."""
    return _Compiler(soql, find, version, today, deleted_too).compile(query)


class _Compiler:
    def __init__(
        self, soql: str, find: Callable[[str], SObject | None], version: str, today: date, deleted_too: bool
    ) -> None:
        self._soql = soql
        self._find = find
        self._version = version
        self._today = today
        self._deleted_too = deleted_too
        self._aliases = 0
        self._parameters: list[object] = []

    def compile(self, query: Query) -> CompiledQuery:
        scope = self._scope(query)
        aggregates = [item for item in query.items if isinstance(item, Aggregate)]
        if query.group or aggregates:
            return self._aggregate(scope, aggregates)
        selection = self._selection(scope)
        select_joins = list(scope.join_sql)
        body = self._body(scope)
        keys = f"SELECT {scope.root}.Id FROM {body}"  # noqa: S608  # names of the schema
        page = (
            f"SELECT {record_json(selection, self._version)} FROM json_each(?) AS wanted"  # noqa: S608  # names of the schema
            f" CROSS JOIN {identifier(scope.sobject.name)} AS {scope.root} ON {scope.root}.Id = wanted.value"
            f" {' '.join(select_joins)} ORDER BY wanted.key"
        )
        return CompiledQuery(sobject=scope.sobject, keys=keys, parameters=tuple(self._parameters), page=page)

    def _aggregate(self, scope: _Scope, aggregates: list[Aggregate]) -> CompiledQuery:
        query = scope.query
        if len(query.items) == 1 and aggregates and aggregates[0].path is None and not query.group:
            keys = f"SELECT {scope.root}.Id FROM {self._body(scope)}"  # noqa: S608  # names of the schema
            return CompiledQuery(
                sobject=scope.sobject, keys=keys, parameters=tuple(self._parameters), page=None, counts=True
            )
        columns: dict[str, str] = {}
        grouped = {path.text.lower() for path in query.group}
        for item in query.items:
            if isinstance(item, Aggregate):
                name = item.alias or f"expr{sum(key.startswith('expr') for key in columns)}"
                columns[name] = self._aggregate_sql(scope, item)
            elif isinstance(item, Path):
                if item.text.lower() not in grouped:
                    raise self._error(
                        item.position, f"Field must be grouped or aggregated: {item.text}", "MALFORMED_QUERY"
                    )
                columns[item.parts[-1]] = self._column(scope, item).sql
            else:
                raise self._error(
                    item.position,
                    "The SOQL FIELDS function is not supported with GROUP BY.",
                    "MALFORMED_QUERY",
                )
        groups = [self._groupable(scope, path) for path in query.group]
        body = self._body(scope, groups=groups)
        keys = f"SELECT {columns_json(columns)} FROM {body}"  # noqa: S608  # names of the schema
        return CompiledQuery(sobject=scope.sobject, keys=keys, parameters=tuple(self._parameters), page=None)

    def _scope(self, query: Query) -> _Scope:
        sobject = self._find(query.object)
        if sobject is None:
            message = f"sObject type '{query.object}' is not supported." + _APPEND.format("object", "entity")
            raise self._error(query.object_position, message, "INVALID_TYPE")
        root = f"t{self._aliases}"
        self._aliases += 1
        return _Scope(sobject=sobject, query=query, root=root)

    def _body(self, scope: _Scope, *, groups: list[str] | None = None, also: str | None = None) -> str:
        """FROM onward; parameters are collected in the order in which they appear in the text."""
        query = scope.query
        conditions = [] if also is None else [also]
        if query.where is not None:
            conditions.append(self._condition(scope, query.where))
        if not self._deleted_too and scope.sobject.field("IsDeleted") is not None:
            conditions.append(f"{scope.root}.IsDeleted = 0")
        ordering = [self._ordering(scope, order) for order in query.order]
        parts = [f"{identifier(scope.sobject.name)} AS {scope.root}", *scope.join_sql]
        if conditions:
            parts.append("WHERE " + " AND ".join(conditions))
        if groups:
            parts.append("GROUP BY " + ", ".join(groups))
        if ordering:
            parts.append("ORDER BY " + ", ".join(ordering))
        if query.offset > MAX_OFFSET:
            raise self._error(
                query.offset_position,
                f"Maximum SOQL offset allowed is {MAX_OFFSET}",
                "NUMBER_OUTSIDE_VALID_RANGE",
            )
        if query.limit is not None or query.offset:
            parts.append("LIMIT ? OFFSET ?")
            self._parameters += [-1 if query.limit is None else query.limit, query.offset]
        return " ".join(parts)

    def _selection(self, scope: _Scope) -> Selection:
        root = Selection(sobject=scope.sobject, alias=scope.root)
        for item in scope.query.items:
            if isinstance(item, FieldSet):
                self._check_field_set(scope.query, item)
                for wanted in scope.sobject.fields.values():
                    if item.kind == "ALL" or wanted.custom == (item.kind == "CUSTOM"):
                        root.fields[wanted.name] = wanted
                continue
            assert isinstance(item, Path)
            self._select(scope, root, item)
        return root

    def _select(self, scope: _Scope, root: Selection, path: Path) -> None:
        parts = self._own_parts(scope, path)
        holder = root
        prefix: tuple[str, ...] = ()
        for i, part in enumerate(parts[:-1]):
            link = self._link(holder.sobject, part, path)
            name = str(link.relationship)
            if link.polymorphic:
                if i != len(parts) - 2:
                    raise self._no_column(parts[i + 1], "Name", path)
                self._select_polymorphic(holder, link, parts[-1], path)
                return
            prefix = (*prefix, part.lower())
            alias, sobject = self._join(scope, prefix, holder.alias, link)
            found = holder.fields.setdefault(name, Selection(sobject=sobject, alias=alias))
            assert isinstance(found, Selection)
            holder = found
        wanted = self._field(holder.sobject, parts[-1], path)
        if wanted.name in holder.fields and len(parts) == 1:
            raise self._error(path.position, f"duplicate field selected: {wanted.name}", "INVALID_FIELD")
        holder.fields[wanted.name] = wanted

    def _select_polymorphic(self, holder: Selection, link: Field, part: str, path: Path) -> None:
        kind = self._polymorphic(holder.alias, link, "type", path)
        found = holder.fields.setdefault(
            str(link.relationship), Selection(sobject=holder.sobject, alias=holder.alias, parent_type=kind)
        )
        assert isinstance(found, Selection)
        found.fields[part.capitalize()] = self._polymorphic(holder.alias, link, part.lower(), path)

    def _polymorphic(self, alias: str, link: Field, part: str, path: Path) -> str:
        """SQL of Id, Name or Type of a parent that may be of several types."""
        column = f"{alias}.{identifier(link.name)}"
        if part == "id":
            return column
        if part not in ("name", "type"):
            raise self._no_column(path.parts[-1], "Name", path)
        cases = []
        for target in link.references:
            sobject = self._find(target)
            if sobject is None:
                continue
            name = next(f.name for f in sobject.fields.values() if f.name_field)
            value = f"'{sobject.name}'"
            if part == "name":
                value = f"(SELECT {identifier(name)} FROM {identifier(sobject.name)} WHERE Id = {column})"  # noqa: S608  # schema's names
            cases.append(f"WHEN '{sobject.prefix}' THEN {value}")
        return f"(CASE substr({column}, 1, 3) {' '.join(cases)} END)"

    def _check_field_set(self, query: Query, item: FieldSet) -> None:
        if item.kind != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_ALL):
            message = (
                "The SOQL FIELDS function must have a LIMIT of at most 200. Add a LIMIT clause of 200 or less"
                " to your query."
            )
            raise self._error(item.position, message, "MALFORMED_QUERY")

    def _own_parts(self, scope: _Scope, path: Path) -> tuple[str, ...]:
        """The path without the query's own alias or object name in front."""
        first = path.parts[0].lower()
        own = {scope.sobject.name.lower(), (scope.query.alias or "").lower()}
        return path.parts[1:] if len(path.parts) > 1 and first in own else path.parts

    def _column(self, scope: _Scope, path: Path) -> _Column:
        parts = self._own_parts(scope, path)
        if len(parts) - 1 > _MAX_PARENTS:
            raise self._error(
                path.position, "only 5 levels of parent relationships are supported", "MALFORMED_QUERY"
            )
        alias, sobject = scope.root, scope.sobject
        for i, part in enumerate(parts[:-1]):
            link = self._link(sobject, part, path)
            if link.polymorphic:
                text = Field(name=parts[-1], label=parts[-1], type="string")
                return _Column(sql=self._polymorphic(alias, link, parts[-1].lower(), path), field=text)
            alias, sobject = self._join(scope, tuple(p.lower() for p in parts[: i + 1]), alias, link)
        wanted = self._field(sobject, parts[-1], path)
        return _Column(sql=f"{alias}.{identifier(wanted.name)}", field=wanted)

    def _join(self, scope: _Scope, prefix: tuple[str, ...], alias: str, link: Field) -> tuple[str, SObject]:
        if prefix not in scope.joins:
            sobject = self._find(link.references[0])
            assert sobject is not None
            joined = f"t{self._aliases}"
            self._aliases += 1
            scope.joins[prefix] = (joined, sobject)
            link_sql = f"{alias}.{identifier(link.name)}"
            scope.join_sql.append(
                f"LEFT JOIN {identifier(sobject.name)} AS {joined} ON {joined}.Id = {link_sql}"
            )
        return scope.joins[prefix]

    def _link(self, sobject: SObject, name: str, path: Path) -> Field:
        link = sobject.relationship(name)
        if link is None:
            message = f"Didn't understand relationship '{name}' in field path." + _APPEND.format(
                "relationship", "custom relationship"
            ).replace("'__c'", "'__r'")
            raise self._error(path.position, message, "INVALID_FIELD")
        return link

    def _field(self, sobject: SObject, name: str, path: Path) -> Field:
        found = sobject.field(name)
        if found is None:
            raise self._no_column(name, sobject.name, path)
        return found

    def _no_column(self, name: str, entity: str, path: Path) -> RefusalError:
        message = f"No such column '{name}' on entity '{entity}'." + _APPEND.format("field", "custom field")
        return self._error(path.position, message, "INVALID_FIELD")

    def _condition(self, scope: _Scope, condition: Condition) -> str:
        match condition:
            case Logic(operator=operator, terms=terms):
                return "(" + f" {operator} ".join(self._condition(scope, term) for term in terms) + ")"
            case Negation(term=term):
                return f"NOT coalesce({self._condition(scope, term)}, 0)"
            case Comparison():
                return self._comparison(scope, condition)
            case Membership():
                return self._membership(scope, condition)

    def _filterable(self, scope: _Scope, path: Path) -> _Column:
        column = self._column(scope, path)
        if not column.field.filterable:
            raise self._error(
                path.position,
                f"field '{column.field.name}' can not be filtered in a query call",
                "INVALID_FIELD",
            )
        return column

    def _groupable(self, scope: _Scope, path: Path) -> str:
        column = self._column(scope, path)
        if not column.field.filterable or column.field.type in _NUMERIC | {"datetime"}:
            raise self._error(
                path.position,
                f"field '{column.field.name}' can not be grouped in a query call",
                "INVALID_FIELD",
            )
        return column.sql

    def _comparison(self, scope: _Scope, condition: Comparison) -> str:
        column = self._filterable(scope, condition.path)
        operator, literal = condition.operator, condition.literal
        if literal.kind == "null":
            if operator not in ("=", "!="):
                raise self._error(
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
                raise self._error(
                    condition.path.position, "invalid operator", "INVALID_QUERY_FILTER_OPERATOR"
                )
            self._parameters.append(literal.pattern)
            return f"coalesce({column.sql} LIKE ? ESCAPE '\\', 0)"
        if literal.kind == "range":
            return self._range(column, operator, literal)
        value = self._value(column.field, literal)
        if value is None and operator in ("=", "!="):  # an empty text is no value
            return f"({column.sql} IS {'NOT ' if operator == '!=' else ''}NULL)"
        self._parameters.append(value)
        collation = (
            "" if column.field.column_kind != "TEXT" or column.field.case_sensitive else " COLLATE NOCASE"
        )
        sign = {"=": "=", "!=": "IS NOT"}.get(operator, operator)
        return f"({column.sql} {sign} ?{collation})"

    def _range(self, column: _Column, operator: str, literal: Literal) -> str:
        if column.field.type not in ("date", "datetime"):
            raise self._wrong_filter(column.field, literal)
        first, after = date_range(literal.text, literal.count, self._today)
        low, high = self._day(column.field, first), self._day(column.field, after)
        sql = column.sql
        match operator:
            case "=":
                self._parameters += [low, high]
                return f"({sql} >= ? AND {sql} < ?)"
            case "!=":
                self._parameters += [low, high]
                return f"({sql} IS NULL OR {sql} < ? OR {sql} >= ?)"
            case "<" | ">=":
                self._parameters.append(low)
                return f"({sql} {operator} ?)"
        self._parameters.append(high)
        return f"({sql} {'<' if operator == '<=' else '>='} ?)"

    @staticmethod
    def _day(wanted: Field, day: date) -> str:
        return day.isoformat() if wanted.type == "date" else stamp(datetime.combine(day, time(), UTC))

    def _membership(self, scope: _Scope, condition: Membership) -> str:
        column = self._filterable(scope, condition.path)
        if condition.operator in ("INCLUDES", "EXCLUDES"):
            return self._includes(column, condition)
        negated = condition.operator == "NOT IN"
        if condition.query is not None:
            inner = self._semi_join(condition.query)
        else:
            values = [self._value(column.field, v) for v in condition.literals if v.kind != "null"]
            self._parameters += values
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

    def _semi_join(self, query: Query) -> str:
        inner = self._scope(query)
        if len(query.items) != 1 or not isinstance(query.items[0], Path) or query.limit is not None:
            raise self._error(
                query.object_position, "semi join sub-selects can only select one field", "MALFORMED_QUERY"
            )
        wanted = self._column(inner, query.items[0])
        if wanted.field.type not in ("id", "reference"):
            raise self._error(
                query.object_position, "semi join sub-selects can only query id fields", "MALFORMED_QUERY"
            )
        body = self._body(inner, also=f"{wanted.sql} IS NOT NULL")
        return f"SELECT {wanted.sql} FROM {body}"  # noqa: S608  # names of the schema

    def _includes(self, column: _Column, condition: Membership) -> str:
        if column.field.type != "multipicklist":
            raise self._error(
                condition.path.position,
                "INCLUDES needs a multi-select picklist",
                "INVALID_QUERY_FILTER_OPERATOR",
            )
        choices = []
        for literal in condition.literals:
            terms = []
            for option in literal.text.split(";"):
                self._parameters.append(f";{option.lower()};")
                terms.append(f"instr(';' || lower({column.sql}) || ';', ?) > 0")
            choices.append("(" + " AND ".join(terms) + ")")
        found = "(" + " OR ".join(choices) + ")"
        return f"(NOT coalesce({found}, 0))" if condition.operator == "EXCLUDES" else found

    def _ordering(self, scope: _Scope, order: Ordering) -> str:
        if isinstance(order.path, Aggregate):
            sql, collation = self._aggregate_sql(scope, order.path), ""
        else:
            column = self._column(scope, order.path)
            if not column.field.filterable:
                raise self._error(
                    order.path.position,
                    f"field '{column.field.name}' can not be sorted in a query call",
                    "MALFORMED_QUERY",
                )
            sql = column.sql
            collation = " COLLATE NOCASE" if column.field.column_kind == "TEXT" else ""
        direction = "DESC" if order.descending else "ASC"
        return f"{sql}{collation} {direction} NULLS {'LAST' if order.nulls_last else 'FIRST'}"

    def _aggregate_sql(self, scope: _Scope, item: Aggregate) -> str:
        if item.path is None:
            return "count(*)"
        column = self._filterable(scope, item.path)
        if item.function in ("SUM", "AVG") and column.field.type not in _NUMERIC:
            message = f"field {column.field.name} does not support aggregate operator {item.function}"
            raise self._error(item.position, message, "MALFORMED_QUERY")
        if item.function == "COUNT_DISTINCT":
            return f"count(DISTINCT {column.sql})"
        return f"{item.function.lower()}({column.sql})"

    def _value(self, wanted: Field, literal: Literal) -> object:
        """The literal as the store keeps such values. Raises RefusalError when the type does not fit."""
        fits = {
            "boolean": "boolean",
            "date": "date",
            "datetime": "datetime",
            **dict.fromkeys(_NUMERIC, "number"),
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
            raise self._error(
                literal.position, f"invalid ID field: {literal.text}", "INVALID_QUERY_FILTER_OPERATOR"
            )
        return full

    def _parsed(self, literal: Literal, parse: Callable[[str], str]) -> str:
        try:
            return parse(literal.text)
        except ValueError:
            raise self._error(literal.position, f"invalid date: {literal.text}", "MALFORMED_QUERY") from None

    def _wrong_filter(self, wanted: Field, literal: Literal) -> RefusalError:
        kind = _FILTER_TYPES.get(wanted.type, wanted.type)
        quotes = (
            "should be enclosed in quotes"
            if kind in ("string", "picklist")
            else "should not be enclosed in quotes"
        )
        message = f"value of filter criterion for field '{wanted.name}' must be of type {kind} and {quotes}"
        return self._error(literal.position, message, "INVALID_FIELD")

    def _error(self, position: int, message: str, code: str) -> RefusalError:
        return malformed(self._soql, position, message, code)
