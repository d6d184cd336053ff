"""Our permission sets in the org: what each must grant, what it grants now, and who has it.

A set that is missing comes with a deploy. To one that is there only what it lacks is added, row by row
(Object Reference, "FieldPermissions"): a deploy would replace it, with what an administrator put into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from connectors.errors import SetupError, TerminalError
from connectors.fields import FieldSpec, PermissionSpec, permission_specs
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.errors import entries_of
from connectors.salesforce.metadata_sets import INTEGRATION, accesses_of, grants_of

_COLLECTION: Final = 200  # records of one call
# the columns of "ObjectPermissions" behind what a set may do with the rows of one of our objects
_RIGHTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "read": ("PermissionsRead", "PermissionsViewAllRecords"),
        "write": (
            "PermissionsRead",
            "PermissionsCreate",
            "PermissionsEdit",
            "PermissionsViewAllRecords",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one of our sets stands: its id if it is there, and the fields that it must yet grant (-> editable).

    `closed` are the objects that it must yet open (-> read or write), and `rows` the ids of grants that are
    there and do not go far enough."""

    spec: PermissionSpec
    id: str | None
    description: str
    lacks: Mapping[str, bool]
    closed: Mapping[str, str]
    rows: Mapping[str, str]

    @property
    def is_ours(self) -> bool:
        """Whether it is recognisably the one that we made."""
        return self.description == self.spec.description


