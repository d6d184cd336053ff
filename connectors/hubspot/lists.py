"""Our views as active lists of companies: made where they are missing, taken away again.

HubSpot Developer documentation, "List (segment) filters overview": an OR of ANDs of property filters. A list
knows no owner who looks at it, so one of somebody's own accounts has everybody's; they filter it by owner.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.errors import LoginError, SetupError, TerminalError
from connectors.hubspot.client import HubspotClient
from connectors.installing import InstallStep
from connectors.views import ViewSpec, Where, view_specs

KIND: Final = "list"  # what the steps of an install call one
_COMPANIES: Final = "0-2"
_OURS: Final = "Upswell: "  # how the names of our lists begin
_MOST: Final = 500  # lists of a search


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists of one account; `zone` tells its time zone, by which days begin."""

    client: HubspotClient
    zone: Callable[[], str]

    def install(self, fields: Collection[str], warnings: list[str], *, apply: bool) -> list[InstallStep]:
        """What there is to do for each view that can do with these fields, by key; with `apply`, it is done.

        A list that is there stays as it is: somebody may have changed its filters."""
        wanted = [spec for spec in view_specs().values() if all(w.field.key in fields for w in spec.where)]
        try:
            held = self._held()
            new = [spec for spec in wanted if spec.hubspot not in held]
            for spec in new if apply else ():
                self.client.set_up(self.client.paths.lists, self._definition(spec))
        except LoginError:
            raise
        except (SetupError, TerminalError) as error:
            warnings.append(f"no lists of accounts to work from: {error.message}")
            return []
        return [
            InstallStep(object=KIND, name=spec.hubspot, action="create" if spec in new else "keep")
            for spec in wanted
        ]

    def remove(self, *, apply: bool) -> list[InstallStep]:
        """The lists of ours that are there; with `apply` they are deleted, which is undone within 90 days."""
        try:
            held = self._held()
        except LoginError:
            raise
        except (SetupError, TerminalError):
            return []
        ours = [spec.hubspot for spec in view_specs().values() if spec.hubspot in held]
        for name in ours if apply else ():
            self.client.delete(self.client.paths.list_of(held[name]))
        return [InstallStep(object=KIND, name=name, action="remove") for name in ours]

    def _held(self) -> Mapping[str, str]:
        """The ids of the account's lists of companies that are named like ours."""
        body = {"query": _OURS.strip(), "processingTypes": ["DYNAMIC"], "count": _MOST, "offset": 0}
        found = self.client.ask(self.client.paths.searched_lists, body)["lists"]
        return {
            str(each["name"]): str(each["listId"]) for each in found if each["objectTypeId"] == _COMPANIES
        }

    def _definition(self, spec: ViewSpec) -> Mapping[str, Any]:
        filters = [
            {
                "filterType": "PROPERTY",
                "property": each.field.hubspot,
                "operation": _operation(each, self.zone()),
            }
            for each in spec.where
        ]
        return {
            "name": spec.hubspot,
            "objectTypeId": _COMPANIES,
            "processingType": "DYNAMIC",
            "filterBranch": _branch("OR", branches=[_branch("AND", filters=filters)]),
        }


def _branch(
    kind: str, *, branches: Sequence[Mapping[str, Any]] = (), filters: Sequence[Mapping[str, Any]] = ()
) -> Mapping[str, Any]:
    return {
        "filterBranchType": kind,
        "filterBranchOperator": kind,
        "filterBranches": list(branches),
        "filters": list(filters),
    }


def _operation(where: Where, zone: str) -> Mapping[str, Any]:
    """The operation of one filter; only an unticked box may also have no value."""
    told: dict[str, Any]
    match where.test:
        case "is" if where.field.type == "checkbox":
            told = {"operationType": "BOOL", "operator": "IS_EQUAL_TO", "value": where.options == ("true",)}
        case "is" | "has":
            told = {"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": list(where.options)}
        case "above":
            told = {"operationType": "NUMBER", "operator": "IS_GREATER_THAN", "value": where.number}
        case "within":
            told = {
                "operationType": "TIME_RANGED",
                "type": "TIME_RANGED",
                "operator": "IS_BETWEEN",
                "lowerBoundEndpointBehavior": "INCLUSIVE",
                "upperBoundEndpointBehavior": "INCLUSIVE",
                "lowerBoundTimePoint": _point("TODAY", zone, -where.number),
                "upperBoundTimePoint": _point("NOW", zone),
            }
        case "before":
            told = {
                "operationType": "TIME_POINT",
                "type": "TIME_POINT",
                "operator": "IS_BEFORE",
                "endpointBehavior": "EXCLUSIVE",
                "timePoint": _point("TODAY", zone, -where.number),
            }
        case "empty":
            told = {"operationType": "ALL_PROPERTY", "operator": "IS_UNKNOWN"}
        case other:
            raise ValueError(f"{other!r} is no test of a view")
    return {**told, "includeObjectsWithNoValueSet": told.get("value") is False}


def _point(reference: str, zone: str, days: int = 0) -> Mapping[str, Any]:
    """A moment so many days from today or from now."""
    told = {
        "timeType": "INDEXED",
        "timezoneSource": "CUSTOM",
        "zoneId": zone,
        "indexReference": {"referenceType": reference},
    }
    return {**told, "offset": {"days": days}} if days else told
