"""What of ours the org has beside objects, fields and permission sets, and what it lacks.

A part that is there is kept as it is, since an administrator may have changed it. Components are code and not
settings: one whose sources are others is deployed anew ("LightningComponentResource", Tooling API Reference).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import ParseError, canonicalize

from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec, permission_specs
from connectors.installing import InstallReport, InstallStep
from connectors.salesforce.bundles import KIND as BUNDLE
from connectors.salesforce.bundles import bundles
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.deploy import Deployer
from connectors.salesforce.metadata import package
from connectors.salesforce.metadata_report_types import report_types
from connectors.salesforce.metadata_reports import FOLDER, reports
from connectors.salesforce.metadata_sets import grants_of, groups
from connectors.salesforce.metadata_views import list_views
from connectors.salesforce.parts import Part
from connectors.salesforce.tooling import bundle_descriptions, bundle_sources

_IN_FOLDERS: Final = {"Report": FOLDER, "Dashboard": FOLDER}
_REPORTS: Final = frozenset({"ReportFolder", "Report", "DashboardFolder", "Dashboard"})
_META: Final = "-meta.xml"
_TO_DO: Final = frozenset({"create", "update"})
_OURS: Final = "Upswell"  # what the description of every component of ours says


def parts_of(
    specs: Sequence[FieldSpec],
    objects: Sequence[ObjectSpec],
    *,
    with_reports: bool,
    own: Mapping[str, str] = MappingProxyType({}),
) -> list[Part]:
    """Every part over these fields and objects, in the order in which they need each other.

    `own` are the fields that RevOps mapped in place of ours, by our key: the components read them."""
    every = [*specs, *(field for each in objects for field in each.fields.values())]
    sets = [name for name, spec in permission_specs().items() if dict(grants_of(spec, every))]
    keys = {spec.key for spec in specs if spec.object == "accounts"}
    parts = [*groups(sets), *list_views(keys), *report_types(specs, objects), *bundles(own)]
    return [*parts, *(reports(objects) if with_reports else ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """The parts of one org."""

    client: SalesforceClient
    deployer: Deployer

    def install(self, parts: Sequence[Part], *, apply: bool) -> InstallReport:
        """What is there and what is missing; with `apply`, the missing is created and older code renewed.

        Apart from the fields: what an org refuses of this is left out and told, in the org's own words."""
        warnings: list[str] = []
        standing = self.standing(parts, warnings)
        refused: list[str] = []
        for of_reports in (False, True) if apply else ():
            due = [part for part, action in standing if action in _TO_DO]
            wanted = [part for part in due if (part.kind in _REPORTS) == of_reports]
            if wanted and (said := self._deploy(wanted)):
                refused += [part.key for part in wanted]
                what = "reports" if of_reports else "list views, report types, groups and components"
                warnings.append(f"Without the {what}, of which the org refused some, in its words: {said}")
        steps = [step_of(part, action) for part, action in standing if part.key not in refused]
        return InstallReport(steps=tuple(steps), applied=apply, warnings=tuple(warnings))

    def _deploy(self, parts: Sequence[Part]) -> str:
        """Deploy them, all or none; why the org refused, empty if it took them."""
        version = self.client.settings.api_version
        outcome = self.deployer.deploy(package((), (), version=version, sets=(), parts=parts))
        return "" if outcome.succeeded else outcome.said

    def standing(self, parts: Sequence[Part], warnings: list[str]) -> list[tuple[Part, str]]:
        """Each part with what there is to do: create, update or keep; differs where a component is another's,
        and then none of ours is made, since ours use each other by name.

        Where our user may not see what is there, none, and a warning: they would be deployed over changes."""
        try:
            there = self.there(parts)
            foreign = self.foreign(parts, there)
            held = self._sources(parts, there)
        except LoginError:
            raise
        except (TerminalError, SetupError) as error:
            warnings.append(
                "Neither components, list views nor report types were looked at, and none is made: "
                f"{error.message}"
            )
            return []
        if foreign:
            warnings.append(
                f"Without the panel: the org has components of its own called {', '.join(sorted(foreign))}. "
                "Rename them if you want it."
            )
        return [
            (part, "differs" if part.name in foreign else _action(part, there, held))
            for part in parts
            if part.kind != BUNDLE or not foreign or part.name in foreign
        ]

    def there(self, parts: Iterable[Part]) -> frozenset[tuple[str, str]]:
        """Kind and name of those of the org's components that are of these kinds."""
        kinds = dict.fromkeys((part.kind, _IN_FOLDERS.get(part.kind, "")) for part in parts)
        return self.deployer.there(list(kinds))

    def foreign(self, parts: Iterable[Part], there: Collection[tuple[str, str]]) -> frozenset[str]:
        """The names of those components that somebody else made: they do not say that they are ours."""
        names = [part.name for part in parts if part.kind == BUNDLE and (BUNDLE, part.name) in there]
        told = bundle_descriptions(self.client, names) if names else {}
        return frozenset(name for name, description in told.items() if _OURS not in description)

    def _sources(
        self, parts: Sequence[Part], there: Collection[tuple[str, str]]
    ) -> Mapping[str, Mapping[str, str]]:
        """The sources of our components as the org holds them, by component and file."""
        names = [part.name for part in parts if part.kind == BUNDLE and (BUNDLE, part.name) in there]
        return bundle_sources(self.client, names) if names else {}


def step_of(part: Part, action: str) -> InstallStep:
    """What there is to do for a part."""
    details = {
        "update": "its sources are of another version",
        "differs": "not made by Upswell: its description is another's",
    }
    detail = details.get(action, "")
    return InstallStep(object=part.kind, name=part.name, action=action, detail=detail)


def _action(part: Part, there: Collection[tuple[str, str]], held: Mapping[str, Mapping[str, str]]) -> str:
    if (part.kind, part.name) not in there:
        return "create"
    return "update" if part.kind == BUNDLE and _differs(part, held.get(part.name, {})) else "keep"


def _differs(part: Part, held: Mapping[str, str]) -> bool:
    """Whether a file of the component is another in the org, or is missing or too many there."""
    ours = {name: content.decode() for name, content in part.files.items()}
    told = {name for name in held if not name.endswith(_META)}
    if told != {name for name in ours if not name.endswith(_META)}:
        return True
    return any(_plain(name, text) != _plain(name, ours.get(name, text)) for name, text in held.items())


def _plain(name: str, text: str) -> str:
    """The text without what carries no meaning; the org lays a component's description out anew."""
    if name.endswith(_META):
        try:
            return canonicalize(text, strip_text=True)
        except ParseError:
            return text
    return text.replace("\r\n", "\n").strip()
