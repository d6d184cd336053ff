"""Our objects and properties in the account: what is missing is created, what is there is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.crm import FieldSchema, FieldType
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec, object_specs
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.errors import read_problem
from connectors.hubspot.lists import Lists
from connectors.hubspot.own_objects import KIND, OwnObjects
from connectors.hubspot.properties import GROUP, GROUP_LABEL, choices, definition, object_of
from connectors.hubspot.schema import Schemas
from connectors.installing import NO_EXTRAS, Extras, InstallReport, InstallStep

_BATCH: Final = 100
_KEY: Final = "task_key"  # the field of ours that should be unique


class Installer:
    """Creates our objects and lists, and the property group and properties of each object."""

    def __init__(self, client: HubspotClient, schemas: Schemas, own: OwnObjects, lists: Lists) -> None:
        self._client = client
        self._lists = lists
        self._schemas = schemas
        self._own = own

    def install(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        extras: Extras = NO_EXTRAS,
        apply: bool,
    ) -> InstallReport:
        """What is there and what is missing; with `apply`, the missing is created.

        Raises SetupError with HubSpot's own words when it refuses a property."""
        steps: list[InstallStep] = []
        warnings: list[str] = []
        for name in dict.fromkeys(object_of(spec) for spec in specs):
            here = [spec for spec in specs if object_of(spec) == name]
            steps += self._properties(name, here, warnings, apply=apply)
        there, new = self._own.look(objects, warnings)
        for each in there:
            name, here = self._own.name_of(each), list(each.fields.values())
            told = self._properties(name, here, warnings, apply=apply)
            steps += [InstallStep(object=KIND, name=each.hubspot, action="keep")]
            steps += [step for step in told if step.action != "keep"]
        for each in new:
            detail = f"with {len(each.fields)} properties"
            steps.append(InstallStep(object=KIND, name=each.hubspot, action="create", detail=detail))
            if apply:
                self._own.create(each)
                self._schemas.forget(self._own.name_of(each))
                self._verify(self._own.name_of(each), list(each.fields.values()))
        if extras.views:
            keys = {spec.key for spec in specs if spec.object == "accounts"}
            steps += self._lists.install(keys, warnings, apply=apply)
        if extras.reports:
            warnings.append("HubSpot takes no reports by API: docs/install.md says which to make by hand.")
        return InstallReport(steps=tuple(steps), applied=apply, warnings=tuple(warnings))

    def _properties(
        self, name: str, here: Sequence[FieldSpec], warnings: list[str], *, apply: bool
    ) -> list[InstallStep]:
        """What there is to do for the properties of one object; with `apply`, it is done."""
        fields = [self._step(name, spec) for spec in here]
        missing = [spec for spec, step in zip(here, fields, strict=True) if step.action == "create"]
        ours = any(spec.object in object_specs() for spec in here)
        grouped = True if ours and not missing else self._has_group(name)
        action = "keep" if grouped or not missing else "create"
        if apply and missing:
            if not grouped:
                self._create_group(name)
            self._create(name, missing, warnings)
            self._schemas.forget(name)
            self._verify(name, missing)
        if apply:
            for spec, step in zip(here, fields, strict=True):
                if step.action == "update":
                    self._add_options(name, spec)
                    self._schemas.forget(name)
        return [InstallStep(object=name, name=GROUP, action=action, detail="property group"), *fields]

    def _add_options(self, name: str, spec: FieldSpec) -> None:
        """Add what a picklist of ours lacks at its end: HubSpot takes the options whole, so those that an
        administrator added or renamed are sent back as they are."""
        path = self._client.paths.property_of(name, spec.hubspot)
        there = self._client.get(path)["options"]
        new = {value: label for value, label in spec.options.items() if value not in _values(there)}
        self._client.change(path, {"options": [*there, *choices(new, first=len(there))]})

    def _step(self, name: str, spec: FieldSpec) -> InstallStep:
        """What there is to do for one property."""
        here = self._schemas[name].schema
        held = here.fields.get(spec.hubspot)
        action, detail = "create", ""
        if held is not None:
            detail = misfit(spec, held)
            values = [] if detail else lacking(spec, held)
            action = "update" if values else "differs" if detail else "keep"
            detail = f"with the options {', '.join(values)}" if values else detail
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
            some = specs[start : start + _BATCH]
            inputs = [definition(spec, unique=unique or spec.unique) for spec in some]
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

    def _verify(self, name: str, specs: Iterable[FieldSpec]) -> None:
        """Describe again: every property must now be there."""
        lacking = [spec.hubspot for spec in specs if not self._schemas[name].has(spec.hubspot)]
        if lacking:
            raise SetupError(
                f"Installed, but not among the account's properties: {', '.join(lacking)}.",
                record="Properties API",
                fix="Run `upswell install` again in a minute.",
            )


def _values(options: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(each["value"]) for each in options}


def difference(spec: FieldSpec, held: FieldSchema) -> str:
    """How an existing property differs from our definition in a way that matters; empty if it does not."""
    labels = lacking(spec, held)
    return misfit(spec, held) or (f"lacks the options {', '.join(labels)}" if labels else "")


def lacking(spec: FieldSpec, held: FieldSchema) -> list[str]:
    """The labels of the options that a picklist lacks; one that somebody renamed is not lacking."""
    return [label for label in spec.options.values() if label not in held.options]


def misfit(spec: FieldSpec, held: FieldSchema) -> str:
    """Why a property of this kind can't hold what we write; empty if it can."""
    wanted = FieldType(spec.type)
    wanted = FieldType.TEXT if wanted is FieldType.REFERENCE else wanted  # a record's id
    return "" if held.type is wanted else f"is {held.type}, ours is {wanted}"


def _refused(object_name: str, problems: Sequence[str]) -> SetupError:
    return SetupError(
        f"The account refused properties: {'; '.join(dict.fromkeys(problems))}",
        record=object_name,
        fix="Resolve what it names (a tier's limit of custom properties?), then run `upswell install` again.",
    )
