"""simple-salesforce with the traps taken out: one refresh, headers kept, our errors, counted calls.

What it changes in the library's behaviour (all measured on 1.12.10): its own retry after a 401 drops
the caller's headers and has no end; it waits without a timeout; it asks for pretty-printed JSON; its
Metadata API helper leaves its text/xml header behind in every later REST call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO, Any, Final
from urllib.parse import quote_plus

import requests
import simple_salesforce

from connectors.budget import Budget
from connectors.crm import Usage
from connectors.errors import AmbiguousError, LoginError, SetupError, TerminalError
from connectors.pace import LocalPace, Pace, Rate
from connectors.salesforce.auth import Token, log_in
from connectors.salesforce.errors import SESSION_EXPIRED, error_of
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.versions import check_version, versions_of
from connectors.transport import HttpDoor, RetryPolicy

_NO_SUCH_VERSION: Final = frozenset({400, 404, 410})  # what a version that the org lacks may be answered with
_QUERIES: Final = 5  # in a Composite call: "Composite", REST API Developer Guide
_USAGE: Final = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")


class TooManyRowsError(Exception):
    """A query finds more rows than its caller wants page by page."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"{rows} rows")
        self.rows = rows


class SalesforceClient(simple_salesforce.Salesforce):  # type: ignore[misc]  # the library ships no usable types
    """The library's client on our HTTP door; every call ends in a result or in one of our errors."""

    def __init__(
        self,
        settings: SalesforceSettings,
        *,
        door: HttpDoor,
        retry: RetryPolicy,
        budget: Budget | None,
        now: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self.settings = settings
        self.door = door
        self.retry = retry
        self._budget = budget
        self._pace = pace if pace is not None else LocalPace(sleep=retry.sleep)
        self._at_once = Rate(name="at once", calls=settings.calls_at_once, seconds=0.0, strict=True)
        self._now = now
        self._calls = 0
        self._org_usage: tuple[int, int] | None = None
        token = self._log_in()
        self._knows_version = False  # whether a call below our API version was answered well
        super().__init__(
            session_id=token.access_token,
            instance_url=token.instance_url,
            version=settings.api_version,
            session=door,
            object_pairs_hook=None,  # plain dicts parse in C
        )
        self._take(token)

    def read(self, path: str, *, params: Mapping[str, str] | None = None) -> Any:
        """The JSON of a GET below /services/data/vXX.X/."""
        return self.restful(path, params=params)

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a POST that only reads, so a lost reply is no reason not to send it again."""
        return self.restful(path, method="POST", data=encode(body), reading=True)

    def describe_all(self, object_names: Sequence[str]) -> Mapping[str, Any]:
        """Each object's describe, or None where there is none, in one API call; without those that failed.

        None of them where the org refuses the call: then they are asked for one by one."""
        replies = self._together([f"sobjects/{name}/describe" for name in object_names])
        told = zip(object_names, replies, strict=True)
        return {
            name: body if status == 200 else None for name, (status, body) in told if status in {200, 404}
        }

    def first_pages(self, queries: Sequence[tuple[str, bool]]) -> list[Mapping[str, Any] | None]:
        """The first page of each query in one API call, None for one that failed: it is to be asked alone.

        At most five queries; with each, whether it asks queryAll."""
        asked = [f"{'queryAll' if deleted else 'query'}/?q={quote_plus(soql)}" for soql, deleted in queries]
        return [body if status == 200 else None for status, body in self._together(asked)]

    def _together(self, paths: Sequence[str]) -> list[tuple[int, Any]]:
        """Status and body of several GETs by one Composite call; status 0 where the org refuses the call."""
        root = f"/services/data/v{self.settings.api_version}"
        asked = [
            {"method": "GET", "url": f"{root}/{path}", "referenceId": f"part{place}"}
            for place, path in enumerate(paths)
        ]
        try:
            replies = self.ask("composite", {"compositeRequest": asked})["compositeResponse"]
        except LoginError:
            raise
        except (SetupError, TerminalError):
            replies = []
        told = {reply["referenceId"]: (reply["httpStatusCode"], reply["body"]) for reply in replies}
        return [told.get(f"part{place}", (0, None)) for place in range(len(paths))]

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a write, sent once: the caller counts its calls. AmbiguousError: its reply was lost,
        or tells nothing, whatever status it has."""
        try:
            return self.restful(path, method=method, data=encode(body), once=True)
        except TerminalError as error:
            if error.status is None or error.status >= 300:
                raise
            raise AmbiguousError(
                f"Salesforce's reply to {method} {path} does not say what became of it."
            ) from None

    def set_up(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a write to the org's setup, tried again while it certainly was not done."""
        return self.restful(path, method=method, data=encode(body))

    def change(self, path: str, body: Mapping[str, Any]) -> None:
        """A PATCH in the org's setup that answers nothing, tried again while it certainly was not done."""
        self._call_salesforce("PATCH", f"{self.base_url}{path}", name=path, data=encode(body))

    def download(self, path: str, params: Mapping[str, str], file: IO[bytes]) -> Mapping[str, str]:
        """The headers of a GET whose body, in CSV, went into the file."""
        headers = {"Accept": "text/csv", "Content-Type": "application/json"}
        url = f"{self.base_url}{path}"
        reply = self._call_salesforce("GET", url, name=path, params=params, headers=headers, into=file)
        return reply.headers

    def pages(
        self,
        soql: str,
        *,
        deleted: bool = False,
        at_most: int | None = None,
        first: Mapping[str, Any] | None = None,
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Pages of a query's records, as many per page as the server likes; `deleted` asks queryAll.

        With the `first` page, where it is here already. Raises TooManyRowsError before the first page when
        the query finds more rows than `at_most`."""
        page = first if first is not None else self.query(soql, include_deleted=deleted)
        if at_most is not None and page["totalSize"] > at_most:
            raise TooManyRowsError(page["totalSize"])
        while True:
            yield page["records"]
            if page["done"]:
                return
            page = self.query_more(page["nextRecordsUrl"], identifier_is_url=True)

    def records(self, soql: str, *, deleted: bool = False) -> Iterator[Mapping[str, Any]]:
        """A query's records, one by one."""
        for page in self.pages(soql, deleted=deleted):
            yield from page

    def put_csv(self, path: str, text: str) -> None:
        """Hand over the data of a job; once more only while they certainly did not arrive."""
        headers = {"Content-Type": "text/csv", "Accept": "application/json"}
        data = text.encode()
        self._call_salesforce("PUT", self.base_url + path, name=path, data=data, headers=headers)

    def csv(self, path: str) -> str:
        """The CSV of a GET; whether it is whole, its reader has to tell."""
        headers = {"Accept": "text/csv"}
        reply = self._call_salesforce("GET", self.base_url + path, name=path, headers=headers)
        return reply.content.decode("utf-8")

    def records_of(self, statements: Sequence[str], *, deleted: bool = False) -> Iterator[Mapping[str, Any]]:
        """The records of several queries, one query after the other; five of them are one API call."""
        for start in range(0, len(statements), _QUERIES):
            some = statements[start : start + _QUERIES]
            pages = self.first_pages([(each, deleted) for each in some]) if len(some) > 1 else [None]
            for statement, first in zip(some, pages, strict=True):
                if first is None:
                    yield from self.records(statement, deleted=deleted)
                    continue
                page = first
                yield from page["records"]
                while not page["done"]:
                    page = self.query_more(page["nextRecordsUrl"], identifier_is_url=True)
                    yield from page["records"]

    @property
    def mdapi(self) -> Any:
        """The Metadata API, with headers of its own."""
        api = super().mdapi
        api.headers = dict(self.headers)
        return api

    @property
    def usage(self) -> Usage:
        """API calls of this connection, and the org's from the last reply."""
        used, limit = self._org_usage if self._org_usage is not None else (None, None)
        ours = None if self._budget is None else self._budget.spent()
        waited = self._pace.waited
        return Usage(calls=self._calls, org_used=used, org_limit=limit, waited=waited, ours=ours)

    def at_once(self) -> AbstractContextManager[None]:
        """A turn for one call, which it has until its reply is there."""
        return self._pace.turn(self._at_once)

    def close(self) -> None:
        """Give back the connections, and what was booked of the budget."""
        if self._budget is not None:
            self._budget.close()
        self._pace.close()
        self.door.close()

    def versions(self) -> list[str]:
        """The versions of its API that the org answers to, oldest first; none where it does not tell."""
        return versions_of(self.instance_url, self.door)

    def refresh(self) -> None:
        """Log in again."""
        self._take(self._log_in())

    def count(self, reply_headers: Mapping[str, str] | None = None) -> None:
        """Book one API call before it leaves, or take over the org's figures from its reply."""
        if reply_headers is None:
            if self._budget is not None:
                self._budget.spend()
            self._calls += 1
            return
        told = _USAGE.search(reply_headers.get("Sforce-Limit-Info", ""))
        if told is not None:
            used, limit = int(told[1]), int(told[2])
            self._org_usage = (used, limit)
            if self._budget is not None:
                self._budget.observe(used=used, limit=limit)

    def _call_salesforce(
        self,
        method: str,
        url: str,
        name: str = "",
        retries: int = 0,  # noqa: ARG002  # the library's signature
        max_retries: int = 3,  # noqa: ARG002
        *,
        reading: bool = False,
        once: bool = False,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> requests.Response:
        """The library's one way to the network, replaced."""
        safe = reading or method in {"GET", "HEAD"}
        what = f"{method} {name or 'the call'}".removesuffix("/")
        own = dict(headers or {})

        def call() -> requests.Response:
            return self._with_one_refresh(method, url, what=what, safe=safe, headers=own, **options)

        return call() if once else self.retry.run(call, resend_lost=safe)

    def _with_one_refresh(
        self, method: str, url: str, *, what: str, safe: bool, headers: Mapping[str, str], **options: Any
    ) -> requests.Response:
        """The good reply; an expired session is renewed once, and the second refusal is final."""
        for last in (False, True):
            self.count()
            with self.at_once():
                reply = self.door.request(method, url, headers={**self.headers, **headers}, **options)
            self.count(reply.headers)
            if reply.status_code < 300:
                self._knows_version = True
                if options.get("into") is None:
                    self._check_complete(reply, what=what)
                return reply
            if reply.status_code in _NO_SUCH_VERSION and not self._knows_version:
                check_version(self.settings, self.instance_url, self.door)
            if reply.status_code != 401:  # "the session ID or OAuth token used has expired or is invalid"
                raise error_of(reply, what=what, writing=not safe, redact=self.door.redact)
            if not last:
                self.refresh()
        raise LoginError(
            "Salesforce gives a token and then refuses it.",
            record=str(self.sf_instance),
            status=401,
            vendor_code=SESSION_EXPIRED,
            fix="Check the user's session settings (IP ranges, locked sessions) and the app's policies.",
        )

    def parse_result_to_json(self, result: requests.Response) -> Any:
        """The reply's JSON: an object or a list, as everything is that this API tells."""
        try:
            told = result.json()
        except ValueError:
            told = None
        if not isinstance(told, (dict, list)):
            raise TerminalError(
                "What answers there is not Salesforce's API: its reply is no JSON.",
                record=str(self.sf_instance),
                fix="Correct instance_url, or ask what stands between this machine and Salesforce.",
                status=result.status_code,
            )
        return told

    def _check_complete(self, reply: requests.Response, *, what: str) -> None:
        """Raise AmbiguousError unless a reply with a body ends as JSON ends: half a reply is a lost one."""
        if "csv" in reply.headers.get("Content-Type", ""):
            return
        if reply.content and reply.content[-16:].rstrip()[-1:] not in {b"}", b"]", b'"'}:
            raise AmbiguousError(
                f"Salesforce's reply to {what} is cut off after {len(reply.content):,} bytes.",
                record=str(self.sf_instance),
                status=reply.status_code,
            )

    def _log_in(self) -> Token:
        return log_in(self.settings, self.door, retry=self.retry, now=self._now)

    def _take(self, token: Token) -> None:
        """Use this token from now on, in REST and in the Metadata API."""
        self.session_id = token.access_token
        self.user_id = token.user_id
        self.scopes = token.scopes
        self.instance_url = token.instance_url
        self.door.speak_plain_http(token.instance_url)
        self.headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token.access_token}",
        }
        self._mdapi = None


def encode(body: Mapping[str, Any]) -> str:
    """JSON that has no NaN or infinity in it, which Python would write and Salesforce can't read."""
    return json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
