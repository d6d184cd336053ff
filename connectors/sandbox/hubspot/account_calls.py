"""Calls about the account itself: owners, pipelines, details, usage, limits.

Sources: "Owners", "Pipelines", "Account information", "Currencies" and "Limits tracking", API reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sandbox.hubspot.call import Call, cursor_of
from connectors.sandbox.hubspot.errors import NOT_FOUND, refuse
from connectors.sandbox.hubspot.pipelines import PIPELINES, Pipeline, Stage
from connectors.sandbox.hubspot.schema import ARCHIVED
from connectors.sandbox.hubspot.schema_calls import MAX_OBJECTS
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.store import Cell
from connectors.sandbox.wire import Response

MAX_OWNERS = 500
HOME_CURRENCY = "USD"
_MAX_RATES = 100
_CUSTOM_PROPERTIES = 1_000  # an object, on every tier above Free
_RECORDS = 15_000_000
_OWNER_COLUMNS = "id, email, first_name, last_name, user_id, team_id, team, created_at, archived"

Entry = dict[str, object]


def list_owners(call: Call) -> Response:
    """GET owners, at most 500 a page."""
    limit = call.count("limit", default=100, highest=MAX_OWNERS)
    after = cursor_of(call.request.query.get("after"))
    email = call.request.query.get("email")
    rows = call.store.select(
        f"SELECT {_OWNER_COLUMNS} FROM owners WHERE archived = ? AND CAST(id AS INTEGER) > ?"  # noqa: S608  # our own list of columns
        " AND (?3 IS NULL OR email = ?3 COLLATE NOCASE) ORDER BY CAST(id AS INTEGER) LIMIT ?4",
        (int(call.flag("archived")), after, email, limit + 1),
    )
    body: Entry = {"results": [_owner(row) for row in rows[:limit]]}
    if len(rows) > limit:
        body["paging"] = {"next": {"after": str(rows[limit - 1][0]), "link": ""}}
    return Response.of(200, body)


def get_owner(call: Call, owner_id: str) -> Response:
    """GET one owner by its id, or by its user's with idProperty=userId."""
    column = "user_id" if call.request.query.get("idProperty") == "userId" else "id"
    rows = call.store.select(f"SELECT {_OWNER_COLUMNS} FROM owners WHERE {column} = ?", (owner_id,))  # noqa: S608  # one of two names
    if not rows:
        raise refuse(f"Owner {owner_id} does not exist", category=NOT_FOUND, status=404, id=owner_id)
    return Response.of(200, _owner(rows[0]))


def list_pipelines(call: Call, object_name: str) -> Response:
    """GET the pipelines of an object type."""
    kind = call.object_type(object_name)
    return Response.of(200, {"results": [_pipeline(call, one) for one in PIPELINES.get(kind.name, ())]})


def get_pipeline(call: Call, object_name: str, pipeline_id: str) -> Response:
    """GET one pipeline."""
    return Response.of(200, _pipeline(call, _found(call, object_name, pipeline_id)))


def list_stages(call: Call, object_name: str, pipeline_id: str) -> Response:
    """GET the stages of one pipeline."""
    return Response.of(200, {"results": _stages(call, _found(call, object_name, pipeline_id).stages)})


def list_rates(call: Call) -> Response:
    """GET exchange rates: what each currency was worth in the account's own, and since when."""
    limit = call.count("limit", default=100, highest=_MAX_RATES)
    after = cursor_of(call.request.query.get("after"))
    rows = call.store.select(
        "SELECT n, currency, rate, effective_at, created_at FROM exchange_rates WHERE n > ?"
        " ORDER BY n LIMIT ?",
        (after, limit + 1),
    )
    body: Entry = {"results": [_rate(row) for row in rows[:limit]]}
    if len(rows) > limit:
        body["paging"] = {"next": {"after": str(rows[limit - 1][0]), "link": ""}}
    return Response.of(200, body)


def details(call: Call) -> Response:
    """GET account-info details."""
    meta = call.store.meta
    body = {
        "portalId": int(meta["portal.id"]),
        "accountType": "STANDARD",
        "timeZone": "UTC",
        "companyCurrency": HOME_CURRENCY,
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": meta["portal.domain"],
        "dataHostingLocation": "na1",
    }
    return Response.of(200, body)


