"""Reports and a dashboard for finance, over the report types of our own objects.

Metadata API Developer Guide: "Report", "Dashboard". They are examples to begin with: sums are over rows of
one snapshot, so every report is grouped by the snapshot, or looks at this week's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.fields import ObjectSpec, object_specs
from connectors.salesforce.elements import add, root_of
from connectors.salesforce.metadata_report_types import report_type_of
from connectors.salesforce.parts import Part

FOLDER: Final = "Upswell"
_SUM, _MEAN = "Sum", "Average"
_ANY_DAY = "INTERVAL_CUSTOM"
_THIS_WEEK = "INTERVAL_THISWEEK"
_COLUMNS: Final = 12  # of a dashboard's grid
_WIDTH: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec:
    """One report: over which object, grouped how, which figures, and which rows.

    `down`, `across`, `chart` and the fields of `figures` and `where` are keys of the object's fields. `chart`
    are two of the groupings: of the dashboard's columns, and of those that stand beside each other in one."""

    name: str
    label: str
    about: str
    object: str
    down: tuple[str, ...]
    across: tuple[str, ...] = ()
    chart: tuple[str, str]
    figures: tuple[tuple[str, str], ...]
    where: tuple[tuple[str, str], ...] = ()
    interval: str = _ANY_DAY


_EXPANSION: Final = (("component", "expansion,expansion_new"),)  # of customers, and of those who were none
REPORTS: Final = (
    ReportSpec(
        name="Expected_Expansion_ARR",
        label="Expected Expansion ARR",
        about="What this week's snapshot expects, by fiscal quarter, product and segment.",
        object="forecasts",
        down=("snapshot", "quarter"),
        across=("product", "segment"),
        chart=("quarter", "snapshot"),
        figures=(("amount", _SUM),),
        where=_EXPANSION,
        interval=_THIS_WEEK,
    ),
    ReportSpec(
        name="Expected_Expansion_ARR_by_Owner",
        label="Expected Expansion ARR by Owner",
        about="What this week's snapshot expects, by fiscal quarter, owner and product.",
        object="forecasts",
        down=("snapshot", "owner"),
        across=("quarter", "product"),
        chart=("owner", "snapshot"),
        figures=(("amount", _SUM),),
        where=_EXPANSION,
        interval=_THIS_WEEK,
    ),
    ReportSpec(
        name="Forecast_Against_Actual",
        label="Forecast Against Actual",
        about="What each snapshot expected of a fiscal quarter, and what came of it.",
        object="forecasts",
        down=("quarter", "snapshot"),
        chart=("quarter", "snapshot"),
        figures=(("amount", _SUM), ("actual", _SUM)),
        where=_EXPANSION,
    ),
    ReportSpec(
        name="NRR_Bridge",
        label="NRR Bridge",
        about="This week's snapshot: NRR = (opening + expansion - contraction - churn) / opening.",
        object="forecasts",
        down=("snapshot", "quarter"),
        across=("component",),
        chart=("quarter", "component"),
        figures=(("amount", _SUM),),
        interval=_THIS_WEEK,
    ),
    ReportSpec(
        name="Calibration_by_Tier",
        label="Calibration by Tier",
        about="What each snapshot expected of the accounts of each tier in a fiscal quarter, and what came.",
        object="forecasts",
        down=("tier", "quarter", "snapshot"),
        chart=("tier", "snapshot"),
        figures=(("amount", _SUM), ("actual", _SUM), ("probability", _MEAN)),
        where=_EXPANSION,
    ),
    ReportSpec(
        name="CSM_Call_Against_Model",
        label="CSM's Call Against the Model",
        about="What people said of a score, what the model had said, and what came of it.",
        object="feedback",
        down=("csm_call", "tier"),
        across=("outcome",),
        chart=("csm_call", "tier"),
        figures=(("probability", _MEAN),),
        where=(("csm_call", "agree,higher,lower"),),
    ),
)


def reports(objects: Iterable[ObjectSpec]) -> list[Part]:
    """The folder and the reports over these objects, and the dashboard of them; none without any."""
    keys = {each.key for each in objects}
    wanted = [spec for spec in REPORTS if spec.object in keys]
    if not wanted:
        return []
    made = [Part(kind="Report", name=f"{FOLDER}/{spec.name}", root=_report(spec)) for spec in wanted]
    dashboard = Part(kind="Dashboard", name=f"{FOLDER}/Expansion_Forecast", root=_dashboard(wanted))
    return [
        Part(kind="ReportFolder", name=FOLDER, root=_folder("ReportFolder")),
        *made,
        Part(kind="DashboardFolder", name=FOLDER, root=_folder("DashboardFolder")),
        dashboard,
    ]


