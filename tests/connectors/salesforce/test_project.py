"""The project that the Salesforce CLI deploys: generated, whole, and true to the vendor's own schema."""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from connectors.fields import field_specs, group_specs, object_specs, permission_specs
from connectors.salesforce.bundles import bundles
from connectors.salesforce.components import parts_of
from connectors.salesforce.elements import NAMESPACE
from connectors.salesforce.metadata import package
from connectors.salesforce.metadata_reports import REPORTS, column
from connectors.salesforce.project import APART, DEPLOYED, HOME, OURS, files
from connectors.sandbox.salesforce.wsdl import out_of_order, problems
from connectors.views import view_specs

TAG = f"{{{NAMESPACE}}}"
SPECS, OBJECTS = list(field_specs().values()), list(object_specs().values())
ROOT = Path(__file__).parents[3]


def test_the_committed_files_are_those_that_are_generated() -> None:
    """Not one more, not one less: run `python -m connectors.salesforce.project` after a change."""
    committed = {
        str(path.relative_to(HOME)): path.read_bytes()
        for root, folders in OURS.items()
        for folder in folders
        for path in (HOME / root / folder).rglob("*")
        if path.is_file()
    }
    assert committed == dict(files())


def by_schema() -> Iterator[tuple[str, Element]]:
    """Every file of the project, and of a package with everything, but for components."""
    yield from ((path, fromstring(content)) for path, content in files().items())
    parts = parts_of(SPECS, OBJECTS, with_reports=True)
    every = [*SPECS, *(field for each in OBJECTS for field in each.fields.values())]
    tracked = [spec.key for spec in SPECS if spec.track_history]
    sent = package(SPECS, every, version="68.0", tracked=tracked, objects=OBJECTS, parts=parts)
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        for name in archive.namelist():
            if not name.startswith("lwc/"):
                yield f"package: {name}", fromstring(archive.read(name))


def test_every_file_is_valid_by_the_vendors_own_schema() -> None:
    """Element names, their order, the words of enumerations, booleans and numbers: of `metadata.wsdl`."""
    for path, root in by_schema():
        kind = root.tag.removeprefix(TAG)
        if kind != "Package":
            assert list(problems(root, kind)) == [], path
            assert list(out_of_order(root, kind)) == [], path


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        ("<lable>A</lable>", "invalid at this location"),
        ("<enableReports>yes</enableReports>", "xsd:boolean"),
        ("<sharingModel>Secret</sharingModel>", "enum 'SharingModel'"),
        ("<listViews><fullName>A</fullName><label>A</label></listViews>", "filterScope"),
        ("<label>A</label><label>B</label>", "duplicated"),
    ],
)
def test_the_schema_finds_what_is_wrong(inner: str, says: str) -> None:
    """So that the test above means something."""
    root = fromstring(f'<CustomObject xmlns="{NAMESPACE}">{inner}</CustomObject>')
    assert any(says in problem for problem in problems(root, "CustomObject"))


def test_every_component_describes_itself_by_the_schema() -> None:
    """Its targetConfigs aside, which are XML of their own."""
    assert {"expansionPanel", "expansionList"} <= {part.name for part in bundles()}
    for part in bundles():
        root = fromstring(part.files[f"{part.name}.js-meta.xml"])
        for each in root.findall(f"{TAG}targetConfigs"):
            root.remove(each)
        assert list(problems(root, "LightningComponentBundle")) == [], part.name


def test_fields_views_sets_and_report_types_agree() -> None:
    """Every field of ours is in the project, in a set for people, and in a report type; nothing else is."""
    made = files()
    for spec in SPECS:
        home = "Account" if spec.object == "accounts" else "Activity"
        root = fromstring(made[f"{DEPLOYED}/objects/{home}/fields/{spec.salesforce}.field-meta.xml"])
        assert (root.findtext(f"{TAG}label"), root.findtext(f"{TAG}inlineHelpText")) == (
            spec.label,
            spec.help,
        )
        values = [each.text for each in root.findall(f".//{TAG}value/{TAG}fullName")]
        assert values == list(spec.options)
    columns = {
        each.text
        for path, content in made.items()
        if path.endswith(".reportType-meta.xml")
        for each in fromstring(content).iter(f"{TAG}field")
    }
    shown = {
        str(each.text).partition(".")[2]
        for path, content in made.items()
        if path.endswith(".permissionset-meta.xml") and "Integration" not in path
        for each in fromstring(content).iter(f"{TAG}field")
    }
    ours = {spec.salesforce for spec in SPECS if spec.object == "accounts"}
    own = {field.salesforce for each in OBJECTS for field in each.fields.values()}
    assert ours | own <= columns
    assert shown == ours | own | {spec.salesforce for spec in SPECS if spec.object == "tasks"}
    used = {name for spec in group_specs().values() for name in spec.sets}
    assert used == permission_specs().keys() - {"Upswell_Integration"}
    assert len([path for path in made if path.startswith(APART)]) == len(
        [path for path in made if "/reports/" in path or "/dashboards/" in path]
    )


def test_whoever_works_from_a_view_sees_all_of_it() -> None:
    """A CSM's sets show every field that a view of their own shows or asks."""
    csm = group_specs()["Upswell_CSM"]
    seen = {
        key for name in csm.sets for key in (*permission_specs()[name].read, *permission_specs()[name].edit)
    }
    for view in view_specs().values():
        if view.is_own:
            asked = {field.key for field in view.columns} | {each.field.key for each in view.where}
            assert asked <= seen, view.key


def test_no_report_and_no_chart_adds_snapshots_up() -> None:
    """Each tells of all quarters anew: sums are by snapshot or of this week's, and by part of the bridge."""
    dashboard = next(root for path, root in by_schema() if path.endswith("Expansion_Forecast.dashboard"))
    charts = {
        each.findtext(f"{TAG}report"): [grouping.text for grouping in each.iter(f"{TAG}groupingColumn")]
        for each in dashboard.iter(f"{TAG}dashboardComponent")
    }
    assert charts.keys() == {f"Upswell/{spec.name}" for spec in REPORTS}
    for spec in REPORTS:
        chart = charts[f"Upswell/{spec.name}"]
        assert chart == [column(spec, key) for key in spec.chart]
        assert set(spec.chart) <= {*spec.down, *spec.across}
        if spec.object == "forecasts":
            assert "snapshot" in spec.down
            assert "snapshot" in spec.chart or spec.interval == "INTERVAL_THISWEEK", spec.name
            assert "component" in {*spec.chart, *(key for key, _ in spec.where)}, spec.name


def test_the_names_keep_to_the_vendors_limits() -> None:
    """Labels of 40 characters, descriptions of 255 and help of 510."""
    for spec in [*SPECS, *(field for each in OBJECTS for field in each.fields.values())]:
        assert len(spec.label) <= 40
        assert len(spec.help) <= 255  # a report type's description may be one
    for each in (*permission_specs().values(), *group_specs().values()):
        assert len(each.label) <= 80
        assert len(each.description) <= 255
    for view in view_specs().values():
        assert len(view.label) <= 40
        assert re.fullmatch(r"Upswell_\w+", view.salesforce)


def test_the_wheel_bears_the_project_and_no_tests_of_it() -> None:
    """What an install deploys is data of the Python package."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "package/force-app/**/*" in told["package-data"]["connectors.salesforce"]
    assert "package/**/__tests__/*" in told["exclude-package-data"]["connectors.salesforce"]
