"""A check-up of the account: scopes, what its tier allows, objects and properties, pipelines.

Only reads. Limits: HubSpot Developer documentation, "Limits tracking".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.checkup import Remark, check_tables
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.pipelines import Pipelines
from connectors.hubspot.properties import object_of
from connectors.hubspot.schema import Schemas
from connectors.hubspot.scopes import missing
from connectors.hubspot.tables import SOURCES
from connectors.mappings import Mappings

_COMPANIES: Final = "0-2"  # HubSpot's number of the object type


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Looks at one account; `specs` are our fields."""

    client: HubspotClient
    schemas: Schemas
    mappings: Mappings
    pipelines: Pipelines

    def examine(self, specs: Sequence[FieldSpec]) -> Iterator[Remark]:
        """Every remark about the account, in the order in which a reader wants them."""
        yield Remark(area="CRM", name="API version", found=self.client.paths.dialect)
        tier = _tier(self.client)
        yield from _scopes(self.client, custom=bool(tier and tier.get("limit")))
        yield from _limits(self.client, self.schemas, specs, tier)
        yield from check_tables(SOURCES, self.mappings, lambda name, path: self.schemas[name].has(path))
        yield from _pipelines(self.pipelines)


def _tier(client: HubspotClient) -> Mapping[str, Any] | None:
    """How many custom objects the account may have, and has; None where it does not tell."""
    try:
        return dict(client.get(client.paths.limits("custom-object-types")))
    except LoginError:
        raise
    except (SetupError, TerminalError):
        return None


def _scopes(client: HubspotClient, *, custom: bool) -> Iterator[Remark]:
    """What the app may do, against what we need."""
    try:
        granted = client.scopes()
    except LoginError:
        raise
    except (SetupError, TerminalError):
        granted = None
    if granted is None:
        yield Remark(area="CRM", name="scopes", found="HubSpot does not tell; a call says what it lacks")
        return
    lacking = missing(granted, custom=custom)
    yield Remark(area="CRM", name="scopes", found=f"{len(granted)} granted, {len(lacking)} of ours missing")
    for scope in lacking:
        yield Remark(
            area="CRM",
            name=f"scope {scope.name}",
            found=f"not granted, so we can't {scope.purpose}",
            fix="Add it to the app and install it again (a Service Key: edit its scopes).",
            is_fault=scope.required,
        )


def _limits(
    client: HubspotClient, schemas: Schemas, specs: Sequence[FieldSpec], objects: Mapping[str, Any] | None
) -> Iterator[Remark]:
    """What the account's tier allows."""
    try:
        objects = client.get(client.paths.limits("custom-object-types")) if objects is None else objects
        properties = client.get(client.paths.limits("custom-properties"))
    except LoginError:
        raise
    except (SetupError, TerminalError) as error:
        found = f"can't be seen: {error.message}"
        yield Remark(area="CRM", name="tier", found=found, fix="Nothing, unless an install is refused.")
        return
    allowed = int(objects.get("limit") or 0)
    said = f"{objects.get('usage') or 0} of {allowed} custom objects" if allowed else "no custom objects"
    yield Remark(area="CRM", name="tier", found=said)
    yield from _room(properties, schemas, specs)


def _room(properties: Any, schemas: Schemas, specs: Sequence[FieldSpec]) -> Iterator[Remark]:
    """Whether our missing company properties fit into what the tier allows."""
    about = [each for each in properties.get("byObjectType") or () if each.get("objectTypeId") == _COMPANIES]
    for each in about:
        used, limit = int(each.get("usage") or 0), int(each.get("limit") or 0)
        wanted = [spec for spec in specs if object_of(spec) == "companies"]
        new = [spec for spec in wanted if not schemas["companies"].has(spec.hubspot)]
        found = f"{used:,} of {limit:,} custom properties of companies"
        if used + len(new) > limit:
            yield Remark(
                area="CRM",
                name="properties",
                found=f"{found}; ours need {len(new)} more",
                fix="Archive some that nobody uses, or map ours to yours under [mapping.fields].",
                is_fault=True,
            )
        else:
            yield Remark(area="CRM", name="properties", found=found)


def _pipelines(pipelines: Pipelines) -> Iterator[Remark]:
    """Whether each deal pipeline tells a won deal from a lost one, which is what we learn from."""
    try:
        stages = pipelines["deals"].values()
    except LoginError:
        raise
    except (SetupError, TerminalError) as error:
        fix = "Let the app read deals."
        yield Remark(area="Objects", name="deal pipelines", found=f"can't be seen: {error.message}", fix=fix)
        return
    sizes = Counter(stage.pipeline for stage in stages)
    won = {stage.pipeline for stage in stages if stage.is_won}
    lost = {stage.pipeline for stage in stages if stage.is_closed and not stage.is_won}
    for name, size in sizes.items():
        lacking = [word for word, having in (("won", won), ("lost", lost)) if name not in having]
        found = f"{size} stages" + (f", none of them closed {' or '.join(lacking)}" if lacking else "")
        fix = "Give it such stages (closed, at 100 % and at 0 %), or its deals teach nothing."
        yield Remark(area="Objects", name=f"pipeline {name}", found=found, fix=fix if lacking else None)
