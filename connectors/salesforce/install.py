"""Our objects and fields in the org: what is missing is created, what is there is never changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec
from connectors.installing import InstallReport, InstallStep
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.deploy import Deployer, DeployOutcome
from connectors.salesforce.differences import lacking, misfit
from connectors.salesforce.metadata import package
from connectors.salesforce.metadata_fields import home_of, object_of
from connectors.salesforce.metadata_sets import INTEGRATION
from connectors.salesforce.permissions import PermissionSets, Standing
from connectors.salesforce.picklists import add_values
from connectors.salesforce.schema import Schemas
from connectors.salesforce.standing import Found, found_in
from connectors.salesforce.tooling import tracked_fields

MAX_TRACKED: Final = 20  # fields of an object whose history is kept, "Field History Tracking"
_HISTORY: Final = re.compile(r"histor|track", re.IGNORECASE)


class Installer:
    """Creates objects, fields and permission sets, and gives our user the one that it needs."""

    def __init__(
        self, client: SalesforceClient, schemas: Schemas, deployer: Deployer, sets: PermissionSets
    ) -> None:
        self._client = client
        self._schemas = schemas
        self._deployer = deployer
        self._sets = sets

    def install(
        self, specs: Sequence[FieldSpec], objects: Sequence[ObjectSpec] = (), *, apply: bool
    ) -> InstallReport:
        """What is there and what is missing; with `apply`, the missing is created.

        Raises SetupError with the org's own words when it refuses a field; nothing is created then.
        """
        warnings: list[str] = []
        every = [*specs, *(field for each in objects for field in each.fields.values())]
        found = found_in(self._client, self._schemas, every, objects, warnings)
        new = [each for each in objects if each.key in found.missing]
        of_new = {id(field) for each in new for field in each.fields.values()}
        looked_at = [spec for spec in every if id(spec) not in of_new]
        told = [self._step(spec, found) for spec in looked_at]
        missing = [s for s, step in zip(looked_at, told, strict=True) if step.action == "create"]
        ours = {each.salesforce for each in objects}  # whose fields are told only where something is to do
        steps = [step for step in told if step.action != "keep" or step.object not in ours]
        steps += [_step_of_object(each, each.key in found.missing) for each in objects]
        standing = self._sets.standing(every)
        steps += [_step_of(each) for each in standing]
        own_set = next((each.id for each in standing if each.spec.name == INTEGRATION), None)
        assigned = own_set is not None and bool(self._sets.assigned([own_set], only_us=True))
        if not assigned:
            detail = f"to user {self._client.user_id}"
            steps.append(
                InstallStep(
                    object="PermissionSetAssignment", name=INTEGRATION, action="create", detail=detail
                )
            )
        if apply and any(step.action in {"create", "grant", "update"} for step in steps):
            self._apply(missing, new, every, standing, warnings)
            fuller = [s for s, step in zip(looked_at, told, strict=True) if step.action == "update"]
            self._fill(fuller, found, warnings)
            if not assigned:
                self._sets.assign(self._sets.id_of(INTEGRATION))
            for name in {object_of(spec) for spec in every}:
                self._schemas.forget(name)
        if apply:
            self._verify(every)
        return InstallReport(steps=tuple(steps), applied=apply, warnings=tuple(warnings))

    def _apply(
        self,
        missing: Sequence[FieldSpec],
        new: Sequence[ObjectSpec],
        specs: Sequence[FieldSpec],
        standing: Sequence[Standing],
        warnings: list[str],
    ) -> None:
        """Deploy what is missing, then add what sets that are there lack."""
        sets = [each.spec.name for each in standing if each.id is None]
        if missing or new or sets:
            version = self._client.settings.api_version
            made = partial(package, missing, specs, version=version, sets=sets, objects=new)
            self._deploy(made, missing, warnings)
        self._sets.complete(standing)

    def _step(self, spec: FieldSpec, found: Found) -> InstallStep:
        """What there is to do for one field of an object that is there."""
        name = object_of(spec)
        held = found.held(spec)
        action, detail = "create", ""
        if held is not None:
            detail = misfit(spec, held)
            values = [] if detail else lacking(spec, held)
            action = "update" if values else "differs" if detail else "keep"
            detail = f"with the values {', '.join(values)}" if values else detail
        elif (home_of(spec), spec.salesforce) in found.hidden:
            action, detail = "keep", "exists; our user does not see it yet"
        return InstallStep(object=name, name=spec.salesforce, action=action, detail=detail)

    def _fill(self, specs: Sequence[FieldSpec], found: Found, warnings: list[str]) -> None:
        """Add the values that picklists lack."""
        if specs:
            held = ((spec, found.held(spec)) for spec in specs)
            warnings += add_values(
                self._client, [(s, lacking(s, each)) for s, each in held if each is not None]
            )

    def _lacks_access(self, spec: FieldSpec) -> bool:
        """Whether our user can't use the field as it must."""
        held = self._schemas[object_of(spec)].schema.fields.get(spec.salesforce)
        return held is None or (spec.owner == "machine" and not held.updateable)

    def _deploy(self, made: Callable[..., bytes], missing: Sequence[FieldSpec], warnings: list[str]) -> None:
        """Deploy; where the org refuses history tracking, the fields come without it."""
        outcome = self._deployer.deploy(made(tracked=self._to_track(missing, warnings)))
        if not outcome.succeeded and any(_HISTORY.search(each.problem) for each in outcome.failures):
            warnings.append(
                f"Without field history: {outcome.failures[0].problem} "
                "Switch it on in Setup for the fields whose trend you want to see."
            )
            outcome = self._deployer.deploy(made())
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

    def _verify(self, specs: Iterable[FieldSpec]) -> None:
        """Describe again: every field must now be visible, and ours writable."""
        specs = list(specs)
        self._schemas.learn(object_of(spec) for spec in specs)
        lacking = [f"{object_of(spec)}.{spec.salesforce}" for spec in specs if self._lacks_access(spec)]
        if lacking:
            raise SetupError(
                f"Installed, but our user can't use: {', '.join(lacking)}.",
                record=INTEGRATION,
                fix="Check the user's profile and licence: they may forbid what a permission set grants.",
            )


def refused(outcome: DeployOutcome, what: str) -> SetupError:
    """The org's own words about each refused component; `what` was not done: created, removed."""
    return SetupError(
        f"The org refused it, nothing was {what}: {outcome.said}",
        record="Metadata API",
        fix="Resolve what it names, then run `upswell install` again.",
    )


def _step_of_object(spec: ObjectSpec, is_missing: bool) -> InstallStep:
    """What there is to do for one object of our own; its fields are told apart where it is there."""
    action, detail = ("create", f"with {len(spec.fields)} fields") if is_missing else ("keep", "")
    return InstallStep(object="CustomObject", name=spec.salesforce, action=action, detail=detail)


def _step_of(standing: Standing) -> InstallStep:
    """What there is to do for one permission set."""
    action, detail = "keep", ""
    if standing.id is None:
        action = "create"
    elif standing.lacks or standing.closed:
        action, detail = "grant", ", ".join(sorted([*standing.closed, *standing.lacks]))
    return InstallStep(object="PermissionSet", name=standing.spec.name, action=action, detail=detail)