class PermissionSets:
    """The permission sets of one org."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    def standing(self, specs: Sequence[FieldSpec]) -> list[Standing]:
        """How each of our sets stands, in order; one that would grant none of these fields is left out."""
        wanted = {
            spec.name: grants
            for spec in permission_specs().values()
            if (grants := dict(grants_of(spec, specs)))
        }
        found = {str(each["Name"]): each for each in self._query("PermissionSet", "Name", list(wanted))}
        held = self._grants([str(each["Id"]) for each in found.values()])
        ours = any(accesses_of(permission_specs()[name], specs) for name in wanted)
        opened = self._accesses([str(each["Id"]) for each in found.values()]) if ours else {}
        standing = []
        for name, grants in wanted.items():
            row = found.get(name, {})
            there = held.get(str(row.get("Id")), {})
            open_now = opened.get(str(row.get("Id")), {})
            lacks = {
                field: editable
                for field, editable in grants.items()
                if field not in there or (editable and not there[field]["PermissionsEdit"])
            }
            closed = {
                each: access
                for each, access in accesses_of(permission_specs()[name], specs).items()
                if not all(open_now.get(each, {}).get(right) for right in _RIGHTS[access])
            }
            short = {name: str(there[name]["Id"]) for name in lacks if name in there}
            short |= {name: str(open_now[name]["Id"]) for name in closed if name in open_now}
            standing.append(
                Standing(
                    spec=permission_specs()[name],
                    id=str(row["Id"]) if row else None,
                    description=str(row.get("Description") or ""),
                    lacks=lacks,
                    closed=closed,
                    rows=short,
                )
            )
        return standing

    def id_of(self, name: str) -> str | None:
        """The id of a set; None while there is none."""
        return next((str(each["Id"]) for each in self._query("PermissionSet", "Name", [name])), None)

    def complete(self, standing: Iterable[Standing]) -> None:
        """Grant what sets that are there lack. Raises SetupError in the org's own words."""
        for each in standing:
            if each.id is None:
                continue
            for kind, wanted in (
                ("ObjectPermissions", {name: _opening(name, each.closed[name]) for name in each.closed}),
                ("FieldPermissions", {name: _granting(name, each.lacks[name]) for name in each.lacks}),
            ):
                new = [
                    {"attributes": {"type": kind}, "ParentId": each.id, **place, **rights}
                    for name, (place, rights) in wanted.items()
                    if name not in each.rows
                ]
                more = [
                    {"attributes": {"type": kind}, "id": each.rows[name], **rights}
                    for name, (_, rights) in wanted.items()
                    if name in each.rows
                ]
                self._send("POST", new, each.spec.name)
                self._send("PATCH", more, each.spec.name)

    def assigned(self, set_ids: Sequence[str], *, only_us: bool = False) -> list[str]:
        """Ids of the assignments of these sets, to anybody or to our user."""
        if not set_ids:
            return []
        where = [soql.Condition(field="PermissionSetId", operator="IN", value=list(set_ids))]
        if only_us:
            where.append(soql.Condition(field="AssigneeId", operator="=", value=self._client.user_id))
        statement = soql.select(["Id"], "PermissionSetAssignment", where=where)
        return [str(each["Id"]) for each in self._client.records(statement)]

    def assigned_by_group(self, names: Sequence[str]) -> list[str]:
        """Ids of the assignments of these permission set groups, to anybody."""
        if not names:
            return []
        where = [soql.Condition(field="PermissionSetGroup.DeveloperName", operator="IN", value=list(names))]
        statement = soql.select(["Id"], "PermissionSetAssignment", where=where)
        return [str(each["Id"]) for each in self._client.records(statement)]

    def assign(self, set_id: str | None) -> None:
        """Give a set to our user."""
        if set_id is None:
            raise TerminalError(
                "The permission set was deployed but can't be found.",
                record=INTEGRATION,
                fix="Give our user 'View Setup and Configuration', then run `upswell install` again.",
            )
        body = {"AssigneeId": self._client.user_id, "PermissionSetId": set_id}
        self._client.set_up("POST", "sobjects/PermissionSetAssignment", body)

    def take_back(self, assignments: Sequence[str]) -> None:
        """Take sets away from whoever has them, since one that somebody has can't be deleted."""
        for start in range(0, len(assignments), _COLLECTION):
            params = {"ids": ",".join(assignments[start : start + _COLLECTION]), "allOrNone": "true"}
            results = self._client.restful("composite/sobjects", method="DELETE", params=params)
            self._check(results, "PermissionSetAssignment")

    def _grants(self, set_ids: Sequence[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """What each set grants now, by set and field."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        names = ("ParentId", "Field", "PermissionsEdit")
        for row in self._query("FieldPermissions", "ParentId", set_ids, names):
            found.setdefault(str(row["ParentId"]), {})[str(row["Field"])] = row
        return found

    def _accesses(self, set_ids: Sequence[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """Which objects each set opens now, by set and object."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        names = ("ParentId", "SobjectType", *_RIGHTS["write"])
        for row in self._query("ObjectPermissions", "ParentId", set_ids, names):
            found.setdefault(str(row["ParentId"]), {})[str(row["SobjectType"])] = row
        return found

    def _query(
        self, sobject: str, field: str, values: Sequence[str], names: Sequence[str] = ("Name", "Description")
    ) -> list[Mapping[str, Any]]:
        if not values:
            return []
        where = [soql.Condition(field=field, operator="IN", value=list(values))]
        return list(self._client.records(soql.select(["Id", *names], sobject, where=where)))

    def _send(self, method: str, records: Sequence[Mapping[str, Any]], name: str) -> None:
        for start in range(0, len(records), _COLLECTION):
            body = {"allOrNone": True, "records": records[start : start + _COLLECTION]}
            self._check(self._client.set_up(method, "composite/sobjects", body), name)

    def _check(self, results: Sequence[Mapping[str, Any]], name: str) -> None:
        """Raises SetupError unless every row was taken."""
        problems = [error for each in results for error in entries_of(list(each.get("errors") or ()))]
        if problems or not all(each.get("success") for each in results):
            said = "; ".join(dict.fromkeys(f"{error.code}: {error.message}" for error in problems))
            raise SetupError(
                self._client.door.redact(f"The org refused it: {said or 'no reason given'}"),
                record=name,
                fix="Let a user who may 'Manage Profiles and Permission Sets' run the install.",
            )


def _opening(name: str, access: str) -> tuple[Mapping[str, Any], Mapping[str, bool]]:
    """Where a row of ObjectPermissions belongs, and what it allows."""
    return {"SobjectType": name}, dict.fromkeys(_RIGHTS[access], True)


def _granting(name: str, editable: bool) -> tuple[Mapping[str, Any], Mapping[str, bool]]:
    """Where a row of FieldPermissions belongs, and what it allows."""
    place = {"SobjectType": name.partition(".")[0], "Field": name}
    return place, {"PermissionsRead": True, "PermissionsEdit": editable}
