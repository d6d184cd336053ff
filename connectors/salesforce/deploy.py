"""A Metadata API deploy, started and waited for, and what is there already.

Metadata API Developer Guide: "deploy()", "checkDeployStatus()", "DeployResult", "listMetadata()".
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from xml.sax.saxutils import escape

from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.util import call_salesforce

from connectors.errors import (
    AmbiguousError,
    LoginError,
    RemoteError,
    SetupError,
    TerminalError,
    TransientError,
)
from connectors.salesforce.client import SalesforceClient

T = TypeVar("T")

_FAULT: Final = re.compile(r"<faultcode[^>]*>(?:\w+:)?(\w+)</faultcode>")
_FAULT_TEXT: Final = re.compile(r"<faultstring[^>]*>(.*?)</faultstring>", re.S)
_FINISHED: Final = frozenset({"Succeeded", "SucceededPartial", "Failed", "Canceled"})
_LISTED: Final = 3  # kinds of a listMetadata call
_NAMED: Final = re.compile(r"<result>.*?<fullName>(.*?)</fullName>.*?<type>(.*?)</type>.*?</result>", re.S)
_LIST: Final = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:met="http://soap.sforce.com/2006/04/metadata"><soapenv:Header><met:SessionHeader>'
    "<met:sessionId>{session}</met:sessionId></met:SessionHeader></soapenv:Header><soapenv:Body>"
    "<met:listMetadata>{queries}<met:asOfVersion>{version}</met:asOfVersion></met:listMetadata>"
    "</soapenv:Body></soapenv:Envelope>"
)
_LONGEST: Final = 600.0  # seconds of waiting; a deploy of our size takes some seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFailure:
    """One thing that the org refused to create, in its own words."""

    file: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOutcome:
    """How a deploy ended; nothing of it stays unless `succeeded`."""

    succeeded: bool
    failures: tuple[ComponentFailure, ...]

    @property
    def said(self) -> str:
        """The org's own words, each once, the first five of them."""
        told = dict.fromkeys(
            f"{each.file}: {each.problem}" if each.file else each.problem for each in self.failures
        )
        return "; ".join(list(told)[:5]) or "no reason given"


class Deployer:
    """Deploys packages to one org; `sleep` is replaceable."""

    def __init__(self, client: SalesforceClient, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def deploy(self, package: bytes) -> DeployOutcome:
        """All or nothing: the outcome once the org has finished. Raises SetupError without the right to."""
        started = self._soap(
            lambda: self._client.mdapi.deploy(io.BytesIO(package), sandbox=False, client="Upswell"),
            reading=False,
        )
        job = started[0]
        if not job:
            raise TerminalError("Salesforce took the deploy and gave no id for it.", record="Metadata API")
        pause, waited = 0.1, 0.0
        while True:
            state, _, detail, _ = self._soap(
                lambda: self._client.mdapi.check_deploy_status(job, client="Upswell"), reading=True
            )
            if state in _FINISHED:
                return _outcome(str(state), detail)
            if waited >= _LONGEST:
                raise TransientError(
                    f"The deploy {job} has not finished after {waited:.0f} s.",
                    record="Metadata API",
                    fix="See Setup, Deployment Status; then run `upswell install` again.",
                )
            self._sleep(pause)
            waited += pause
            pause = min(pause * 2, 5.0)

    def there(self, kinds: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Kind and name of every component of these kinds in the org; with each, the folder it lies in.

        Raises SetupError without the right to see them."""
        found: set[tuple[str, str]] = set()
        for start in range(0, len(kinds), _LISTED):
            asked = "".join(_query(*each) for each in kinds[start : start + _LISTED])
            reply = self._soap(partial(self._list, asked), reading=True)
            found |= {(kind, name) for name, kind in _NAMED.findall(reply)}
        return frozenset(found)

    def _list(self, queries: str) -> str:
        """The reply of listMetadata; the library's own way to it parses the whole of its schema first."""
        client = self._client
        body = _LIST.format(
            session=escape(str(client.session_id)), queries=queries, version=client.settings.api_version
        )
        reply = call_salesforce(
            url=client.metadata_url,
            method="POST",
            session=client.session,
            headers=dict(client.headers),
            additional_headers={"Content-Type": "text/xml", "SOAPAction": "listMetadata"},
            data=body.encode(),
        )
        return str(reply.text)

    def _soap(self, call: Callable[[], T], *, reading: bool) -> T:
        """The call's result; an expired session is renewed once, a passing fault retried."""

        def once() -> T:
            for last in (False, True):
                self._client.count()
                try:
                    with self._client.at_once():
                        return call()
                except SalesforceError as error:
                    fault = self._fault(error, reading=reading)
                    if not isinstance(fault, LoginError) or last:
                        raise fault from None
                    self._client.refresh()
            raise AssertionError("the loop returns or raises")

        return self._client.retry.run(once, resend_lost=reading)

    def _fault(self, error: SalesforceError, *, reading: bool) -> RemoteError | SetupError:
        """Our exception for a SOAP fault."""
        body = str(error.content)
        code = next(iter(_FAULT.findall(body)), f"HTTP_{error.status}")
        said = " ".join("".join(_FAULT_TEXT.findall(body)[:1]).split())
        message = self._client.door.redact(f"Salesforce answered {code} to the install: {said[:500]}")
        if code == "INVALID_SESSION_ID":
            return LoginError(message, status=error.status, vendor_code=code)
        if code in {"INSUFFICIENT_ACCESS", "INVALID_OPERATION", "FUNCTIONALITY_NOT_ENABLED"}:
            return SetupError(
                message,
                record="Metadata API",
                fix="Run the install as a user who may 'Modify Metadata Through Metadata API Functions'.",
            )
        if code in {"SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW"}:
            return TransientError(message, status=error.status, vendor_code=code)
        if error.status in {500, 502, 503, 504} and code.startswith("HTTP_"):
            kind = TransientError if reading else AmbiguousError
            return kind(message, status=error.status, fix="Run `upswell install` again: it looks first.")
        return TerminalError(message, status=error.status, vendor_code=code)


def _query(kind: str, folder: str) -> str:
    within = f"<met:folder>{escape(folder)}</met:folder>" if folder else ""
    return f"<met:queries>{within}<met:type>{escape(kind)}</met:type></met:queries>"


def _outcome(state: str, detail: Any) -> DeployOutcome:
    errors = (detail or {}).get("errors") or []
    failures = tuple(
        ComponentFailure(file=str(each.get("file") or ""), problem=str(each.get("message") or ""))
        for each in errors
    )
    return DeployOutcome(succeeded=state == "Succeeded", failures=failures)
