"""List views, report types, reports, dashboards and components of a package: checked, and kept as they come.

Sources: "ListView", "ReportType", "Report", "Dashboard" and "LightningComponentBundle", Metadata API
Developer Guide; "Report Type Limits" and "Report and Dashboard Limits", Salesforce Help.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, tostring

from connectors.sandbox.salesforce.custom_field import NAMESPACE, FieldProblemError, text
from connectors.sandbox.salesforce.outcome import Bench, Members, Outcome
from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.store import TEXT, Store

TABLE: Final = "metadata_parts"
_COLUMNS: Final = {"kind": TEXT, "name": TEXT, "file": TEXT, "content": TEXT}
MAX_COLUMNS, MAX_FILTERS = 15, 10  # of a list view
MAX_COMPONENTS = 20  # of a dashboard
_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_)){0,79}\Z")
_LABEL = 40
_STANDARD: Final = frozenset({"ACCOUNT.NAME", "CORE.USERS.ALIAS", "ACCOUNT.TYPE", "ACCOUNT.INDUSTRY"})
_COMPARED: Final = {  # which operations go with which kind of field, "Filter Operators"
    "multipicklist": frozenset({"equals", "notEqual", "includes", "excludes"}),
    "picklist": frozenset({"equals", "notEqual", "contains", "notContain", "startsWith"}),
    "boolean": frozenset({"equals", "notEqual"}),
}
_ORDERED: Final = frozenset(
    {"equals", "notEqual", "lessThan", "greaterThan", "lessOrEqual", "greaterOrEqual"}
)
_IMPORT: Final = re.compile(r"""from\s+['"]c/(\w+)['"]""")
_TAG: Final = re.compile(r"<c-([a-z0-9-]+)")


