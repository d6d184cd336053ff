"""One thing of ours in an org beside objects, fields and permission sets: its kind, its name, its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element

# where a package and a project keep a part of each kind, as far as both call it the same
_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PermissionSetGroup": "permissionsetgroups/{}.permissionsetgroup",
        "ReportType": "reportTypes/{}.reportType",
        "Report": "reports/{}.report",
        "Dashboard": "dashboards/{}.dashboard",
        "ReportFolder": "reports/{}",
        "DashboardFolder": "dashboards/{}",
    }
)
_IN_PROJECT: Final[Mapping[str, str]] = MappingProxyType(
    {"ReportFolder": ".reportFolder", "DashboardFolder": ".dashboardFolder"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One component. `root` is what its file holds; a bundle has `files` by name instead."""

    kind: str
    name: str  # as the Metadata API names it: Account.Upswell_Stale_Data, Upswell_CSM, Upswell/NRR_Bridge
    root: Element | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.kind}.{self.name}"

    @property
    def path(self) -> str:
        """Its file in a package. Raises KeyError for a kind that has none of its own."""
        ending = "-meta.xml" if self.kind in _IN_PROJECT else ""
        return _PATHS[self.kind].format(self.name) + ending

    @property
    def source(self) -> str:
        """Its file in a project; a list view lies with its object there."""
        if self.kind == "ListView":
            home, _, name = self.name.partition(".")
            return f"objects/{home}/listViews/{name}.listView-meta.xml"
        return f"{_PATHS[self.kind].format(self.name)}{_IN_PROJECT.get(self.kind, '')}-meta.xml"
