"""HubSpot's addresses: which endpoint stands behind a path, in the v3/v4 dialect and in the dated ones.

Source: "API reference overview", 2026-03 and 2026-09: every address is /api-name/{version}/resource, where
before it was /crm/v3/api-name/resource; the resources below are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.sandbox.hubspot import (
    account_calls,
    association_calls,
    batch,
    list_calls,
    objects,
    property_calls,
    schema_calls,
)
from connectors.sandbox.hubspot.errors import method_not_allowed, no_such_address
from connectors.sandbox.hubspot.search import search
from connectors.sandbox.wire import Request, Response

Handler = Callable[..., Response]

READ, WRITE = "read", "write"
DATED = ("2026-03", "2026-09")
ENFORCED_SINCE = "2026-09"  # the version that checks what administrators made required


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What one HTTP method does at an address."""

    name: str
    handler: Handler
    access: str
    scope: str | None = None  # None: that of the object type


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An address below an API's name and version."""

    api: str
    pattern: re.Pattern[str]
    methods: Mapping[str, Method]


def _route(api: str, path: str, *, scope: str | None = None, **methods: tuple[str, Handler, str]) -> Route:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"/?\Z")
    found = {
        verb: Method(name=name, handler=handler, access=access, scope=scope and scope.format(access))
        for verb, (name, handler, access) in methods.items()
    }
    return Route(api=api, pattern=pattern, methods=found)


_PAIR = "/{from_name}/{record_id}/associations/{to_name}/{to_id}"
ROUTES = (
    _route("objects", "/{object_name}/batch/read", POST=("batch.read", batch.read, READ)),
    _route("objects", "/{object_name}/batch/create", POST=("batch.create", batch.create_all, WRITE)),
    _route("objects", "/{object_name}/batch/update", POST=("batch.update", batch.update_all, WRITE)),
    _route("objects", "/{object_name}/batch/upsert", POST=("batch.upsert", batch.upsert_all, WRITE)),
    _route("objects", "/{object_name}/batch/archive", POST=("batch.archive", batch.archive_all, WRITE)),
    _route("objects", "/{object_name}/search", POST=("search", search, READ)),
    _route("objects", "/{object_name}/merge", POST=("merge", objects.merge_records, WRITE)),
    _route(
        "objects",
        "/{object_name}",
        GET=("list", objects.list_records, READ),
        POST=("create", objects.create_record, WRITE),
    ),
    _route(
        "objects",
        "/{object_name}/{record_id}",
        GET=("read", objects.get_record, READ),
        PATCH=("update", objects.update_record, WRITE),
        DELETE=("archive", objects.archive_record, WRITE),
    ),
    _route(
        "pairs",
        "/{from_name}/{record_id}/associations/default/{to_name}/{to_id}",
        PUT=("associations.default", association_calls.put_default, WRITE),
    ),
    _route(
        "pairs",
        _PAIR,
        PUT=("associations.put", association_calls.put, WRITE),
        DELETE=("associations.delete", association_calls.delete, WRITE),
    ),
    _route(
        "pairs",
        "/{from_name}/{record_id}/associations/{to_name}",
        GET=("associations.of", association_calls.of_record, READ),
    ),
    _route(
        "associations",
        "/{from_name}/{to_name}/labels",
        GET=("associations.labels", association_calls.labels, READ),
    ),
    _route(
        "associations",
        "/{from_name}/{to_name}/batch/read",
        POST=("associations.batch.read", association_calls.read, READ),
    ),
    _route(
        "associations",
        "/{from_name}/{to_name}/batch/create",
        POST=("associations.batch.create", association_calls.create_all, WRITE),
    ),
    _route(
        "associations",
        "/{from_name}/{to_name}/batch/associate/default",
        POST=("associations.batch.default", association_calls.create_default_all, WRITE),
    ),
    _route(
        "associations",
        "/{from_name}/{to_name}/batch/archive",
        POST=("associations.batch.archive", association_calls.archive_all, WRITE),
    ),
    _route(
        "properties",
        "/{object_name}",
        GET=("properties.list", property_calls.list_all, READ),
        POST=("properties.create", property_calls.create_one, WRITE),
    ),
    _route(
        "properties",
        "/{object_name}/groups",
        GET=("groups.list", property_calls.list_groups, READ),
        POST=("groups.create", property_calls.create_group, WRITE),
    ),
    _route(
        "properties",
        "/{object_name}/groups/{name}",
        GET=("groups.read", property_calls.get_group, READ),
        DELETE=("groups.archive", property_calls.archive_group, WRITE),
    ),
    _route(
        "properties",
        "/{object_name}/batch/read",
        POST=("properties.batch.read", property_calls.read_all, READ),
    ),
    _route(
        "properties",
        "/{object_name}/batch/create",
        POST=("properties.batch.create", property_calls.create_all, WRITE),
    ),
    _route(
        "properties",
        "/{object_name}/batch/archive",
        POST=("properties.batch.archive", property_calls.archive_all, WRITE),
    ),
    _route(
        "properties",
        "/{object_name}/{name}",
        GET=("properties.read", property_calls.get_one, READ),
        PATCH=("properties.update", property_calls.update_one, WRITE),
        DELETE=("properties.archive", property_calls.archive_one, WRITE),
    ),
    _route("lists", "", scope="crm.lists.{}", POST=("lists.create", list_calls.create, WRITE)),
    _route("lists", "/search", scope="crm.lists.{}", POST=("lists.search", list_calls.search, READ)),
    _route(
        "lists",
        "/{list_id}",
        scope="crm.lists.{}",
        GET=("lists.read", list_calls.get_one, READ),
        DELETE=("lists.delete", list_calls.delete, WRITE),
    ),
    _route(
        "schemas",
        "",
        scope="crm.schemas.custom.{}",
        GET=("schemas.list", schema_calls.list_all, READ),
        POST=("schemas.create", schema_calls.create, WRITE),
    ),
    _route(
        "schemas",
        "/{custom}",
        scope="crm.schemas.custom.{}",
        GET=("schemas.read", schema_calls.get_one, READ),
        DELETE=("schemas.archive", schema_calls.archive, WRITE),
    ),
    _route(
        "owners", "", scope="crm.objects.owners.read", GET=("owners.list", account_calls.list_owners, READ)
    ),
    _route(
        "owners",
        "/{owner_id}",
        scope="crm.objects.owners.read",
        GET=("owners.read", account_calls.get_owner, READ),
    ),
    _route("pipelines", "/{object_name}", GET=("pipelines.list", account_calls.list_pipelines, READ)),
    _route(
        "pipelines", "/{object_name}/{pipeline_id}", GET=("pipelines.read", account_calls.get_pipeline, READ)
    ),
    _route(
        "pipelines",
        "/{object_name}/{pipeline_id}/stages",
        GET=("pipelines.stages", account_calls.list_stages, READ),
    ),
    _route(
        "account-info",
        "/api-usage/daily/private-apps",
        scope="oauth",
        GET=("account.usage", account_calls.usage, READ),
    ),
    _route("account-info", "/details", scope="oauth", GET=("account.details", account_calls.details, READ)),
    _route(
        "currencies",
        "/exchange-rates",
        scope="settings.currencies.read",
        GET=("currencies.rates", account_calls.list_rates, READ),
    ),
    _route(
        "limits",
        "/custom-object-types",
        scope="oauth",
        GET=("limits.custom", account_calls.custom_object_limits, READ),
    ),
    _route(
        "limits",
        "/custom-properties",
        scope="oauth",
        GET=("limits.properties", account_calls.custom_property_limits, READ),
    ),
    _route("limits", "/records", scope="oauth", GET=("limits.records", account_calls.record_limits, READ)),
)

