"""A parsed SOQL query as parametrised SQL over the store's tables.

SQL text is built from the schema's names; every value of the query is bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from connectors.sandbox.salesforce.record_csv import record_csv
from connectors.sandbox.salesforce.record_json import Selection, columns_json, record_json
from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.salesforce.soql_conditions import NUMERIC, Conditions
from connectors.sandbox.salesforce.soql_names import Names, Scope
from connectors.sandbox.salesforce.soql_tree import Aggregate, FieldSet, Ordering, Path, Query
from connectors.sandbox.store import identifier

MAX_OFFSET = 2_000  # "OFFSET", SOQL and SOSL Reference
MAX_FIELDS_ALL = 200  # "FIELDS()": unbounded sets need LIMIT 200 at most


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """What to run: `keys` finds the result, `page` turns some of its record ids into JSON.

    `lines` gives the whole result as lines of CSV below the `header`, for a Bulk query."""

    sobject: SObject
    keys: str
    parameters: tuple[object, ...]
    page: str | None  # None: `keys` itself gives JSON rows (aggregates)
    counts: bool = False  # COUNT(): only the number of rows
    lines: str = ""
    header: tuple[str, ...] = ()


def compile_query(
    soql: str,
    query: Query,
    *,
    find: Callable[[str], SObject | None],
    base: str,
    today: date,
    deleted_too: bool,
) -> CompiledQuery:
    """The SQL behind a query as the user with these sObjects may ask it. Raises RefusalError."""
    return _Compiler(soql, find, base, today, deleted_too).compile(query)


class _Compiler:
    def __init__(
        self, soql: str, find: Callable[[str], SObject | None], base: str, today: date, deleted_too: bool
    ) -> None:
        self._names = Names(soql, find)
        self._conditions = Conditions(self._names, today, self._semi_join)
        self._base = base
        self._deleted_too = deleted_too

    def compile(self, query: Query) -> CompiledQuery:
        scope = self._names.scope(query)
        aggregates = [item for item in query.items if isinstance(item, Aggregate)]
        if query.group or aggregates:
            return self._aggregate(scope, aggregates)
        selection = self._selection(scope)
        select_joins = list(scope.join_sql)
        body = self._body(scope)
        keys = f"SELECT {scope.root}.Id FROM {body}"  # noqa: S608  # names of the schema
        page = (
            f"SELECT {record_json(selection, self._base)} FROM json_each(?) AS wanted"  # noqa: S608  # names of the schema
            f" CROSS JOIN {identifier(scope.sobject.name)} AS {scope.root} ON {scope.root}.Id = wanted.value"
            f" {' '.join(select_joins)} ORDER BY wanted.key"
        )
        header, line = record_csv(selection)
        table = f"{identifier(scope.sobject.name)} AS {scope.root}"
        lines = (
            f"SELECT {line} AS line FROM {table} {' '.join(select_joins)}"  # noqa: S608  # names of the schema
            f" WHERE {scope.root}.Id IN ({keys})"
        )
        return CompiledQuery(
            sobject=scope.sobject,
            keys=keys,
            parameters=tuple(self._conditions.parameters),
            page=page,
            lines=lines,
            header=header,
        )

    def _aggregate(self, scope: Scope, aggregates: list[Aggregate]) -> CompiledQuery:
        query = scope.query
        if len(query.items) == 1 and aggregates and aggregates[0].path is None and not query.group:
            keys = f"SELECT {scope.root}.Id FROM {self._body(scope)}"  # noqa: S608  # names of the schema
            return CompiledQuery(
                sobject=scope.sobject,
                keys=keys,
                parameters=tuple(self._conditions.parameters),
                page=None,
                counts=True,
            )
        columns: dict[str, str] = {}
        grouped = {path.text.lower() for path in query.group}
        for item in query.items:
            if isinstance(item, Aggregate):
                name = item.alias or f"expr{sum(key.startswith('expr') for key in columns)}"
                columns[name] = self._aggregate_sql(scope, item)
            elif isinstance(item, Path):
                if item.text.lower() not in grouped:
                    raise self._names.error(
                        item.position, f"Field must be grouped or aggregated: {item.text}", "MALFORMED_QUERY"
                    )
                columns[item.parts[-1]] = self._names.column(scope, item).sql
            else:
                raise self._names.error(
                    item.position,
                    "The SOQL FIELDS function is not supported with GROUP BY.",
                    "MALFORMED_QUERY",
                )
        groups = [self._groupable(scope, path) for path in query.group]
        body = self._body(scope, groups=groups)
        keys = f"SELECT {columns_json(columns)} FROM {body}"  # noqa: S608  # names of the schema
        return CompiledQuery(
            sobject=scope.sobject, keys=keys, parameters=tuple(self._conditions.parameters), page=None
        )

    def _body(self, scope: Scope, *, groups: list[str] | None = None, also: str | None = None) -> str:
        """FROM onward; parameters are collected in the order in which they appear in the text."""
        query = scope.query
        conditions = [] if also is None else [also]
        if query.where is not None:
            conditions.append(self._conditions.condition(scope, query.where))
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
            raise self._names.error(
                query.offset_position,
                f"Maximum SOQL offset allowed is {MAX_OFFSET}",
                "NUMBER_OUTSIDE_VALID_RANGE",
            )
        if query.limit is not None or query.offset:
            parts.append("LIMIT ? OFFSET ?")
            self._conditions.parameters += [-1 if query.limit is None else query.limit, query.offset]
        return " ".join(parts)

    def _selection(self, scope: Scope) -> Selection:
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

    def _select(self, scope: Scope, root: Selection, path: Path) -> None:
        parts = self._names.own_parts(scope, path)
        holder = root
        prefix: tuple[str, ...] = ()
        for i, part in enumerate(parts[:-1]):
            link = self._names.link(holder.sobject, part, path)
            name = str(link.relationship)
            if link.polymorphic:
                if i != len(parts) - 2:
                    raise self._names.no_column(parts[i + 1], "Name", path)
                self._select_polymorphic(holder, link, parts[-1], path)
                return
            prefix = (*prefix, part.lower())
            alias, sobject = self._names.join(scope, prefix, holder.alias, link)
            found = holder.fields.setdefault(name, Selection(sobject=sobject, alias=alias))
            assert isinstance(found, Selection)
            holder = found
        wanted = self._names.field(holder.sobject, parts[-1], path)
        if wanted.name in holder.fields and len(parts) == 1:
            raise self._names.error(
                path.position, f"duplicate field selected: {wanted.name}", "INVALID_FIELD"
            )
        holder.fields[wanted.name] = wanted

    def _select_polymorphic(self, holder: Selection, link: Field, part: str, path: Path) -> None:
        kind = self._names.polymorphic(holder.alias, link, "type", path)
        found = holder.fields.setdefault(
            str(link.relationship), Selection(sobject=holder.sobject, alias=holder.alias, parent_type=kind)
        )
        assert isinstance(found, Selection)
        found.fields[part.capitalize()] = self._names.polymorphic(holder.alias, link, part.lower(), path)

    def _check_field_set(self, query: Query, item: FieldSet) -> None:
        if item.kind != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_ALL):
            message = (
                "The SOQL FIELDS function must have a LIMIT of at most 200. Add a LIMIT clause of 200 or less"
                " to your query."
            )
            raise self._names.error(item.position, message, "MALFORMED_QUERY")

    def _semi_join(self, query: Query) -> str:
        inner = self._names.scope(query)
        if len(query.items) != 1 or not isinstance(query.items[0], Path) or query.limit is not None:
            raise self._names.error(
                query.object_position, "semi join sub-selects can only select one field", "MALFORMED_QUERY"
            )
        wanted = self._names.column(inner, query.items[0])
        if wanted.field.type not in ("id", "reference"):
            raise self._names.error(
                query.object_position, "semi join sub-selects can only query id fields", "MALFORMED_QUERY"
            )
        body = self._body(inner, also=f"{wanted.sql} IS NOT NULL")
        return f"SELECT {wanted.sql} FROM {body}"  # noqa: S608  # names of the schema

    def _ordering(self, scope: Scope, order: Ordering) -> str:
        if isinstance(order.path, Aggregate):
            sql, collation = self._aggregate_sql(scope, order.path), ""
        else:
            column = self._names.column(scope, order.path)
            if not column.field.filterable:
                raise self._names.error(
                    order.path.position,
                    f"field '{column.field.name}' can not be sorted in a query call",
                    "MALFORMED_QUERY",
                )
            sql = column.sql
            collation = " COLLATE NOCASE" if column.field.column_kind == "TEXT" else ""
        direction = "DESC" if order.descending else "ASC"
        return f"{sql}{collation} {direction} NULLS {'LAST' if order.nulls_last else 'FIRST'}"

    def _aggregate_sql(self, scope: Scope, item: Aggregate) -> str:
        if item.path is None:
            return "count(*)"
        column = self._conditions.filterable(scope, item.path)
        if item.function in ("SUM", "AVG") and column.field.type not in NUMERIC:
            message = f"field {column.field.name} does not support aggregate operator {item.function}"
            raise self._names.error(item.position, message, "MALFORMED_QUERY")
        if item.function == "COUNT_DISTINCT":
            return f"count(DISTINCT {column.sql})"
        return f"{item.function.lower()}({column.sql})"

    def _groupable(self, scope: Scope, path: Path) -> str:
        column = self._names.column(scope, path)
        if not column.field.filterable or column.field.type in NUMERIC | {"datetime"}:
            raise self._names.error(
                path.position,
                f"field '{column.field.name}' can not be grouped in a query call",
                "INVALID_FIELD",
            )
        return column.sql
