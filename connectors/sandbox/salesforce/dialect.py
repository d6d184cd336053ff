"""Salesforce's wire: which address and method leads to which answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce import (
    bulk,
    collections,
    composite,
    describe,
    ingest,
    metadata,
    records,
    tooling_fields,
)
from connectors.sandbox.salesforce.auth import Auth
from connectors.sandbox.salesforce.bulk_query import BulkQueries
from connectors.sandbox.salesforce.call import Call, Org
from connectors.sandbox.salesforce.errors import RefusalError, method_not_allowed, not_found
from connectors.sandbox.salesforce.ingest_jobs import IngestJobs
from connectors.sandbox.salesforce.limits import Quota
from connectors.sandbox.salesforce.org import INTEGRATION_USER_ID, OrgFacts, open_or_create_org
from connectors.sandbox.salesforce.person import edit_as_person
from connectors.sandbox.salesforce.query import Queries, soql_of
from connectors.sandbox.salesforce.schema import Schema, SObject
from connectors.sandbox.salesforce.sent import sent_rows
from connectors.sandbox.salesforce.tooling import Tooling, check_filter
from connectors.sandbox.salesforce.view import View
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response, SentRow

Handler = Callable[[Call], Response]

_TOOLING = "/tooling"  # the Tooling API's place below /services/data/vXX.X


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An address below /services/data/vXX.X and what each method does there, with its endpoint's name."""

    pattern: re.Pattern[str]
    methods: Mapping[str, tuple[str, Handler]]


def _route(path: str, **methods: tuple[str, Handler]) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(pattern=re.compile(pattern + r"/?\Z"), methods=methods)


def _query(call: Call, *, deleted_too: bool) -> Response:
    return _ask(call, find=call.view.find, base=call.base, deleted_too=deleted_too)


def _tooling_query(call: Call) -> Response:
    check_filter(soql_of(call.request))
    tooling = Tooling(call.org.store, call.org.schema)
    return _ask(call, find=tooling.find, base=call.base + _TOOLING, deleted_too=False)


def _ask(call: Call, *, find: Callable[[str], SObject | None], base: str, deleted_too: bool) -> Response:
    return call.org.queries.ask(
        soql_of(call.request),
        find=find,
        user_id=call.view.user_id,
        base=base,
        today=call.org.clock.now().date(),
        deleted_too=deleted_too,
        options=call.request.headers.get("sforce-query-options", ""),
    )


def _more(call: Call, *, api: str = "") -> Response:
    base = call.base + api
    return call.org.queries.more(call.parts["locator"], user_id=call.view.user_id, base=base)


def _describe(call: Call) -> Response:
    sobject = describe.find(call.view, call.parts["object"])
    return Response.of(200, describe.describe(sobject, call.view, call.version))


def _sobject(call: Call) -> Response:
    return Response.of(200, describe.basic(describe.find(call.view, call.parts["object"]), call.version))


ROUTES = (
    _route("", GET=("resources", lambda call: Response.of(200, describe.resources(call.version)))),
    _route("/limits", GET=("limits", lambda call: Response.of(200, call.org.quota.body()))),
    _route("/query", GET=("query", lambda call: _query(call, deleted_too=False))),
    _route("/queryAll", GET=("queryAll", lambda call: _query(call, deleted_too=True))),
    _route("/query/{locator}", GET=("query.more", _more)),
    _route("/queryAll/{locator}", GET=("query.more", _more)),
    _route("/limits/recordCount", GET=("recordCount", bulk.record_count)),
    _route("/jobs/query", POST=("bulk.query.create", bulk.create)),
    _route(
        "/jobs/query/{job}",
        GET=("bulk.query.info", bulk.info),
        PATCH=("bulk.query.change", bulk.change),
        DELETE=("bulk.query.delete", bulk.delete),
    ),
    _route("/jobs/query/{job}/results", GET=("bulk.query.results", bulk.results)),
    _route(f"{_TOOLING}/query", GET=("tooling.query", _tooling_query)),
    _route(f"{_TOOLING}/query/{{locator}}", GET=("query.more", lambda call: _more(call, api=_TOOLING))),
    _route(
        f"{_TOOLING}/sobjects/CustomField/{{id}}",
        GET=("tooling.field", tooling_fields.read),
        PATCH=("tooling.field.update", tooling_fields.update),
    ),
    _route(
        "/sobjects",
        GET=(
            "describe.global",
            lambda call: Response.of(200, describe.describe_global(call.view, call.version)),
        ),
    ),
    _route("/sobjects/{object}", GET=("sobject", _sobject), POST=("record.create", records.create)),
    _route("/sobjects/{object}/describe", GET=("describe", _describe)),
    _route(
        "/sobjects/{object}/{id}",
        GET=("record.read", records.read),
        PATCH=("record.update", records.update),
        DELETE=("record.delete", records.delete),
    ),
    _route(
        "/sobjects/{object}/{field}/{value}",
        GET=("external.read", records.read_external),
        PATCH=("external.upsert", records.upsert),
    ),
    _route("/composite", POST=("composite", composite.composite)),
    _route(
        "/composite/sobjects",
        POST=("collections.create", collections.create),
        PATCH=("collections.update", collections.update),
        DELETE=("collections.delete", collections.delete),
    ),
    _route(
        "/composite/sobjects/{object}",
        GET=("collections.read", collections.read),
        POST=("collections.read", collections.read),
    ),
    _route("/composite/sobjects/{object}/{field}", PATCH=("collections.upsert", collections.upsert)),
    _route("/jobs/ingest", POST=("ingest.create", ingest.create)),
    _route(
        "/jobs/ingest/{job}",
        GET=("ingest.info", ingest.info),
        PATCH=("ingest.close", ingest.change),
        DELETE=("ingest.delete", ingest.delete),
    ),
    _route("/jobs/ingest/{job}/batches", PUT=("ingest.upload", ingest.upload)),
    _route("/jobs/ingest/{job}/successfulResults", GET=("ingest.successful", ingest.successful)),
    _route("/jobs/ingest/{job}/failedResults", GET=("ingest.failed", ingest.failed)),
    _route("/jobs/ingest/{job}/unprocessedrecords", GET=("ingest.unprocessed", ingest.unprocessed)),
)

