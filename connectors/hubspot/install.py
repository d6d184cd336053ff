"""Our properties in the account: what is missing is created, what is there is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connectors.crm import FieldSchema, FieldType, InstallReport, InstallStep
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.errors import read_problem
from connectors.hubspot.properties import GROUP, GROUP_LABEL, definition, object_of
from connectors.hubspot.schema import Schemas

_BATCH: Final = 100
_KEY: Final = "task_key"  # the field of ours that should be unique


class Installer:
    """Creates the property group and properties of each object."""

    def __init__(self, client: HubspotClient, schemas: Schemas) -> None:
        self._client = client
        self._schemas = schemas

    def install(self, specs: Sequence[FieldSpec], *, apply: bool) -> InstallReport:
        """What is there and what is missing; with `apply`, the missing is created.

        Raises SetupError with HubSpot's own words when it refuses a property."""
        steps: list[InstallStep] = []
        warnings: list[str] = []
        for name in dict.fromkeys(object_of(spec) for spec in specs):
            here = [spec for spec in specs if object_of(spec) == name]
            fields = [self._step(spec) for spec in here]
            missing = [spec for spec, step in zip(here, fields, strict=True) if step.action == "create"]
            grouped = self._has_group(name)
            action = "keep" if grouped or not missing else "create"
            steps += [InstallStep(object=name, name=GROUP, action=action, detail="property group"), *fields]
            if apply and missing:
                if not grouped:
                    self._create_group(name)
                self._create(name, missing, warnings)
                self._schemas.forget(name)
                self._verify(missing)
        return InstallReport(steps=tuple(steps), applied=apply, warnings=tuple(warnings))

    def _step(self, spec: FieldSpec) -> InstallStep:
        """What there is to do for one property."""
        here = self._schemas[object_of(spec)].schema
        held = here.fields.get(spec.hubspot)
        action, detail = "create", ""
        if held is not None:
            detail = difference(spec, held)
            action = "differs" if detail else "keep"
        return InstallStep(object=here.name, name=spec.hubspot, action=action, detail=detail)

    def _has_group(self, object_name: str) -> bool:
        groups = self._client.get(self._client.paths.groups(object_name))["results"]
        return any(each["name"] == GROUP and not each.get("archived") for each in groups)

    def _create_group(self, object_name: str) -> None:
        body = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
        self._client.set_up(self._client.paths.groups(object_name), body)

    def _create(self, object_name: str, missing: Sequence[FieldSpec], warnings: list[str]) -> None:
        """Create them; the task key as a unique property where the account takes one on tasks."""
        keys = [spec for spec in missing if spec.key == _KEY]
        rest = [spec for spec in missing if spec.key != _KEY]
        if keys:
            try:
                self._send(object_name, keys, unique=True)
            except LoginError:
                raise
            except (SetupError, TerminalError) as error:
                warnings.append(
                    f"{object_name} take no unique property here ({error.message}): "
                    "our tasks are found by search instead, which takes longer."
                )
                rest = [*keys, *rest]
        self._send(object_name, rest, unique=False)

    def _send(self, object_name: str, specs: Sequence[FieldSpec], *, unique: bool) -> None:
        for start in range(0, len(specs), _BATCH):
            inputs = [definition(spec, unique=unique) for spec in specs[start : start + _BATCH]]
            try:
                reply = self._client.set_up(
                    self._client.paths.new_properties(object_name), {"inputs": inputs}
                )
            except TerminalError as error:
                if error.status not in {400, 409}:
                    raise
                raise _refused(object_name, [error.message]) from None
            problems = [read_problem(entry).message for entry in reply.get("errors") or ()]
            if problems:
                raise _refused(object_name, problems)

    def _verify(self, specs: Iterable[FieldSpec]) -> None:
        """Describe again: every property must now be there."""
        lacking = [s.hubspot for s in specs if not self._schemas[object_of(s)].has(s.hubspot)]
        if lacking:
            raise SetupError(
                f"Installed, but not among the account's properties: {', '.join(lacking)}.",
                record="Properties API",
                fix="Run `upswell install` again in a minute.",
            )


def difference(spec: FieldSpec, held: FieldSchema) -> str:
    """How an existing property differs from our definition in a way that matters; empty if it does not."""
    wanted = FieldType(spec.type)
    if held.type is not wanted:
        return f"is {held.type}, ours is {wanted}"
    lacking = [label for label in spec.options.values() if label not in held.options]
    return f"lacks the options {', '.join(lacking)}" if lacking else ""


def _refused(object_name: str, problems: Sequence[str]) -> SetupError:
    return SetupError(
        f"The account refused properties: {'; '.join(dict.fromkeys(problems))}",
        record=object_name,
        fix="Resolve what it names (a tier's limit of custom properties?), then run `upswell install` again.",
    )
