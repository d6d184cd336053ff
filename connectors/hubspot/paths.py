"""Every path of HubSpot's API that we call, in the dialect that the settings choose.

HubSpot versions by date since March 2026 (Developer documentation, "API versioning", and the reference
pages under /docs/api-reference/2026-03 and /2026-09): the version follows the API's name instead of
preceding it, and what was v4 for associations has the same date as the rest. Bodies are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from connectors.errors import SettingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """One dialect's roots, and the paths below them."""

    dialect: str
    objects: str
    links: str
    properties: str
    pipelines: str
    owners: str
    account: str
    limits_root: str
    currencies: str
    object_schemas: str
    lists: str
    token: str

    def records(self, object_name: str) -> str:
        """GET: a page of records."""
        return f"{self.objects}/{object_name}"

    def batch(self, object_name: str, verb: str) -> str:
        """POST: read, create or update up to 100 records."""
        return f"{self.objects}/{object_name}/batch/{verb}"

    def search(self, object_name: str) -> str:
        """POST: a page of search results."""
        return f"{self.objects}/{object_name}/search"

    def links_of(self, source: str, target: str) -> str:
        """POST: the associations of up to 1,000 records."""
        return f"{self.links}/{source}/{target}/batch/read"

    def labels(self, source: str, target: str) -> str:
        """GET: the types of association between two objects."""
        return f"{self.links}/{source}/{target}/labels"

    def properties_of(self, object_name: str) -> str:
        """GET: the object's property definitions."""
        return f"{self.properties}/{object_name}"

    def property_of(self, object_name: str, name: str) -> str:
        """GET and PATCH: one property definition."""
        return f"{self.properties}/{object_name}/{name}"

    def new_properties(self, object_name: str) -> str:
        """POST: up to 100 new properties."""
        return f"{self.properties}/{object_name}/batch/create"

    def old_properties(self, object_name: str) -> str:
        """POST: up to 100 properties to archive."""
        return f"{self.properties}/{object_name}/batch/archive"

    def group(self, object_name: str, name: str) -> str:
        """DELETE: a property group."""
        return f"{self.properties}/{object_name}/groups/{name}"

    def groups(self, object_name: str) -> str:
        """GET and POST: the object's property groups."""
        return f"{self.properties}/{object_name}/groups"

    def pipelines_of(self, object_name: str) -> str:
        """GET: pipelines and their stages."""
        return f"{self.pipelines}/{object_name}"

    def limits(self, what: str) -> str:
        """GET: how much of something the account's tier allows, and how much is there."""
        return f"{self.limits_root}/{what}"

    def list_of(self, list_id: str) -> str:
        """DELETE: a list."""
        return f"{self.lists}/{list_id}"

    @property
    def searched_lists(self) -> str:
        """POST: the lists whose name contains a text."""
        return f"{self.lists}/search"

    @property
    def schemas(self) -> str:
        """GET and POST: the account's custom objects."""
        return self.object_schemas

    def schema_of(self, object_name: str) -> str:
        """DELETE: a custom object; with archived=true for good."""
        return f"{self.object_schemas}/{object_name}"

    @property
    def exchange_rates(self) -> str:
        """GET: what each of the account's currencies was worth since when."""
        return f"{self.currencies}/exchange-rates"

    @property
    def token_info(self) -> str:
        """POST: what a static token may do; this path has no date in any dialect."""
        return "/oauth/v2/private-apps/get/access-token-info"

    @property
    def details(self) -> str:
        """GET: which account this is."""
        return f"{self.account}/details"


def _dated(version: str) -> Paths:
    return Paths(
        dialect=version,
        objects=f"/crm/objects/{version}",
        links=f"/crm/associations/{version}",
        properties=f"/crm/properties/{version}",
        pipelines=f"/crm/pipelines/{version}",
        owners=f"/crm/owners/{version}",
        account=f"/account-info/{version}",
        limits_root=f"/crm/limits/{version}",
        currencies=f"/settings/currencies/{version}",
        object_schemas=f"/crm-object-schemas/{version}/schemas",
        lists=f"/crm/lists/{version}",
        token=f"/oauth/{version}/token",
    )


DIALECTS: Final[Mapping[str, Paths]] = MappingProxyType(
    {
        "v3": Paths(
            dialect="v3",
            objects="/crm/v3/objects",
            links="/crm/v4/associations",
            properties="/crm/v3/properties",
            pipelines="/crm/v3/pipelines",
            owners="/crm/v3/owners",
            account="/account-info/v3",
            limits_root="/crm/v3/limits",
            currencies="/settings/v3/currencies",
            object_schemas="/crm-object-schemas/v3/schemas",
            lists="/crm/v3/lists",
            token="/oauth/v1/token",  # noqa: S106  # an address
        ),
        "2026-03": _dated("2026-03"),
        "2026-09": _dated("2026-09"),
    }
)


def paths_of(dialect: str) -> Paths:
    """The paths of a dialect. Raises SettingError for one that is not known here."""
    if dialect not in DIALECTS:
        raise SettingError(
            f"'{dialect}' is no version of HubSpot's API that this version of Upswell speaks.",
            setting="crm.hubspot.api_version",
            searched=(),
            fix=f"Use one of: {', '.join(DIALECTS)}.",
        )
    return DIALECTS[dialect]
