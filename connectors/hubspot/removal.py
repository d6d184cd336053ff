"""Our objects and properties taken out of the account again: those that we made, and no others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from connectors.crm import FieldSchema
from connectors.errors import SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.lists import Lists
from connectors.hubspot.own_objects import OwnObjects
from connectors.hubspot.properties import GROUP, GROUP_LABEL, object_of
from connectors.hubspot.schema import Schemas
from connectors.installing import InstallReport, InstallStep

_BATCH = 100


class Remover:
    """Archives what an install made: HubSpot keeps archived properties, and lets an admin restore them."""

    def __init__(self, client: HubspotClient, schemas: Schemas, own: OwnObjects, lists: Lists) -> None:
        self._client = client
        self._lists = lists
        self._schemas = schemas
        self._own = own

    def remove(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        made: Collection[str],
        apply: bool,
    ) -> InstallReport:
        """What is there of ours, and what is left because it is not; with `apply`, ours is archived.

        Raises SetupError in HubSpot's own words when it refuses, because a workflow or a list uses one."""
        steps = self._lists.remove(apply=apply)  # first: what a list asks for can't be archived
        for name in dict.fromkeys(object_of(spec) for spec in specs):
            held = self._schemas[name].schema.fields
            here = [spec for spec in specs if object_of(spec) == name and spec.hubspot in held]
            doomed = [spec for spec in here if _is_ours(spec, held[spec.hubspot], name, made)]
            steps += [_step(spec, name, spec in doomed) for spec in here]
            others = {each.name for each in held.values() if each.group == GROUP}
            group = self._group(name, made, others - {spec.hubspot for spec in doomed})
            steps += [] if group is None else [group]
            if apply and doomed:
                self._archive(name, [spec.hubspot for spec in doomed])
                self._schemas.forget(name)
            if apply and group is not None and group.action == "remove":
                self._client.delete(self._client.paths.group(name, GROUP))
        for spec, step in self._own.steps_of_removal(objects, made):
            steps.append(step)
            if apply and step.action == "remove":
                self._own.remove(spec)
                self._schemas.forget(self._own.name_of(spec))
        return InstallReport(steps=tuple(steps), applied=apply)

    def _group(self, name: str, made: Collection[str], others: Collection[str]) -> InstallStep | None:
        """What happens to our property group: it goes unless somebody else's properties are in it."""
        groups = self._client.get(self._client.paths.groups(name))["results"]
        ours = next((each for each in groups if each["name"] == GROUP and not each.get("archived")), None)
        if ours is None:
            return None
        action, detail = "remove", "property group"
        if others:
            action, detail = "keep", f"property group, which holds {', '.join(sorted(others))} too"
        elif ours.get("label") != GROUP_LABEL and f"{name}.{GROUP}" not in made:
            action, detail = "keep", "property group, not made by Upswell: its label is another"
        return InstallStep(object=name, name=GROUP, action=action, detail=detail)

    def _archive(self, name: str, properties: Sequence[str]) -> None:
        path = self._client.paths.old_properties(name)
        for start in range(0, len(properties), _BATCH):
            inputs = [{"name": each} for each in properties[start : start + _BATCH]]
            try:
                self._client.set_up(path, {"inputs": inputs})
            except TerminalError as error:
                if error.status not in {400, 409}:
                    raise
                raise SetupError(
                    f"The account keeps our properties: {error.message}",
                    record=name,
                    fix="Take them out of what it names, then run `upswell install --remove` again.",
                ) from None


def _is_ours(spec: FieldSpec, held: FieldSchema, name: str, made: Collection[str]) -> bool:
    """Whether we made it: it is noted, or stands in our group and explains itself in our words."""
    return f"{name}.{spec.hubspot}" in made or (held.group == GROUP and held.help == spec.help)


def _step(spec: FieldSpec, name: str, is_ours: bool) -> InstallStep:
    if not is_ours:
        action, detail = "keep", "not made by Upswell: its description or group is another"
    else:
        action, detail = "remove", "with what people filled in" if spec.owner == "person" else ""
    return InstallStep(object=name, name=spec.hubspot, action=action, detail=detail)