def usage(call: Call) -> Response:
    """GET the private app's calls of today."""
    entry = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.settings.daily,
        "currentUsage": call.limits.used,
        "collectedAt": iso(call.now),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(call.limits.resets_at),
    }
    return Response.of(200, {"results": [entry]})


def custom_object_limits(call: Call) -> Response:
    """GET how many custom objects may be defined: none below Enterprise."""
    limit = MAX_OBJECTS if call.settings.enterprise else 0
    used = len(call.schema.own_types())
    return Response.of(200, {"limit": limit, "usage": used, "percentage": used / limit if limit else 0.0})


def custom_property_limits(call: Call) -> Response:
    """GET custom properties by object type."""
    entries = []
    for kind in call.schema.types().values():
        used = sum(not prop.hubspot for prop in kind.properties.values())
        entry: Entry = {
            "objectTypeId": kind.type_id,
            "singularLabel": kind.singular,
            "pluralLabel": kind.plural,
        }
        entries.append(
            entry | {"limit": _CUSTOM_PROPERTIES, "usage": used, "percentage": used / _CUSTOM_PROPERTIES}
        )
    total, limit = sum(int(str(e["usage"])) for e in entries), _CUSTOM_PROPERTIES * len(entries)
    overall = {"overallLimit": limit, "overallUsage": total, "overallPercentage": total / limit}
    return Response.of(200, {"byObjectType": entries, **overall})


def record_limits(call: Call) -> Response:
    """GET records by object type."""
    entries = []
    for kind in call.schema.types().values():
        statement = f'SELECT count(*) FROM "{kind.name}" WHERE "{ARCHIVED}" = 0'  # noqa: S608  # schema's names
        used = int(call.store.select(statement)[0][0] or 0)
        entry: Entry = {
            "objectTypeId": kind.type_id,
            "singularLabel": kind.singular,
            "pluralLabel": kind.plural,
        }
        entries.append(entry | {"limit": _RECORDS, "usage": used, "percentage": used / _RECORDS})
    own = [each for each in entries if str(each["objectTypeId"]).startswith("2-")]
    entries = [each for each in entries if each not in own]
    limit, used = _RECORDS * bool(call.settings.enterprise), sum(int(str(each["usage"])) for each in own)
    custom: Entry = {
        "overallLimit": limit,
        "overallUsage": used,
        "overallPercentage": used / limit if limit else 0.0,
        "byObjectType": own,
    }
    return Response.of(200, {"hubspotDefinedObjectTypes": entries, "customObjectTypes": custom})


def _rate(row: Sequence[Cell]) -> Entry:
    number, currency, rate, effective_at, created_at = row
    return {
        "id": str(number),
        "fromCurrencyCode": currency,
        "toCurrencyCode": HOME_CURRENCY,
        "conversionRate": rate,
        "effectiveAt": effective_at,
        "createdAt": created_at,
        "updatedAt": created_at,
        "visibleInUI": True,
    }


def _owner(row: Sequence[Cell]) -> Entry:
    owner_id, email, first, last, user_id, team_id, team, created_at, archived = row
    return {
        "id": str(owner_id),
        "email": email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": None if archived else int(user_id or 0),
        "userIdIncludingInactive": int(user_id or 0),
        "createdAt": created_at,
        "updatedAt": created_at,
        "archived": bool(archived),
        "teams": [] if team is None else [{"id": str(team_id), "name": team, "primary": True}],
    }


def _found(call: Call, object_name: str, pipeline_id: str) -> Pipeline:
    kind = call.object_type(object_name)
    for pipeline in PIPELINES.get(kind.name, ()):
        if pipeline.id == pipeline_id:
            return pipeline
    raise refuse(f"Pipeline {pipeline_id} does not exist", category=NOT_FOUND, status=404, id=pipeline_id)


def _pipeline(call: Call, pipeline: Pipeline) -> Entry:
    made = call.store.meta["portal.created"]
    entry: Entry = {"id": pipeline.id, "label": pipeline.label, "displayOrder": 0, "archived": False}
    return entry | {"stages": _stages(call, pipeline.stages), "createdAt": made, "updatedAt": made}


def _stages(call: Call, stages: Sequence[Stage]) -> list[Entry]:
    made = call.store.meta["portal.created"]
    return [
        {
            "id": stage.id,
            "label": stage.label,
            "displayOrder": i,
            "metadata": stage.metadata,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "createdAt": made,
            "updatedAt": made,
            "archived": False,
        }
        for i, stage in enumerate(stages)
    ]
