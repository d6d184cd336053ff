"""A HubSpot account answering: who asks, whether the limits admit it, and what the endpoint says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock
from connectors.sandbox.hubspot.account import APP_ID, AccountFacts, open_or_create_account
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.auth import Auth
from connectors.sandbox.hubspot.call import Call
from connectors.sandbox.hubspot.errors import Problem, RefusalError
from connectors.sandbox.hubspot.limits import BURST, DAILY, SECONDLY, RateLimits, too_many
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.person import edit_as_person
from connectors.sandbox.hubspot.record_json import Reader
from connectors.sandbox.hubspot.records import Actor, Records
from connectors.sandbox.hubspot.routes import ENFORCED_SINCE, Method, find
from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.hubspot.sent import sent_rows
from connectors.sandbox.hubspot.settings import Settings
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response, SentRow

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
        try:
            method, parts, _ = find(request)
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

    def rows(self, request: Request) -> Sequence[SentRow]:
        """The rows that a writing call carries."""
        try:
            method, parts, _ = find(request)
        except RefusalError:
            return []
        return sent_rows(request, method.name, parts)

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
                method, parts, version = find(request)
                call = self._call(request, version)
                self._auth.require(self._scope(call, method, parts))
                response = method.handler(call, **parts)
                call.records.flush()
                return response
        except RefusalError as refusal:
            return refusal.problem.response()

    def _call(self, request: Request, version: str) -> Call:
        now = self._clock.now()
        actor = Actor(by=f"app:{APP_ID}", now=now, request=request.number, locked=request.locked)
        records = Records(
            store=self._store,
            schema=self._schema,
            audit=self._audit,
            actor=actor,
            lag_seconds=float(self._settings.index_lag),
            enforce_required=version == ENFORCED_SINCE,
        )
        return Call(
            request=request,
            now=now,
            settings=self._settings,
            limits=self._limits,
            store=self._store,
            schema=self._schema,
            associations=self._associations,
            reader=self._reader,
            records=records,
            linker=Linker(schema=self._schema, associations=self._associations, records=records),
            url=self._url,
        )

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
            about = "schemas" if kind.scope in ("companies", "contacts", "deals", "custom") else "objects"
        return f"crm.{about}.{kind.scope}.{method.access}"


def _free(response: Response) -> Response:
    return Response(status=response.status, body=response.body, headers=response.headers, api_calls=0)


open_or_create = open_or_create_account
dialect = HubspotDialect
