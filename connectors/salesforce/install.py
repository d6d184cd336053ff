"""Our fields in the org: what is missing is created, what is there is never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.crm import FieldSchema, FieldType, InstallReport, InstallStep
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.deploy import Deployer, DeployOutcome
from connectors.salesforce.metadata import INTEGRATION, home_of, object_of, package
from connectors.salesforce.permissions import PermissionSets, Standing
from connectors.salesforce.schema import Schemas
from connectors.salesforce.tooling import hidden_fields, tracked_fields

MAX_TRACKED: Final = 20  # fields of an object whose history is kept, "Field History Tracking"
_HISTORY: Final = re.compile(r"histor|track", re.IGNORECASE)


class Installer:
    """Creates fields and permission sets, and gives our user the one that it needs."""

    def __init__(
        self, client: SalesforceClient, schemas: Schemas, deployer: Deployer, sets: PermissionSets
    ) -> None:
        self._client = client
        self._schemas = schemas
        self._deployer = deployer
        self._sets = sets

    def install(self, specs: Sequence[FieldSpec], *, apply: bool) -> InstallReport:
        """What is there and what is missing; with `apply`, the missing is created.

        Raises SetupError with the org's own words when it refuses a field; nothing is created then.
        """
        warnings: list[str] = []
        hidden = self._hidden(specs, warnings)
        steps = [self._step(spec, hidden) for spec in specs]
        missing = [s for s, step in zip(specs, steps, strict=True) if step.action == "create"]
        standing = self._sets.standing(specs)
        steps += [_step_of(each) for each in standing]
        ours = next((each.id for each in standing if each.spec.name == INTEGRATION), None)
        assigned = ours is not None and bool(self._sets.assigned([ours], only_us=True))
        if not assigned:
            detail = f"to user {self._client.user_id}"
            steps.append(
                InstallStep(
                    object="PermissionSetAssignment", name=INTEGRATION, action="create", detail=detail
                )
            )
        if apply and any(step.action in {"create", "grant"} for step in steps):
            self._apply(missing, specs, standing, warnings)
            if not assigned:
                self._sets.assign(self._sets.id_of(INTEGRATION))
            for name in {object_of(spec) for spec in specs}:
                self._schemas.forget(name)
        if apply:
            self._verify(specs)
        return InstallReport(steps=tuple(steps), applied=apply, warnings=tuple(warnings))

    def _apply(
        self,
        missing: Sequence[FieldSpec],
        specs: Sequence[FieldSpec],
        standing: Sequence[Standing],
        warnings: list[str],
    ) -> None:
        """Deploy what is missing, then add what sets that are there lack."""
        new_sets = [each.spec.name for each in standing if each.id is None]
        if missing or new_sets:
            self._deploy(missing, specs, new_sets, warnings)
        self._sets.complete(standing)

    def _step(self, spec: FieldSpec, hidden: frozenset[tuple[str, str]]) -> InstallStep:
        """What there is to do for one field."""
        here = self._schemas[object_of(spec)].schema
        held = here.fields.get(spec.salesforce)
        action, detail = "create", ""
        if held is not None:
            detail = difference(spec, held)
            action = "differs" if detail else "keep"
        elif (home_of(spec), spec.salesforce) in hidden:
            action, detail = "keep", "exists; our user does not see it yet"
        return InstallStep(object=here.name, name=spec.salesforce, action=action, detail=detail)

    def _lacks_access(self, spec: FieldSpec) -> bool:
        """Whether our user can't use the field as it must."""
        held = self._schemas[object_of(spec)].schema.fields.get(spec.salesforce)
        return held is None or (spec.owner == "machine" and not held.updateable)

    def _hidden(self, specs: Sequence[FieldSpec], warnings: list[str]) -> frozenset[tuple[str, str]]:
        """Fields that exist although describe does not show them: deploying them would change them."""
        unseen = [s for s in specs if not self._schemas[object_of(s)].has(s.salesforce)]
        if not unseen:
            return frozenset()
        try:
            return hidden_fields(self._client, [spec.salesforce for spec in unseen])
        except LoginError:
            raise
        except (TerminalError, SetupError):
            warnings.append(
                "The Tooling API does not answer our user, so fields that exist but are hidden from it "
                "can't be told from missing ones."
            )
            return frozenset()

    def _deploy(
        self,
        missing: Sequence[FieldSpec],
        specs: Sequence[FieldSpec],
        sets: Sequence[str],
        warnings: list[str],
    ) -> None:
        """Deploy; where the org refuses history tracking, the fields come without it."""
        version = self._client.settings.api_version
        tracked = self._to_track(missing, warnings)
        outcome = self._deployer.deploy(package(missing, specs, version=version, tracked=tracked, sets=sets))
        if not outcome.succeeded and any(_HISTORY.search(each.problem) for each in outcome.failures):
            warnings.append(
                f"Without field history: {outcome.failures[0].problem} "
                "Switch it on in Setup for the fields whose trend you want to see."
            )
            outcome = self._deployer.deploy(package(missing, specs, version=version, sets=sets))
        if not outcome.succeeded:
            raise refused(outcome, "created")

    def _to_track(self, missing: Sequence[FieldSpec], warnings: list[str]) -> list[str]:
        """Keys of the new fields whose history is kept: as many as the object has room for."""
        wanted = [spec for spec in missing if spec.track_history]
        if not wanted:
            return []
        try:
            homes = {object_of(spec) for spec in wanted}
            taken = {name: tracked_fields(self._client, name) for name in homes}
        except LoginError:
            raise
        except (TerminalError, SetupError):
            return [spec.key for spec in wanted]  # the org says itself whether there is room
        keys = []
        for spec in wanted:
            if taken[object_of(spec)] < MAX_TRACKED:
                taken[object_of(spec)] += 1
                keys.append(spec.key)
        if left_out := [spec.salesforce for spec in wanted if spec.key not in keys]:
            warnings.append(
                f"Without field history: {', '.join(left_out)}, since {MAX_TRACKED} fields of the object are "
                "tracked already. Untrack others in Setup if you want to see the trend of these."
            )
        return keys

    def _verify(self, specs: Sequence[FieldSpec]) -> None:
        """Describe again: every field must now be visible, and ours writable."""
        lacking = [f"{object_of(spec)}.{spec.salesforce}" for spec in specs if self._lacks_access(spec)]
        if lacking:
            raise SetupError(
                f"Installed, but our user can't use: {', '.join(lacking)}.",
                record=INTEGRATION,
                fix="Check the user's profile and licence: they may forbid what a permission set grants.",
            )