def held(store: Store, kind: str) -> dict[str, dict[str, str]]:
    """The files of every component of a kind, by the component's name and the file's."""
    found: dict[str, dict[str, str]] = {}
    if store.columns(TABLE):
        rows = store.select(f"SELECT name, file, content FROM {TABLE} WHERE kind = ?", (kind,))  # noqa: S608  # a name of this file
        for name, file, content in rows:
            found.setdefault(str(name), {})[str(file)] = str(content)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The org's components of these kinds, as a deploy changes them."""

    bench: Bench

    def list_views(self, path: str, home: str, root: Element, members: Members) -> Iterator[Outcome]:
        """What became of the list views in the file of an object."""
        sobject = self.bench.schema.find(home)
        for element in root.findall(NAMESPACE + "listViews"):
            name = f"{home}.{text(element, 'fullName')}"
            try:
                if name not in members.get("ListView", ()):
                    raise FieldProblemError(f"{name} is in {path} but not in package.xml")
                if sobject is None:
                    raise FieldProblemError(f"{home} is no object of this org")
                _check_view(sobject, element)
                yield self._keep("ListView", path, name, {"xml": _written(element)})
            except FieldProblemError as problem:
                yield Outcome(kind="ListView", file=path, name=name, problem=str(problem))

    def report_type(self, path: str, name: str, root: Element, members: Members) -> list[Outcome]:
        """What became of a report type."""
        _named("ReportType", path, name, members)
        base = self.bench.schema.find(text(root, "baseObject") or "")
        if base is None:
            raise FieldProblemError(
                f"In field: baseObject - no CustomObject named {text(root, 'baseObject')}"
            )
        if len(text(root, "label") or "") > 50:
            raise FieldProblemError("Value too long for field: label maximum length is:50")
        for entry in root.iter(NAMESPACE + "columns"):
            if text(entry, "table") != base.name:
                raise FieldProblemError(
                    f"The table {text(entry, 'table')} is not among the report type's objects"
                )
            self._field(base, text(entry, "field") or "")
        return [self._keep("ReportType", path, name, {"xml": _written(root)})]

    def folder(self, path: str, name: str, root: Element, members: Members) -> list[Outcome]:
        """What became of a folder of reports or of dashboards."""
        kind = root.tag.removeprefix(NAMESPACE)
        _named(kind.removesuffix("Folder"), path, name, members)
        return [self._keep(kind, path, name, {"xml": _written(root)})]

    def report(self, path: str, name: str, root: Element, members: Members) -> list[Outcome]:
        """What became of a report."""
        _named("Report", path, name, members)
        self._in_folder("ReportFolder", name)
        if len(text(root, "name") or "") > _LABEL or len(text(root, "description") or "") > 255:
            raise FieldProblemError("A report's name holds 40 characters, its description 255")
        kind = (text(root, "reportType") or "").removesuffix("__c")
        files = held(self.bench.store, "ReportType").get(kind)
        if files is None:
            raise FieldProblemError(f"invalid report type: {kind}")
        down, across = (len(root.findall(NAMESPACE + f"groupings{way}")) for way in ("Down", "Across"))
        most = {"Tabular": (0, 0), "Summary": (3, 0), "Matrix": (2, 2)}[text(root, "format") or "Tabular"]
        if down > most[0] or across > most[1] or (text(root, "format") == "Matrix" and not (down and across)):
            raise FieldProblemError(
                f"A {text(root, 'format')} report can't be grouped by {down} and {across}"
            )
        used = [text(each, "field") for each in root if each.tag.endswith(("columns", "Down", "Across"))]
        used += [text(each, "column") for each in root.iter(NAMESPACE + "criteriaItems")]
        used += [text(each, "dateColumn") for each in root.iter(NAMESPACE + "timeFrameFilter")]
        for column in used:
            table, _, field = str(column).partition("$")
            if f"<field>{field}</field><table>{table}</table>" not in files["xml"]:
                raise FieldProblemError(f"{column} is not a column of the report type {kind}")
        return [self._keep("Report", path, name, {"xml": _written(root)})]

    def dashboard(self, path: str, name: str, root: Element, members: Members) -> list[Outcome]:
        """What became of a dashboard."""
        _named("Dashboard", path, name, members)
        self._in_folder("DashboardFolder", name)
        components = list(root.iter(NAMESPACE + "dashboardComponent"))
        if not 0 < len(components) <= MAX_COMPONENTS:
            raise FieldProblemError(f"A dashboard holds 1 to {MAX_COMPONENTS} components")
        known = held(self.bench.store, "Report")
        for each in components:
            if text(each, "report") not in known:
                raise FieldProblemError(f"no Report named {text(each, 'report')} found")
        return [self._keep("Dashboard", path, name, {"xml": _written(root)})]

    def bundle(self, name: str, files: dict[str, str], members: Members) -> Outcome:
        """What became of a Lightning web component, all of whose files come together."""
        path = f"lwc/{name}"
        _named("LightningComponentBundle", path, name, members)
        if not re.fullmatch(r"[a-z](?:[A-Za-z0-9]|_(?!_))*", name):
            raise FieldProblemError(f"{name} is no name of a Lightning web component")
        if f"{name}.js-meta.xml" not in files:
            raise FieldProblemError(f"{path}: Cannot find {name}.js-meta.xml")
        if f"{name}.html" in files and f"{name}.js" not in files:
            raise FieldProblemError(f"{path}: Cannot find Lightning Component Bundle {name}.js")
        foreign = [each for each in files if not each.endswith((".js", ".html", ".css", ".svg", "-meta.xml"))]
        if foreign:
            raise FieldProblemError(f"{path}: {foreign[0]} is no file of a Lightning web component")
        return self._keep("LightningComponentBundle", path, name, files)

    def missing_bundles(self) -> Iterator[str]:
        """Why a component of the org can't work: it uses one that is not there."""
        there = held(self.bench.store, "LightningComponentBundle")
        for name, files in there.items():
            for content in files.values():
                used = set(_IMPORT.findall(content)) | {_camel(tag) for tag in _TAG.findall(content)}
                for other in sorted(used - there.keys()):
                    yield f"lwc/{name}: No MODULE named markup://c:{other} found"

    def destroy(self, kind: str, path: str, name: str) -> Outcome:
        """What became of the deletion of a component."""
        there = next((each for each in (kind, f"{kind}Folder") if name in held(self.bench.store, each)), None)
        if there is None:
            problem = f"No {kind} named: {name} found"
            return Outcome(kind=kind, file=path, name=name, problem=problem)
        with self.bench.store.transaction() as sql:
            sql.execute(f"DELETE FROM {TABLE} WHERE kind = ? AND name = ?", (there, name))  # noqa: S608  # a name of this file
        return Outcome(kind=kind, file=path, name=name, deleted=True)

    def uses(self, object_name: str) -> list[str]:
        """The report types over an object, which can't be deleted while there are any."""
        mark = f"<baseObject>{object_name}</baseObject>"
        return [name for name, files in held(self.bench.store, "ReportType").items() if mark in files["xml"]]

    def _in_folder(self, kind: str, name: str) -> None:
        folder = name.partition("/")[0]
        if folder not in held(self.bench.store, kind):
            raise FieldProblemError(f"Cannot find folder:{folder}")

    def _field(self, sobject: SObject, path: str) -> Field:
        """The field at the end of a path over lookups: Account__c.Owner.Name. Raises FieldProblemError."""
        head, _, rest = path.partition(".")
        field = sobject.relationship(head) or sobject.field(head)
        if field is None:
            raise FieldProblemError(f"In field: field - no CustomField named {sobject.name}.{head} found")
        if not rest:
            return field
        target = self.bench.schema.find(field.references[0]) if field.references else None
        if target is None:
            raise FieldProblemError(f"{sobject.name}.{head} leads nowhere: {path}")
        return self._field(target, rest)

    def _keep(self, kind: str, path: str, name: str, files: dict[str, str]) -> Outcome:
        store = self.bench.store
        store.define(TABLE, _COLUMNS, key="")
        before = held(store, kind).get(name)
        with store.transaction() as sql:
            sql.execute(f"DELETE FROM {TABLE} WHERE kind = ? AND name = ?", (kind, name))  # noqa: S608  # a name of this file
        rows = [{"kind": kind, "name": name, "file": f, "content": c} for f, c in files.items()]
        store.bulk_insert(TABLE, rows)
        told = kind.removesuffix("Folder")
        return Outcome(
            kind=told, file=path, name=name, created=before is None, changed=before not in (None, files)
        )


