"""What of ours the org has already, also what it hides from our user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.crm import FieldSchema
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.metadata_fields import object_of
from connectors.salesforce.schema import Described, Schemas
from connectors.salesforce.tooling import hidden_fields, hidden_objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the org has of ours. `described` is None for an object that our user does not see."""

    described: Mapping[str, Described | None]
    missing: frozenset[str] = frozenset()  # keys of objects of our own that are not there
    hidden: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # (object that defines it, field)

    def held(self, spec: FieldSpec) -> FieldSchema | None:
        """The field as our user sees it."""
        here = self.described[object_of(spec)]
        return None if here is None else here.schema.fields.get(spec.salesforce)


def found_in(
    client: SalesforceClient,
    schemas: Schemas,
    specs: Sequence[FieldSpec],
    objects: Sequence[ObjectSpec],
    warnings: list[str],
) -> Found:
    """What is there of these fields and objects; `specs` hold the objects' own fields too.

    Raises SetupError where our user does not see an object of the CRM's own."""
    schemas.learn(object_of(spec) for spec in specs)
    ours = {each.salesforce: each.key for each in objects}
    described = {name: _described(schemas, name, ours) for name in {object_of(spec): 0 for spec in specs}}
    found = Found(described=described)
    unseen_objects = [name for name in ours if described[name] is None]
    unseen = [spec.salesforce for spec in specs if found.held(spec) is None]
    if not unseen:
        return found
    try:
        tables = hidden_objects(client, list(ours))
        there = hidden_fields(client, unseen, tables)
    except LoginError:
        raise
    except (TerminalError, SetupError):
        warnings.append(
            "The Tooling API does not answer our user, so fields that exist but are hidden from it "
            "can't be told from missing ones."
        )
        return Found(described=described, missing=frozenset(ours[name] for name in unseen_objects))
    missing = frozenset(ours[name] for name in unseen_objects if name not in tables.values())
    return Found(described=described, missing=missing, hidden=there)


def _described(schemas: Schemas, name: str, ours: Mapping[str, str]) -> Described | None:
    """The object, or None for one of our own that our user does not see."""
    try:
        return schemas[name]
    except SetupError:
        if name in ours:
            return None
        raise
