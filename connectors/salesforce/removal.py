"""Our objects, fields and permission sets taken out of the org again: those that we made, and no others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.errors import SetupError
from connectors.fields import FieldSpec, ObjectSpec
from connectors.installing import InstallReport, InstallStep
from connectors.salesforce import soql
from connectors.salesforce.bundles import KIND as BUNDLE
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.components import Components, parts_of, step_of
from connectors.salesforce.deploy import Deployer
from connectors.salesforce.install import refused
from connectors.salesforce.metadata import removal
from connectors.salesforce.metadata_fields import home_of, object_of
from connectors.salesforce.parts import Part
from connectors.salesforce.permissions import PermissionSets, Standing
from connectors.salesforce.schema import Schemas
from connectors.salesforce.tooling import hidden_fields, hidden_objects

_GROUP: Final = "PermissionSetGroup"
_ORDER: Final = (
    "Dashboard",
    "DashboardFolder",
    "Report",
    "ReportFolder",
    "ReportType",
    "ListView",
    "LightningComponentBundle",
    _GROUP,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remover:
    """Deletes what an install made."""

    client: SalesforceClient
    schemas: Schemas
    deployer: Deployer
    sets: PermissionSets
    components: Components

    def remove(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        made: Collection[str],
        apply: bool,
    ) -> InstallReport:
        """What is there of ours, and what is left because it is not; with `apply`, ours is deleted.

        Raises SetupError with the org's own words when it refuses, because a report, a layout or a flow uses
        a field; nothing is deleted then. Salesforce keeps deleted fields, objects and rows for 15 days."""
        there = hidden_fields(self.client, [spec.salesforce for spec in specs])
        fields = [spec for spec in specs if (home_of(spec), spec.salesforce) in there]
        doomed = [spec for spec in fields if self._is_ours(spec, made)]
        steps = [self._field_step(spec, spec in doomed) for spec in fields]
        tables = hidden_objects(self.client, [each.salesforce for each in objects]).values()
        found = [each for each in objects if each.salesforce in tables]
        falling = [each for each in found if self._is_our_object(each, made)]
        steps += [self._object_step(each, each in falling) for each in found]
        parts, theirs = self._parts(specs, objects, made)
        steps += [InstallStep(object=kind, name=name, action="remove") for kind, name in parts]
        steps += [step_of(part, "differs") for part in theirs]
        every = [*specs, *(field for each in objects for field in each.fields.values())]
        standing = [each for each in self.sets.standing(every) if each.id is not None]
        sets = [each for each in standing if each.is_ours or f"PermissionSet.{each.spec.name}" in made]
        assignments = {each.spec.name: self.sets.assigned([str(each.id)]) for each in sets}
        steps += [_set_step(each, assignments.get(each.spec.name)) for each in standing]
        if apply:
            given = [each for ids in assignments.values() for each in ids]
            names = [name for kind, name in parts if kind == _GROUP]
            self._remove_parts([(kind, name) for kind, name in parts if kind != _GROUP])
            self._remove_fields(doomed, falling)
            self._remove_sets(names, [each.spec.name for each in sets], given)
        return InstallReport(steps=tuple(steps), applied=apply)

    def _parts(
        self, specs: Sequence[FieldSpec], objects: Sequence[ObjectSpec], made: Collection[str]
    ) -> tuple[list[tuple[str, str]], list[Part]]:
        """Kind and name of what people look at in the org and that is ours, a user before what it uses; and
        the components that only bear the name of one of ours."""
        wanted = parts_of(specs, objects, with_reports=True)
        there = self.components.there(wanted)
        foreign = self.components.foreign(wanted, there)
        theirs = [
            part
            for part in wanted
            if part.kind == BUNDLE and part.name in foreign and f"{BUNDLE}.{part.name}" not in made
        ]
        ours = [
            (part.kind, part.name)
            for kind in _ORDER
            for part in reversed(wanted)
            if part.kind == kind and (kind, part.name) in there and part not in theirs
        ]
        return ours, theirs

    def _remove_parts(self, parts: Sequence[tuple[str, str]]) -> None:
        """Delete them; where the org refuses, because somebody's own report uses one, all is still there."""
        if not parts:
            return
        doomed: dict[str, list[str]] = {}
        for kind, name in parts:
            doomed.setdefault(kind.removesuffix("Folder"), []).append(name)
        self._delete(doomed)

    def _delete(self, doomed: Mapping[str, Sequence[str]]) -> None:
        """One deploy that deletes these, by kind. Raises SetupError in the org's own words."""
        if any(doomed.values()):
            outcome = self.deployer.deploy(removal(doomed, version=self.client.settings.api_version))
            if not outcome.succeeded:
                raise refused(outcome, "removed")

    def _is_ours(self, spec: FieldSpec, made: Collection[str]) -> bool:
        """Whether we made it: it is noted, or explains itself in our words."""
        held = self.schemas[object_of(spec)].schema.fields.get(spec.salesforce)
        noted = f"{object_of(spec)}.{spec.salesforce}" in made
        return noted or (held is not None and held.help == spec.help)

    def _is_our_object(self, spec: ObjectSpec, made: Collection[str]) -> bool:
        """Whether we made it: it is noted, or its key explains itself in our words."""
        if f"CustomObject.{spec.salesforce}" in made:
            return True
        try:
            return self._is_ours(spec.fields["key"], made)
        except SetupError:  # hidden from our user
            return False

    def _field_step(self, spec: FieldSpec, is_ours: bool) -> InstallStep:
        if not is_ours:
            action, detail = "keep", "not made by Upswell: its help text is another's"
        else:
            action = "remove"
            detail = "with what people filled in" if spec.owner == "person" else ""
        return InstallStep(object=object_of(spec), name=spec.salesforce, action=action, detail=detail)

    def _object_step(self, spec: ObjectSpec, is_ours: bool) -> InstallStep:
        action, detail = "keep", "not made by Upswell, or hidden from our user"
        if is_ours:
            action, detail = "remove", self._rows_of(spec)
        return InstallStep(object="CustomObject", name=spec.salesforce, action=action, detail=detail)

    def _rows_of(self, spec: ObjectSpec) -> str:
        """How many rows go with the object."""
        try:
            rows = int(self.client.query(soql.count(spec.salesforce))["totalSize"])
        except SetupError:
            return "with all its rows"
        return f"with its {rows:,} rows" if rows != 1 else "with its one row"

    def _remove_fields(self, fields: Sequence[FieldSpec], objects: Sequence[ObjectSpec]) -> None:
        """Fields and objects go together or not at all."""
        self._delete(
            {
                "CustomField": [f"{home_of(spec)}.{spec.salesforce}" for spec in fields],
                "CustomObject": [each.salesforce for each in objects],
            }
        )
        for name in {*(object_of(spec) for spec in fields), *(each.salesforce for each in objects)}:
            self.schemas.forget(name)

    def _remove_sets(self, groups: Sequence[str], sets: Sequence[str], assignments: Sequence[str]) -> None:
        """Last: where the org refuses anything else, nobody has lost a group or a permission set."""
        self.sets.take_back(self.sets.assigned_by_group(groups))
        self._delete({_GROUP: groups})
        self.sets.take_back(assignments)
        self._delete({"PermissionSet": sets})


def _set_step(standing: Standing, assignments: Sequence[str] | None) -> InstallStep:
    if assignments is None:
        action, detail = "keep", "not made by Upswell: its description is another's"
    else:
        many = f"the {len(assignments)} users who have" if len(assignments) > 1 else "the one user who has"
        action, detail = "remove", f"from {many} it" if assignments else ""
    return InstallStep(object="PermissionSet", name=standing.spec.name, action=action, detail=detail)