def difference(spec: FieldSpec, held: FieldSchema) -> str:
    """How an existing field differs from our definition in a way that matters; empty if it does not."""
    wanted = FieldType(spec.type)
    if held.type is not wanted:
        return f"is {held.type}, ours is {wanted}"
    if spec.length is not None and (held.length or 0) < spec.length:
        return f"holds {held.length} characters, ours {spec.length}"
    if spec.precision is not None:
        ours = (spec.precision - (spec.scale or 0), spec.scale or 0)
        theirs = ((held.precision or 0) - (held.scale or 0), held.scale or 0)
        if theirs[0] < ours[0] or theirs[1] < ours[1]:
            return f"holds {theirs[0]} digits and {theirs[1]} decimals, ours {ours[0]} and {ours[1]}"
    lacking = [value for value in spec.options if value not in held.options]
    if lacking and held.restricted:
        return f"lacks the values {', '.join(lacking)}"
    return ""


def refused(outcome: DeployOutcome, what: str) -> SetupError:
    """The org's own words about each refused component; `what` was not done: created, removed."""
    problems: Mapping[str, None] = dict.fromkeys(
        f"{each.file}: {each.problem}" if each.file else each.problem for each in outcome.failures
    )
    said = "; ".join(list(problems)[:5]) or "no reason given"
    return SetupError(
        f"The org refused the fields, nothing was {what}: {said}",
        record="Metadata API",
        fix="Resolve what it names, then run `upswell install` again.",
    )


def _step_of(standing: Standing) -> InstallStep:
    """What there is to do for one permission set."""
    action, detail = "keep", ""
    if standing.id is None:
        action = "create"
    elif standing.lacks:
        action, detail = "grant", ", ".join(sorted(standing.lacks))
    return InstallStep(object="PermissionSet", name=standing.spec.name, action=action, detail=detail)
