"""POST search: records by filters, under the search index's own limits and delay.

Source: "Search the CRM": at most 5 filter groups of 6 filters, 18 in all, bodies of 3,000 characters, 200
records a page, 10,000 records a query; new and changed records show after a delay, archived ones never.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from connectors.sandbox.hubspot.associations import types_between
from connectors.sandbox.hubspot.call import Call, whole_of
from connectors.sandbox.hubspot.errors import invalid_json, refuse
from connectors.sandbox.hubspot.record_json import columns_of
from connectors.sandbox.hubspot.schema import (
    ARCHIVED,
    ID,
    LAG_ABSENT,
    LAG_SINCE,
    NUMBER,
    ObjectType,
    Property,
)
from connectors.sandbox.hubspot.values import iso, read_moment
from connectors.sandbox.store import Cell
from connectors.sandbox.wire import Response

MAX_BODY = 3_000
MAX_PAGE = 200
MAX_RESULTS = 10_000
MAX_GROUPS, MAX_FILTERS, MAX_ALL_FILTERS = 5, 6, 18
MAX_VALUES = 100

_COMPARE = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_LIST = {"IN": "IN", "NOT_IN": "NOT IN"}
_TOKENS = {"CONTAINS_TOKEN": "LIKE", "NOT_CONTAINS_TOKEN": "NOT LIKE"}
_PRESENCE = {"HAS_PROPERTY": "IS NOT NULL", "NOT_HAS_PROPERTY": "IS NULL"}


@dataclass(slots=True)
class _Condition:
    """A piece of SQL with the values bound in it; names in it come from the schema, values never."""

    sql: str = ""
    values: list[Cell] = field(default_factory=list)


def search(call: Call, object_name: str) -> Response:
    """The records that match, a page of them."""
    kind = call.object_type(object_name)
    if len(call.request.body.decode(errors="replace")) > MAX_BODY:
        raise refuse(f"The request body exceeds the limit of {MAX_BODY} characters.")
    body = call.body()
    limit, after = _whole(body, "limit", 10), _whole(body, "after", 0)
    if not 1 <= limit <= MAX_PAGE:
        raise refuse(f"limit must be between 1 and {MAX_PAGE}, was {limit}", propertyName="limit")
    if after + limit > MAX_RESULTS:
        message = f"Paging past {MAX_RESULTS} results is not supported: after {after}, limit {limit}"
        raise refuse(message, propertyName="after")
    where = _matching(call, kind, body)
    source = _source(call, kind)
    wanted = call.wanted(body)
    names = call.reader.names(kind, wanted)
    # table and columns come from the schema, every value is bound
    counting = f"SELECT count(*) FROM {source.sql} WHERE {where.sql}"  # noqa: S608
    counted = call.store.select(counting, source.values + where.values)
    statement = (
        f"SELECT {columns_of(names)} FROM {source.sql} WHERE {where.sql}"  # noqa: S608
        f" ORDER BY {_order(kind, body)} LIMIT ? OFFSET ?"
    )
    rows = call.store.select(statement, [*source.values, *where.values, limit, after])
    total = int(counted[0][0] or 0)
    answer: dict[str, object] = {"total": total, "results": call.reader.wire(kind, names, rows, wanted)}
    if after + limit < total:
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return Response.of(200, answer)


def _source(call: Call, kind: ObjectType) -> _Condition:
    """The records as the index shows them: what changed a moment ago stands as it was before."""
    shown_until = iso(call.now - timedelta(seconds=call.settings.index_lag))
    lag = kind.lag_table
    with call.store.transaction() as sql:
        sql.execute(f'DELETE FROM "{lag}" WHERE "{LAG_SINCE}" <= ?', (shown_until,))  # noqa: S608  # schema's names
        pending = sql.execute(f'SELECT count(*) FROM "{lag}"').fetchone()[0]  # noqa: S608
    if not pending:
        return _Condition(f'"{kind.name}"')
    columns = ", ".join(f'"{name}"' for name in kind.columns)
    union = (
        f'(SELECT {columns} FROM "{kind.name}" WHERE Id NOT IN (SELECT Id FROM "{lag}")'  # noqa: S608
        f' UNION ALL SELECT {columns} FROM "{lag}" WHERE "{LAG_ABSENT}" = 0'
        f' AND rowid IN (SELECT min(rowid) FROM "{lag}" GROUP BY Id))'
    )
    return _Condition(union)


def _matching(call: Call, kind: ObjectType, body: Mapping[str, object]) -> _Condition:
    given = body.get("filterGroups")
    groups = [] if given is None else given
    if not isinstance(groups, list):
        raise invalid_json("filterGroups must be a list")
    listed = [_filters(group) for group in groups]
    if len(listed) > MAX_GROUPS:
        raise refuse(f"The maximum number of filter groups is {MAX_GROUPS}, was {len(listed)}")
    if any(len(filters) > MAX_FILTERS for filters in listed) or sum(map(len, listed)) > MAX_ALL_FILTERS:
        raise refuse(f"The maximum is {MAX_FILTERS} filters in a group and {MAX_ALL_FILTERS} in all")
    result = _Condition(f'"{ARCHIVED}" = 0')
    either = [_every([_filter(call, kind, entry) for entry in filters]) for filters in listed if filters]
    if either:
        result.sql += f" AND ({' OR '.join(one.sql for one in either)})"
        result.values += [value for one in either for value in one.values]
    query = body.get("query")
    if query:
        names = [name for name in kind.default if kind.properties[name].type == "string"]
        result.sql += " AND (" + (" OR ".join(f'"{name}" LIKE ?' for name in names) or "0") + ")"
        result.values += [f"%{query}%"] * len(names)
    return result


def _filters(group: object) -> list[dict[str, object]]:
    filters = group.get("filters") if isinstance(group, dict) else None
    if not isinstance(filters, list) or not all(isinstance(entry, dict) for entry in filters):
        raise invalid_json("Some required fields were not set: [filters]")
    return filters


def _every(conditions: Sequence[_Condition]) -> _Condition:
    joined = " AND ".join(one.sql for one in conditions)
    return _Condition(f"({joined})", [value for one in conditions for value in one.values])


def _filter(call: Call, kind: ObjectType, entry: Mapping[str, object]) -> _Condition:
    name, operator = str(entry.get("propertyName")), str(entry.get("operator"))
    if name.startswith("associations."):
        return _associated(call, kind, name, operator, entry)
    prop = kind.properties.get(name)
    if prop is None:
        raise refuse(
            f"There was a problem with the request. Property {name} does not exist", propertyName=name
        )
    column = _column(prop)
    if operator in _PRESENCE:
        if entry.get("value") is not None:
            raise refuse(f"{operator} takes no value", propertyName=name)
        return _Condition(f'"{name}" {_PRESENCE[operator]}' if name != ID else _always(operator))
    if operator in _COMPARE:
        return _Condition(f"{column} {_COMPARE[operator]} ?", [_operand(prop, entry.get("value"))])
    if operator == "BETWEEN":
        bounds = [_operand(prop, entry.get("value")), _operand(prop, entry.get("highValue"))]
        return _Condition(f"{column} BETWEEN ? AND ?", bounds)
    if operator in _LIST:
        values = _values(prop, entry)
        # "Search the CRM": of strings, IN and NOT_IN compare the index's lower case with the values as given
        compared = f'lower("{name}")' if prop.type == "string" else column
        return _Condition(f"{compared} {_LIST[operator]} ({', '.join('?' * len(values))})", values)
    if operator in _TOKENS and prop.type in ("string", "enumeration"):
        pattern = str(_operand(prop, entry.get("value"))).replace("*", "%")
        spaced = f"' ' || \"{name}\" || ' '"
        return _Condition(f"{spaced} {_TOKENS[operator]} ?", [f"% {pattern} %"])
    raise refuse(
        f"Operator {operator} is not supported for the {prop.type} property {name}", propertyName=name
    )


def _always(operator: str) -> str:
    return "1" if operator == "HAS_PROPERTY" else "0"


def _associated(
    call: Call, kind: ObjectType, name: str, operator: str, entry: Mapping[str, object]
) -> _Condition:
    """ "Search the CRM": `associations.{object}` finds records that are associated with the ids given."""
    other = call.schema.find(name.removeprefix("associations."))
    if other is None or not types_between(kind.name, other.name) or operator not in ("EQ", "IN"):
        raise refuse(
            f"There was a problem with the request. {name} {operator} is not supported", propertyName=name
        )
    ids = [entry.get("value")] if operator == "EQ" else entry.get("values")
    if not isinstance(ids, list) or any(whole_of(one) is None for one in ids):
        raise refuse(f"{name} takes record ids", propertyName=name)
    marks = ", ".join("?" * len(ids))
    found = (
        f'"{NUMBER}" IN (SELECT from_id FROM associations'  # noqa: S608  # only marks are added
        f" WHERE from_object = ? AND to_object = ? AND to_id IN ({marks}))"
    )
    return _Condition(found, [kind.name, other.name, *(int(one) for one in ids)])


def _column(prop: Property) -> str:
    if prop.name == ID:
        return f'"{NUMBER}"'
    return f'CAST("{prop.name}" AS REAL)' if prop.type == "number" else f'"{prop.name}"{_case(prop)}'


def _case(prop: Property) -> str:
    return " COLLATE NOCASE" if prop.type == "string" else ""


def _values(prop: Property, entry: Mapping[str, object]) -> list[Cell]:
    values = entry.get("values")
    if not isinstance(values, list) or not values:
        raise refuse("IN and NOT_IN take a list of values", propertyName=prop.name)
    if len(values) > MAX_VALUES:
        raise refuse(
            f"IN and NOT_IN take at most {MAX_VALUES} values, were {len(values)}", propertyName=prop.name
        )
    return [_operand(prop, value) for value in values]


def _operand(prop: Property, value: object) -> Cell:
    text = "" if value is None else str(value)
    if text == "":
        raise refuse(f"A value is needed to compare {prop.name} with", propertyName=prop.name)
    if prop.type == "number":
        try:
            return float(text) if prop.name != ID or whole_of(text) is None else int(text)
        except ValueError:
            raise refuse(f"{text} is not a number, which {prop.name} is", propertyName=prop.name) from None
    if prop.type in ("date", "datetime"):
        found = read_moment(text)
        if found is None:
            raise refuse(f"{text} is not a moment, which {prop.name} is", propertyName=prop.name)
        return found.date().isoformat() if prop.type == "date" else iso(found)
    return text


def _order(kind: ObjectType, body: Mapping[str, object]) -> str:
    sorts = body.get("sorts") or []
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise refuse("Only one sort is supported")
    if not sorts:
        return f'"{kind.created}", "{NUMBER}"'
    given = sorts[0]
    name, direction = (
        (given.get("propertyName"), given.get("direction", "ASCENDING"))
        if isinstance(given, dict)
        else (given, "ASCENDING")
    )
    if name not in kind.properties:
        raise refuse(f"Cannot sort by {name}: no such property", propertyName=str(name))
    if direction not in ("ASCENDING", "DESCENDING"):
        raise refuse(f"Cannot sort {direction}", propertyName=str(name))
    towards = "DESC" if direction == "DESCENDING" else "ASC"
    column = _column(kind.properties[str(name)])
    return column + f" {towards}" + ("" if name == ID else f', "{NUMBER}"')


def _whole(body: Mapping[str, object], name: str, default: int) -> int:
    value = body.get(name)
    if value in (None, ""):
        return default
    found = whole_of(value)
    if found is None:
        raise refuse(f"{name} must be a whole number, was {value}", propertyName=name)
    return found
