"""Our fields in the org: what is missing is created, what is there is never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.crm import FieldSchema, FieldType, InstallReport, InstallStep
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.deploy import Deployer, DeployOutcome
from connectors.salesforce.metadata import PERMISSION_SET, home_of, object_of, package
from connectors.salesforce.schema import Schemas

_HISTORY: Final = re.compile(r"histor|track", re.IGNORECASE)


class Installer:
    """Creates fields, their permission set and its assignment to our user."""

    def __init__(self, client: SalesforceClient, schemas: Schemas, deployer: Deployer) -> None:
        self._client = client
        self._schemas = schemas
        self._deployer = deployer

    def install(self, specs: Sequence[FieldSpec], *, apply: bool) -> InstallReport:
        """What is there and what is missing; with `apply`, the missing is created.

        Raises SetupError with the org's own words when it refuses a field; nothing is created then.
        """
        warnings: list[str] = []
        hidden = self._hidden(specs, warnings)
        steps = [self._step(spec, hidden) for spec in specs]
        set_id = self._permission_set_id()
        assigned = set_id is not None and self._is_assigned(set_id)
        missing = [s for s, step in zip(specs, steps, strict=True) if step.action == "create"]
        grant = set_id is None or bool(missing) or any(self._lacks_access(spec) for spec in specs)
        steps.append(
            InstallStep(
                object="PermissionSet",
                name=PERMISSION_SET,
                action="create" if set_id is None else "keep",
                detail="grants our user its fields" if grant else "",
            )
        )
        if not assigned:
            detail = f"to user {self._client.user_id}"
            steps.append(
                InstallStep(
                    object="PermissionSetAssignment", name=PERMISSION_SET, action="create", detail=detail
                )
            )
        if apply and grant:
            self._deploy(missing, specs, warnings)
            set_id = self._permission_set_id()
        if apply and not assigned:
            self._assign(set_id)
        if apply and (grant or not assigned):
            for name in {object_of(spec) for spec in specs}:
                self._schemas.forget(name)
            self._verify(specs)
        return InstallReport(steps=tuple(steps), applied=apply, warnings=tuple(warnings))

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
        """Fields that exist although describe does not show them: deploying them would change them.

        Only the Tooling API lists fields regardless of field-level security.
        """
        unseen = [s for s in specs if not self._schemas[object_of(s)].has(s.salesforce)]
        if not unseen:
            return frozenset()
        names = [spec.salesforce.removesuffix("__c") for spec in unseen]
        statement = soql.select(
            ["DeveloperName", "TableEnumOrId"],
            "CustomField",
            where=[soql.Condition(field="DeveloperName", operator="IN", value=names)],
        )
        try:
            found = self._client.read("tooling/query", params={"q": statement})["records"]
        except LoginError:
            raise
        except (TerminalError, SetupError):
            warnings.append(
                "The Tooling API does not answer our user, so fields that exist but are hidden from it "
                "can't be told from missing ones."
            )
            return frozenset()
        return frozenset((str(each["TableEnumOrId"]), f"{each['DeveloperName']}__c") for each in found)

    def _deploy(self, missing: Sequence[FieldSpec], specs: Sequence[FieldSpec], warnings: list[str]) -> None:
        """Deploy; where the org refuses history tracking, the fields come without it."""
        version = self._client.settings.api_version
        outcome = self._deployer.deploy(package(missing, specs, version=version, history=True))
        if not outcome.succeeded and any(_HISTORY.search(each.problem) for each in outcome.failures):
            warnings.append(
                f"Without field history: {outcome.failures[0].problem} "
                "Switch it on in Setup for the fields whose trend you want to see."
            )
            outcome = self._deployer.deploy(package(missing, specs, version=version, history=False))
        if not outcome.succeeded:
            raise _refused(outcome)

    def _permission_set_id(self) -> str | None:
        statement = soql.select(
            ["Id"],
            "PermissionSet",
            where=[soql.Condition(field="Name", operator="=", value=PERMISSION_SET)],
        )
        first = next(iter(self._client.records(statement)), None)
        return str(first["Id"]) if first is not None else None

    def _is_assigned(self, set_id: str) -> bool:
        statement = soql.select(
            ["Id"],
            "PermissionSetAssignment",
            where=[
                soql.Condition(field="PermissionSetId", operator="=", value=set_id),
                soql.Condition(field="AssigneeId", operator="=", value=self._client.user_id),
            ],
        )
        return next(iter(self._client.records(statement)), None) is not None

    def _assign(self, set_id: str | None) -> None:
        if set_id is None:
            raise TerminalError(
                "The permission set was deployed but can't be found.",
                record=PERMISSION_SET,
                fix="Give our user 'View Setup and Configuration', then run `upswell install` again.",
            )
        body = {"AssigneeId": self._client.user_id, "PermissionSetId": set_id}
        self._client.set_up("POST", "sobjects/PermissionSetAssignment", body)

    def _verify(self, specs: Sequence[FieldSpec]) -> None:
        """Describe again: every field must now be visible, and ours writable."""
        lacking = [f"{object_of(spec)}.{spec.salesforce}" for spec in specs if self._lacks_access(spec)]
        if lacking:
            raise SetupError(
                f"Installed, but our user can't use: {', '.join(lacking)}.",
                record=PERMISSION_SET,
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


def _refused(outcome: DeployOutcome) -> SetupError:
    """The org's own words about each refused component."""
    problems: Mapping[str, None] = dict.fromkeys(
        f"{each.file}: {each.problem}" if each.file else each.problem for each in outcome.failures
    )
    said = "; ".join(list(problems)[:5]) or "no reason given"
    return SetupError(
        f"The org refused the fields, nothing was created: {said}",
        record="Metadata API",
        fix="Resolve what it names, then run `upswell install` again.",
    )
