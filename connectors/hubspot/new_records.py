"""New records sent in one call, each result matched by the property that holds our key."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.crm import RowOutcome, RowResult
from connectors.errors import AmbiguousError
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.links import LinkType
from connectors.hubspot.write import Answer, Row, Writer, problems_of


def create(
    client: HubspotClient, writer: Writer, object_name: str, key_field: str, rows: Sequence[Row]
) -> Answer:
    """Send new records; a result is matched by its key, an error by the trace id that we gave it."""
    inputs = [
        {"properties": r.properties, "associations": list(r.links), "objectWriteTraceId": r.key} for r in rows
    ]
    reply = client.send(client.paths.batch(object_name, "create"), {"inputs": inputs})
    made = {
        str((each.get("properties") or {}).get(key_field) or each.get("objectWriteTraceId")): str(each["id"])
        for each in reply.get("results") or ()
        if each.get("id")
    }
    _, refused = problems_of(reply)
    answers = {}
    for each in rows:
        if each.key in made:
            answers[each.key] = RowResult(key=each.key, outcome=RowOutcome.APPLIED, id=made[each.key])
        elif each.key in refused:
            answers[each.key] = writer.refusal(each, refused[each.key])
    if len(answers) < len(rows):
        raise AmbiguousError(
            f"HubSpot's reply tells of {len(answers)} of {len(rows)} new {object_name}.",
            record=object_name,
            fix="They are looked for by their keys before anything is sent again.",
        )
    return answers


def link(identifier: str, kind: LinkType) -> dict[str, object]:
    """The association of a new record with one that is there."""
    return {
        "to": {"id": identifier},
        "types": [{"associationCategory": kind.category, "associationTypeId": kind.id}],
    }