_NUMBERED = re.compile(
    r"/crm/v(?P<number>[34])/(?P<api>objects|associations|properties|owners|pipelines|limits|lists)(?P<rest>/.*)?\Z"
)
_SCHEMAS = re.compile(r"/crm-object-schemas/(?P<version>[^/]+)/schemas(?P<rest>/.*)?\Z")
_NUMBERED_SETTINGS = re.compile(r"/settings/(?P<version>v3)/(?P<api>currencies)(?P<rest>/.*)\Z")
_SETTINGS = re.compile(r"/settings/(?P<api>currencies)/(?P<version>[^/]+)(?P<rest>/.*)\Z")
_ACCOUNT = re.compile(r"/(?P<api>account-info)/(?P<version>[^/]+)(?P<rest>/.*)\Z")
_BY_DATE = re.compile(
    r"/crm/(?P<api>objects|associations|properties|owners|pipelines|limits|lists)/(?P<version>[^/]+)(?P<rest>/.*)?\Z"
)


def find(request: Request) -> tuple[Method, dict[str, str], str]:
    """The endpoint, the parts of its path and the version. Raises RefusalError 404 or 405."""
    api, version, rest = _split(request.path)
    known = False
    for route in ROUTES:
        match = route.pattern.match(rest) if route.api == api else None
        if match is None:
            continue
        if request.method in route.methods:
            return route.methods[request.method], match.groupdict(), version
        known = True
    raise method_not_allowed(request.method) if known else no_such_address()


def _split(path: str) -> tuple[str, str, str]:
    """API name, version and the rest of a path. Raises RefusalError 404."""
    numbered = _NUMBERED.match(path)
    if numbered is not None:
        api, version, rest = (
            numbered.group("api"),
            f"v{numbered.group('number')}",
            numbered.group("rest") or "",
        )
        paired = api == "objects" and version == "v4"
        if (api == "associations") != (version == "v4") and not paired:
            raise no_such_address()
        return ("pairs" if paired else api), version, rest
    schemas = _SCHEMAS.match(path)
    if schemas is not None and schemas.group("version") in ("v3", *DATED):
        return "schemas", schemas.group("version"), schemas.group("rest") or ""
    settings = _NUMBERED_SETTINGS.match(path)
    if settings is not None:
        return settings.group("api"), settings.group("version"), settings.group("rest")
    dated = _BY_DATE.match(path) or _SETTINGS.match(path) or _ACCOUNT.match(path)
    if dated is None:
        raise no_such_address()
    api, version, rest = dated.group("api"), dated.group("version"), dated.group("rest") or ""
    if version not in DATED and (api, version) != ("account-info", "v3"):
        raise no_such_address()
    if api == "objects" and re.match(r"/[^/]+/[^/]+/associations/", rest):
        api = "pairs"
    return api, version, rest