def _named(kind: str, path: str, name: str, members: Members) -> None:
    if name not in members.get(kind, ()):
        raise FieldProblemError(f"{name} is in {path} but not in package.xml")


def _check_view(sobject: SObject, element: Element) -> None:
    """Raises FieldProblemError for a list view against the rules."""
    if not _NAME.match(text(element, "fullName") or ""):
        raise FieldProblemError(f"{text(element, 'fullName')} is no name of a list view")
    if len(text(element, "label") or "") > _LABEL:
        raise FieldProblemError(f"Value too long for field: label maximum length is:{_LABEL}")
    columns = [each.text or "" for each in element.findall(NAMESPACE + "columns")]
    filters = element.findall(NAMESPACE + "filters")
    if len(columns) > MAX_COLUMNS or len(filters) > MAX_FILTERS:
        raise FieldProblemError(f"A list view has at most {MAX_COLUMNS} columns and {MAX_FILTERS} filters")
    for name in columns:
        _shown(sobject, name)
    for each in filters:
        field = _shown(sobject, text(each, "field") or "")
        operation, value = text(each, "operation"), text(each, "value")
        kind = "string" if field is None else field.type
        allowed = _COMPARED.get(kind, _ORDERED | {"contains", "notContain", "startsWith"})
        if operation not in allowed:
            raise FieldProblemError(f"{operation} does not go with a filter on {text(each, 'field')}")
        if field is not None and field.restricted and value is not None:
            unknown = [each for each in value.split(",") if each not in field.values]
            if unknown:
                raise FieldProblemError(f"Picklist value: {unknown[0]} in picklist: {field.name} not found")


def _shown(sobject: SObject, name: str) -> Field | None:
    """The field behind a column, None for one of the vendor's own names. Raises FieldProblemError."""
    field = sobject.field(name) if name.endswith("__c") else None
    if field is None and name not in _STANDARD:
        raise FieldProblemError(f"Could not resolve list view column: {name}")
    if field is not None and field.long_text:
        raise FieldProblemError(f"A list view can't show the long text {name}")
    return field


def _written(root: Element) -> str:
    """The element as text, in which a name of the vendor's namespace stands without it."""
    return re.sub(r"(</?)ns0:", r"\1", tostring(root, encoding="unicode")).replace("\n", "")


def _camel(tag: str) -> str:
    head, *rest = tag.split("-")
    return head + "".join(part.capitalize() for part in rest)