def _folder(kind: str) -> Element:
    root = root_of(kind)
    add(root, "accessType", "Public")
    add(root, "name", FOLDER)
    add(root, "publicFolderAccess", "ReadOnly")
    return root


def column(spec: ReportSpec, key: str) -> str:
    """How a report names a field of its object."""
    held = object_specs()[spec.object]
    return f"{held.salesforce}${held.fields[key].salesforce}"


def _report(spec: ReportSpec) -> Element:
    """One Report in the schema's order."""
    root = root_of("Report")
    for key, summary in spec.figures:
        entry = SubElement(root, "columns")
        add(entry, "aggregateTypes", summary)
        add(entry, "field", column(spec, key))
    add(root, "description", spec.about)
    if spec.where:
        where = SubElement(root, "filter")
        for key, value in spec.where:
            entry = SubElement(where, "criteriaItems")
            add(entry, "column", column(spec, key))
            add(entry, "columnToColumn", False)
            add(entry, "isUnlocked", True)
            add(entry, "operator", "equals")
            add(entry, "value", value)
    add(root, "format", "Matrix" if spec.across else "Summary")
    for tag, keys in (("groupingsAcross", spec.across), ("groupingsDown", spec.down)):
        for key in keys:
            _grouping(root, tag, spec, key)
    add(root, "name", spec.label)
    add(root, "reportType", f"{report_type_of(object_specs()[spec.object])}__c")
    add(root, "scope", "organization")
    add(root, "showDetails", False)
    add(root, "showGrandTotal", True)
    add(root, "showSubTotals", True)
    frame = SubElement(root, "timeFrameFilter")
    add(frame, "dateColumn", column(spec, "snapshot" if spec.object == "forecasts" else "seen_at"))
    add(frame, "interval", spec.interval)
    return root


def _grouping(root: Element, tag: str, spec: ReportSpec, key: str) -> None:
    entry = SubElement(root, tag)
    if object_specs()[spec.object].fields[key].type == "date":
        add(entry, "dateGranularity", "Day")
    add(entry, "field", column(spec, key))
    add(entry, "sortOrder", "Asc")


def _dashboard(wanted: Sequence[ReportSpec]) -> Element:
    """One Dashboard in the schema's order: a chart of each report, two beside each other."""
    root = root_of("Dashboard")
    add(root, "backgroundEndColor", "#FFFFFF")
    add(root, "backgroundFadeDirection", "Diagonal")
    add(root, "backgroundStartColor", "#FFFFFF")
    add(root, "chartTheme", "light")
    add(root, "colorPalette", "unity")
    layout = SubElement(root, "dashboardGridLayout")
    for place, spec in enumerate(wanted):
        cell = SubElement(layout, "dashboardGridComponents")
        add(cell, "colSpan", str(_WIDTH))
        add(cell, "columnIndex", str(place * _WIDTH % _COLUMNS))
        _component(SubElement(cell, "dashboardComponent"), spec)
        add(cell, "rowIndex", str(place * _WIDTH // _COLUMNS * 8))
        add(cell, "rowSpan", "8")
    add(layout, "numberOfColumns", str(_COLUMNS))
    add(layout, "rowHeight", "36")
    add(root, "dashboardType", "LoggedInUser")
    add(root, "description", "What to expect of expansions, and how well it was expected.")
    add(root, "isGridLayout", True)
    add(root, "textColor", "#000000")
    add(root, "title", "Expansion Forecast")
    add(root, "titleColor", "#000000")
    add(root, "titleSize", "12")
    return root


def _component(root: Element, spec: ReportSpec) -> None:
    key, summary = spec.figures[0]
    chart = SubElement(root, "chartSummary")
    add(chart, "aggregate", summary)
    add(chart, "axisBinding", "y")
    add(chart, "column", column(spec, key))
    add(root, "componentType", "ColumnGrouped")
    add(root, "displayUnits", "Auto")
    add(root, "drillEnabled", False)
    add(root, "drillToDetailEnabled", False)
    add(root, "enableHover", False)
    add(root, "expandOthers", False)
    for each in spec.chart:  # or it would sum over snapshots, each of which tells of all quarters anew
        add(root, "groupingColumn", column(spec, each))
    add(root, "header", spec.label)
    add(root, "legendPosition", "Bottom")
    add(root, "report", f"{FOLDER}/{spec.name}")
    add(root, "showPercentage", False)
    add(root, "showValues", True)
    add(root, "sortBy", "RowLabelAscending")
    add(root, "useReportChart", False)
