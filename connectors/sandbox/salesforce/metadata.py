"""The Metadata API's SOAP door: deploy, checkDeployStatus and listMetadata.

Source: "deploy()", "checkDeployStatus()", "DeployResult" and "listMetadata()", Metadata API Developer Guide.
A deploy is done by the time it is first asked for, as a small one in a quiet org nearly is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape

from connectors.sandbox.salesforce.auth import Auth
from connectors.sandbox.salesforce.call import Org
from connectors.sandbox.salesforce.custom_field import NAMESPACE, text
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.outcome import Outcome
from connectors.sandbox.salesforce.package import Deployment, PackageRefusedError
from connectors.sandbox.salesforce.package_parts import held
from connectors.sandbox.wire import Request, Response

_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
MAX_LISTED = 3  # types of a listMetadata call
LISTED = frozenset(
    {
        "Dashboard",
        "DashboardFolder",
        "LightningComponentBundle",
        "ListView",
        "PermissionSetGroup",
        "Report",
        "ReportFolder",
        "ReportType",
    }
)
_XML = {"Content-Type": "text/xml;charset=UTF-8"}


def endpoint(request: Request) -> str:
    """metadata.deploy, metadata.status, metadata.list or metadata.unknown, from the SOAPAction."""
    action = request.headers.get("soapaction", "").strip('"')
    known = {
        "deploy": "metadata.deploy",
        "checkDeployStatus": "metadata.status",
        "listMetadata": "metadata.list",
    }
    return known.get(action, "metadata.unknown")


def handle(request: Request, org: Org, auth: Auth) -> Response:
    """The SOAP answer; a refusal is a fault with status 500, as SOAP has it."""
    try:
        envelope = fromstring(request.body)  # noqa: S314  # a loopback stand-in; expat refuses entity bombs
    except ParseError as error:
        return _fault("soapenv:Client", f"The request is no XML: {error}")
    session = envelope.find(f"{_ENVELOPE}Header/{NAMESPACE}SessionHeader")
    token = text(session, "sessionId") if session is not None else None
    try:
        user_id = auth.user_of(token or "")
        org.quota.check()
    except RefusalError as refusal:
        first = refusal.errors[0]
        return _fault(f"sf:{first.code}", f"{first.code}: {first.message}")
    body = envelope.find(f"{_ENVELOPE}Body")
    asked = None if body is None or not len(body) else body[0]
    if asked is not None and asked.tag == NAMESPACE + "deploy":
        return _deploy(asked, org, user_id)
    if asked is not None and asked.tag == NAMESPACE + "checkDeployStatus":
        return _status(asked, org)
    if asked is not None and asked.tag == NAMESPACE + "listMetadata":
        return _listed(asked, org)
    return _fault(
        "sf:INVALID_OPERATION",
        "INVALID_OPERATION: the sandbox knows deploy, its status and listMetadata only",
    )


def _listed(asked: Element, org: Org) -> Response:
    """Every component of at most three kinds; reports and dashboards by the folder that they lie in."""
    queries = asked.findall(NAMESPACE + "queries")
    if len(queries) > MAX_LISTED:
        return _fault("sf:EXCEEDED_MAX_TYPES_LIMIT", "EXCEEDED_MAX_TYPES_LIMIT: at most 3 types")
    results = []
    for query in queries:
        kind, folder = text(query, "type") or "", text(query, "folder")
        if kind not in LISTED:
            return _fault("sf:INVALID_TYPE", f"INVALID_TYPE: Unknown type name '{kind}' specified")
        if kind == "PermissionSetGroup":
            names = [
                str(name) for (name,) in org.store.select("SELECT DeveloperName FROM PermissionSetGroup")
            ]
        else:
            names = list(held(org.store, kind))
        if kind in ("Report", "Dashboard"):
            names = [name for name in names if name.partition("/")[0] == folder]
        results += [
            f"<result><fullName>{escape(name)}</fullName><type>{kind}</type></result>"
            for name in sorted(names)
        ]
    return _reply("listMetadataResponse", "".join(results))


def _deploy(asked: Element, org: Org, user_id: str) -> Response:
    options = _child(asked, "DeployOptions")
    archive = _child(asked, "ZipFile")
    try:
        content = base64.b64decode((archive.text or "") if archive is not None else "", validate=False)
    except ValueError:
        return _fault("sf:INVALID_TYPE", "The ZipFile is not base64")
    check_only = options is not None and text(options, "checkOnly") in ("true", "True")
    deployment = Deployment(store=org.store, schema=org.schema, now=org.clock.stamp(), user_id=user_id)
    try:
        outcomes = deployment.apply(content, check_only=check_only)
    except PackageRefusedError as refused:
        outcomes = refused.outcomes
    job = salesforce_id("0Af", org.store.next_number("id:0Af"))
    org.store.meta[f"deploy:{job}"] = json.dumps([asdict(outcome) for outcome in outcomes])
    return _reply("deployResponse", f"<result><done>false</done><id>{job}</id><state>Queued</state></result>")


def _status(asked: Element, org: Org) -> Response:
    job = text(asked, "asyncProcessId") or ""
    kept = org.store.meta.get(f"deploy:{job}")
    if kept is None:
        return _fault("sf:INVALID_ID_FIELD", f"INVALID_ID_FIELD: invalid asyncProcessId: {job}")
    outcomes = [Outcome(**entry) for entry in json.loads(kept)]
    failed = [outcome for outcome in outcomes if outcome.problem]
    details = "".join(_message(outcome) for outcome in outcomes)
    status = "Failed" if failed else "Succeeded"
    return _reply(
        "checkDeployStatusResponse",
        f"<result><checkOnly>false</checkOnly><details>{details}</details><done>true</done><id>{job}</id>"
        f"<numberComponentErrors>{len(failed)}</numberComponentErrors>"
        f"<numberComponentsDeployed>{len(outcomes) - len(failed)}</numberComponentsDeployed>"
        f"<numberComponentsTotal>{len(outcomes)}</numberComponentsTotal>"
        "<numberTestErrors>0</numberTestErrors><numberTestsCompleted>0</numberTestsCompleted>"
        "<numberTestsTotal>0</numberTestsTotal><rollbackOnError>true</rollbackOnError>"
        f"<status>{status}</status><success>{str(not failed).lower()}</success></result>",
    )


def _message(outcome: Outcome) -> str:
    tag = "componentFailures" if outcome.problem else "componentSuccesses"
    parts: Sequence[tuple[str, object]] = (
        ("changed", outcome.changed),
        ("componentType", outcome.kind),
        ("created", outcome.created),
        ("deleted", outcome.deleted),
        ("fileName", outcome.file),
        ("fullName", outcome.name),
        ("problem", outcome.problem),
        ("problemType", "Error" if outcome.problem else None),
        ("success", outcome.problem is None),
    )
    inner = "".join(
        f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"
        for name, value in parts
        if value is not None
    )
    return f"<{tag}>{inner}</{tag}>"


def _child(element: Element, name: str) -> Element | None:
    """A child by name; simple-salesforce writes the WSDL's zipFile as ZipFile, which the vendor takes too."""
    wanted = (NAMESPACE + name).lower()
    return next((child for child in element if child.tag.lower() == wanted), None)


def _reply(tag: str, inner: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns="http://soap.sforce.com/2006/04/metadata"><soapenv:Body>'
        f"<{tag}>{inner}</{tag}></soapenv:Body></soapenv:Envelope>"
    )
    return Response(status=200, body=body.encode(), headers=_XML)


def _fault(code: str, message: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:sf="http://soap.sforce.com/2006/04/metadata"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>{escape(code)}</faultcode><faultstring>{escape(message)}</faultstring>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Response(status=500, body=body.encode(), headers=_XML, api_calls=0)
