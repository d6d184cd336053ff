"""HubSpot's wire: which address and method leads to which answer, in the v3/v4 paths and in the dated ones.

Source: "API reference overview", 2026-03 and 2026-09: every address is /api-name/{version}/resource, where
before it was /crm/v3/api-name/resource; the resources below are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock
from connectors.sandbox.hubspot import account_calls, association_calls, batch, objects, property_calls
from connectors.sandbox.hubspot.account import APP_ID, AccountFacts, open_or_create_account
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.auth import Auth
from connectors.sandbox.hubspot.call import Call, Settings
from connectors.sandbox.hubspot.errors import Problem, RefusalError, method_not_allowed, no_such_address
from connectors.sandbox.hubspot.limits import BURST, DAILY, SECONDLY, RateLimits, too_many
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.person import edit_as_person
from connectors.sandbox.hubspot.record_json import Reader
from connectors.sandbox.hubspot.records import Actor, Records
from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.hubspot.search import search
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response

Handler = Callable[..., Response]

READ, WRITE = "read", "write"
DATED = ("2026-03", "2026-09")


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
        verb: Method(name=name, handler=handler, access=access, scope=scope)
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
    _route("account-info", "/details", scope="oauth", GET=("account.details", account_calls.details, READ)),
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
    r"/crm/v(?P<number>[34])/(?P<api>objects|associations|properties|owners|pipelines|limits)(?P<rest>/.*)?\Z"
)
_ACCOUNT = re.compile(r"/(?P<api>account-info)/(?P<version>[^/]+)(?P<rest>/.*)\Z")
_BY_DATE = re.compile(
    r"/crm/(?P<api>objects|associations|properties|owners|pipelines|limits)/(?P<version>[^/]+)(?P<rest>/.*)?\Z"
)
_TOKEN = re.compile(r"/oauth/(v1|2026-03|2026-09)/token\Z")
_TOKEN_INFO = re.compile(r"/oauth/v1/access-tokens/(?P<token>[^/]+)\Z")
_PRIVATE_INFO = "/oauth/v2/private-apps/get/access-token-info"


class HubspotDialect:
    """Answers as a HubSpot account; `settings` are the fields of `Settings`."""

    def __init__(
        self, *, store: Store, audit: Audit, clock: Clock, folder: Path, url: str, **settings: int
    ) -> None:
        self._store, self._audit, self._clock, self._url = store, audit, clock, url
        self._settings = Settings(**settings)
        self._schema = Schema(store)
        self._associations = Associations(store)
        self._reader = Reader(store=store, schema=self._schema, associations=self._associations)
        self._auth = Auth(store=store)
        self._limits = RateLimits(store=store, settings=self._settings)
        facts = AccountFacts.read(folder)
        AccountFacts(kind=facts.kind, portal_id=facts.portal_id, client_id=facts.client_id, url=url).write(
            folder
        )

    def endpoint(self, request: Request) -> str:
        """The endpoint's name for fault rules and the audit: companies.batch.update, deals.search, token."""
        if _TOKEN.match(request.path):
            return "token"
        if request.path == _PRIVATE_INFO or _TOKEN_INFO.match(request.path):
            return "token.info"
        if request.path.endswith("/api-usage/daily/private-apps"):
            return "account.usage"
        try:
            method, parts, _ = self._find(request)
        except RefusalError:
            return "unknown"
        kind = self._schema.find(parts["object_name"]) if "object_name" in parts else None
        return f"{kind.name}.{method.name}" if kind is not None else method.name

    def handle(self, request: Request) -> Response:
        """The account's answer."""
        if _TOKEN.match(request.path) and request.method == "POST":
            return self._auth.token(request)
        info = _TOKEN_INFO.match(request.path)
        if info is not None and request.method == "GET":
            return self._auth.token_info(info.group("token"))
        if request.path == _PRIVATE_INFO and request.method == "POST":
            return self._auth.private_info(request)
        try:
            token = self._auth.check(request)
        except RefusalError as refusal:
            return _free(refusal.problem.response())
        searching = request.path.rstrip("/").endswith("/search")
        policy = self._limits.admit(search=searching)
        response = too_many(policy) if policy is not None else self._answer(request)
        headers = self._limits.headers(search=searching, token=token)
        return Response(
            status=response.status,
            body=response.body,
            headers={**response.headers, **headers},
            api_calls=response.api_calls,
        )

    def refusal(self, status: int, code: str, message: str) -> Response:
        """An error in the vendor's shape; a 429's code is the policy's name."""
        if status == 429:
            return too_many(code if code in (BURST, DAILY, SECONDLY) else BURST)
        return Problem(category=code, message=message, status=status).response()

    def expire(self, request: Request) -> None:
        """Make the request's token invalid for good."""
        self._auth.expire(request)

    def edit(self, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
        """The account's administrator changes a record by hand."""
        edit_as_person(self._store, self._clock.now(), object_name, record_id, values)

    def headers(self, response: Response) -> Mapping[str, str]:  # noqa: ARG002  # the seam's signature
        """None: what a reply carries depends on the call, so `handle` adds it."""
        return {}

    def _answer(self, request: Request) -> Response:
        try:
            with self._store.transaction():
                call = self._call(request)
                if request.path.endswith("/api-usage/daily/private-apps") and request.method == "GET":
                    self._auth.require("oauth")
                    return account_calls.usage(call, self._limits)
                method, parts, _ = self._find(request)
                self._auth.require(self._scope(call, method, parts))
                response = method.handler(call, **parts)
                call.records.flush()
                return response
        except RefusalError as refusal:
            return refusal.problem.response()

    def _call(self, request: Request) -> Call:
        now = self._clock.now()
        actor = Actor(by=f"app:{APP_ID}", now=now, request=request.number, locked=request.locked)
        lag = float(self._settings.index_lag)
        records = Records(
            store=self._store, schema=self._schema, audit=self._audit, actor=actor, lag_seconds=lag
        )
        return Call(
            request=request,
            now=now,
            settings=self._settings,
            store=self._store,
            schema=self._schema,
            associations=self._associations,
            reader=self._reader,
            records=records,
            linker=Linker(schema=self._schema, associations=self._associations, records=records),
            url=self._url,
        )

    def _find(self, request: Request) -> tuple[Method, dict[str, str], str]:
        """The method, the parts of the path and the version. Raises RefusalError 404 or 405."""
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

    def _scope(self, call: Call, method: Method, parts: Mapping[str, str]) -> str | None:
        """The scope that a call needs: "Scopes", and the list at each endpoint's page."""
        if method.scope is not None:
            return method.scope
        name = parts.get("object_name") or parts.get("from_name")
        kind = call.object_type(str(name))
        if kind.name == "tickets":
            return "tickets"
        about = "objects"
        if method.name.startswith(("properties.", "groups.", "pipelines.")):
            about = "schemas" if kind.scope in ("companies", "contacts", "deals") else "objects"
        return f"crm.{about}.{kind.scope}.{method.access}"


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
    dated = _BY_DATE.match(path) or _ACCOUNT.match(path)
    if dated is None:
        raise no_such_address()
    api, version, rest = dated.group("api"), dated.group("version"), dated.group("rest") or ""
    if version not in DATED and (api, version) != ("account-info", "v3"):
        raise no_such_address()
    if api == "objects" and re.match(r"/[^/]+/[^/]+/associations/", rest):
        api = "pairs"
    return api, version, rest


def _free(response: Response) -> Response:
    return Response(status=response.status, body=response.body, headers=response.headers, api_calls=0)


open_or_create = open_or_create_account
dialect = HubspotDialect
