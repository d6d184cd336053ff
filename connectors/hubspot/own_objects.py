"""Our own objects in the account: which there are, which its tier allows, made and taken away.

HubSpot Developer documentation, "Schemas API guide": an object's full name begins with the account's id; it
can be deleted once its records are, and its name is free again once its schema is deleted for good.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import ObjectSpec
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.properties import definition
from connectors.installing import InstallStep

KIND: Final = "custom object"  # what the steps of an install call one
STAY_HERE: Final = "forecast rows stay in Upswell"
_BATCH: Final = 100
_ASSOCIATED: Final = ("COMPANY",)
_SHOWN: Final = 3  # properties that a record shows below its name


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnObjects:
    """The objects of our own in one account; `portal` tells its id."""

    client: HubspotClient
    portal: Callable[[], str]

    def name_of(self, spec: ObjectSpec) -> str:
        """The object's full name, by which paths take it."""
        return f"p{self.portal()}_{spec.hubspot}"

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """The custom objects of the account by their names. Raises SetupError where we may not see them."""
        told = self.client.get(self.client.paths.schemas)["results"]
        return {str(each["name"]): each for each in told if not each.get("archived")}

    def look(
        self, objects: Sequence[ObjectSpec], warnings: list[str]
    ) -> tuple[list[ObjectSpec], list[ObjectSpec]]:
        """Those that are there, and those to create; why one can't be, is a warning."""
        if not objects:
            return [], []
        try:
            held = self.held()
            missing = [each for each in objects if each.hubspot not in held]
            room = self._room() if missing else 0
        except LoginError:
            raise
        except (SetupError, TerminalError) as error:
            warnings.append(f"{STAY_HERE}: our app may not see custom objects ({error.message})")
            return [], []
        if missing and room is None:
            warnings.append(f"{STAY_HERE}: this HubSpot tier has no custom objects")
        elif room is not None and room < len(missing):
            names = ", ".join(each.label for each in missing)
            warnings.append(
                f"{STAY_HERE}: the account has room for {room} more custom objects, not for {names}"
            )
        can_be = room is not None and room >= len(missing)
        return [each for each in objects if each.hubspot in held], missing if can_be else []

    def _room(self) -> int | None:
        """How many more custom objects the account may have; None where its tier has none."""
        told = self.client.get(self.client.paths.limits("custom-object-types"))
        limit = int(told.get("limit") or 0)
        return limit - int(told.get("usage") or 0) if limit else None

    def create(self, spec: ObjectSpec) -> None:
        """Make the object with its properties. Raises SetupError in HubSpot's own words."""
        properties = [definition(field, unique=field.unique, group=None) for field in spec.fields.values()]
        names = [field.hubspot for field in spec.fields.values()]
        body = {
            "name": spec.hubspot,
            "description": spec.help,
            "labels": {"singular": spec.label, "plural": spec.plural},
            "primaryDisplayProperty": spec.fields["key"].hubspot,
            "secondaryDisplayProperties": names[1 : _SHOWN + 1],
            "requiredProperties": [spec.fields["key"].hubspot],
            "searchableProperties": [spec.fields["key"].hubspot],
            "properties": properties,
            "associatedObjects": list(_ASSOCIATED),
        }
        try:
            self.client.set_up(self.client.paths.schemas, body)
        except TerminalError as error:
            if error.status not in {400, 403, 409}:
                raise
            raise SetupError(
                f"The account refused the object {spec.label}: {error.message}",
                record=spec.hubspot,
                fix="Resolve what it names, or leave the object out of [crm] objects.",
            ) from None

    def steps_of_removal(
        self, objects: Sequence[ObjectSpec], made: Collection[str]
    ) -> list[tuple[ObjectSpec, InstallStep]]:
        """What becomes of each that is there: removed with its rows, or kept because it is not ours."""
        try:
            held = self.held() if objects else {}
        except LoginError:
            raise
        except (SetupError, TerminalError):
            return []
        steps = []
        for each in objects:
            if each.hubspot not in held:
                continue
            noted = f"{KIND}.{each.hubspot}" in made
            action, detail = "keep", "not made by Upswell: its description is another"
            if noted or held[each.hubspot].get("description") == each.help:
                rows = self._rows(self.name_of(each))
                action, detail = "remove", "with its one row" if rows == 1 else f"with its {rows:,} rows"
            steps.append((each, InstallStep(object=KIND, name=each.hubspot, action=action, detail=detail)))
        return steps

    def remove(self, spec: ObjectSpec) -> None:
        """Archive every row, then delete the object, and its schema for good, so that its name is free."""
        name = self.name_of(spec)
        while True:
            page = self.client.get(self.client.paths.records(name), {"limit": _BATCH})["results"]
            if not page:
                break
            inputs = [{"id": str(each["id"])} for each in page]
            self.client.set_up(self.client.paths.batch(name, "archive"), {"inputs": inputs})
        path = self.client.paths.schema_of(name)
        self.client.delete(path)
        try:
            self.client.delete(path, {"archived": "true"})
        except TerminalError as error:
            if error.status not in {400, 403, 404}:
                raise  # else it is gone all the same; only its name is not free yet

    def _rows(self, name: str) -> int:
        """How many rows the object has, as the search index knows it."""
        return int(self.client.search(name, {"limit": 1})["total"])