_TOKEN = "/services/oauth2/token"  # noqa: S105  # an address, not a secret
_DATA = re.compile(r"/services/data/(?P<version>v[^/]+)(?P<rest>/.*)?\Z")
_SOAP = re.compile(r"/services/Soap/m/(?P<version>[^/]+)(/.*)?\Z")


class SalesforceDialect:
    """Answers as a Salesforce org; `daily_calls` is the org's API quota for 24 hours."""

    def __init__(
        self, *, store: Store, audit: Audit, clock: Clock, folder: Path, url: str, daily_calls: int = 100_000
    ) -> None:
        self._org = Org(
            store=store,
            schema=Schema(store),
            audit=audit,
            clock=clock,
            queries=Queries(store),
            bulk=BulkQueries(store, clock),
            quota=Quota(store=store, clock=clock, daily=daily_calls),
        )
        self._auth = Auth(store=store, url=url)
        facts = OrgFacts.read(folder)
        OrgFacts(
            kind=facts.kind, org_id=facts.org_id, client_id=facts.client_id, username=facts.username, url=url
        ).write(folder)

    def endpoint(self, request: Request) -> str:
        """The endpoint's name for fault rules and the audit: query, collections.update, token, …"""
        if request.path == _TOKEN:
            return "token"
        if _SOAP.match(request.path):
            return metadata.endpoint(request)
        if request.path.rstrip("/") == "/services/data":
            return "versions"
        data = _DATA.match(request.path)
        for route in ROUTES if data is not None else ():
            if data is not None and route.pattern.match(data.group("rest") or ""):
                found = route.methods.get(request.method)
                if found is not None:
                    return found[0]
        return "unknown"

    def handle(self, request: Request) -> Response:
        """The org's answer."""
        if request.path == _TOKEN:
            if request.method != "POST":
                return method_not_allowed(request.method, "POST").response()
            return self._auth.token(request)
        if _SOAP.match(request.path):
            return metadata.handle(request, self._org, self._auth)
        if request.path.rstrip("/") == "/services/data":
            return Response.of(200, describe.versions(), api_calls=0)
        try:
            self._org.quota.check()
            user_id = self._auth.user(request)
        except RefusalError as refusal:
            response = refusal.response()
            return Response(status=response.status, body=response.body, headers=response.headers, api_calls=0)
        view = self._view(user_id)
        return self._dispatch(request, view)

    def refusal(self, status: int, code: str, message: str) -> Response:
        """An error in the vendor's shape."""
        return RefusalError(status, code, message).response()

    def rows(self, request: Request) -> Sequence[SentRow]:
        """The rows that a writing call carries; closing a job of ingest is what writes the job's."""
        if self.endpoint(request) == "ingest.close" and b"UploadComplete" in request.body:
            jobs = IngestJobs(self._org.store, self._org.clock)
            return jobs.sent(request.path.rstrip("/").rpartition("/")[2])
        return sent_rows(request, self.endpoint)

    def expire(self, request: Request) -> None:
        """Make the request's session invalid for good."""
        self._auth.expire(request)

    def edit(self, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
        """The org's administrator changes a record by hand."""
        edit_as_person(self._org.store, self._org.clock.stamp(), object_name, record_id, values)

    def headers(self, response: Response) -> Mapping[str, str]:
        """Sforce-Limit-Info on every reply that counts."""
        self._org.quota.count(response.api_calls)
        return {"Sforce-Limit-Info": self._org.quota.header()} if response.api_calls else {}

    def _view(self, user_id: str) -> View:
        return View(
            store=self._org.store,
            schema=self._org.schema,
            user_id=user_id,
            sees_all=user_id != INTEGRATION_USER_ID,
        )

    def _dispatch(self, request: Request, view: View) -> Response:
        """The answer to a REST call or to a subrequest of a composite call."""
        try:
            data = _DATA.match(request.path)
            if data is None:
                raise not_found()
            version = describe.checked_version(data.group("version"))
            rest = data.group("rest") or ""
            for route in ROUTES:
                match = route.pattern.match(rest)
                if match is None:
                    continue
                if request.method not in route.methods:
                    raise method_not_allowed(request.method, ",".join(sorted(route.methods)))
                call = Call(
                    request=request,
                    org=self._org,
                    view=view,
                    version=version,
                    parts=match.groupdict(),
                    dispatch=lambda inner: self._dispatch(inner, view),
                )
                return route.methods[request.method][1](call)
            raise not_found()
        except RefusalError as refusal:
            return refusal.response()


open_or_create = open_or_create_org
dialect = SalesforceDialect
