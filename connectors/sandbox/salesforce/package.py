"""A Metadata API package applied to the org: all of it, or none of it and the reasons.

Sources: "deploy()", "package.xml Manifest File" and "Deleting Components from an Organization", Metadata API
Developer Guide.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from xml.etree.ElementTree import Element, ParseError, fromstring

from connectors.sandbox.salesforce.custom_field import NAMESPACE, FieldProblemError, text
from connectors.sandbox.salesforce.outcome import Bench, Members, Outcome
from connectors.sandbox.salesforce.package_objects import Objects
from connectors.sandbox.salesforce.package_parts import Parts
from connectors.sandbox.salesforce.package_sets import Groups, Sets
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.salesforce.wsdl import problems
from connectors.sandbox.store import Store

_DESTRUCTION = "destructiveChanges.xml"
_MANIFEST = "package.xml"
_BUNDLES = "lwc"
_FOLDER = "-meta.xml"  # how the file of a folder of reports or dashboards ends
_PARTS = ("Dashboard", "Report", "ReportType", "ListView", "LightningComponentBundle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder of a package: what its files are called, their type in the schema, and who takes them."""

    suffix: str
    kind: str
    take: Callable[[str, str, Element, Members], list[Outcome]]


class PackageRefusedError(Exception):
    """Some component failed, so nothing stays; `outcomes` tell of each."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__("; ".join(str(o.problem) for o in outcomes if o.problem))
        self.outcomes = outcomes


class Deployment:
    """Applies one package; `now` and `user_id` stamp what it makes."""

    def __init__(self, *, store: Store, schema: Schema, now: str, user_id: str) -> None:
        self._store = store
        self._schema = schema
        bench = Bench(store=store, schema=schema, now=now, user_id=user_id)
        self._parts = Parts(bench=bench)
        objects, sets, groups = (
            Objects(bench=bench, parts=self._parts),
            Sets(bench=bench),
            Groups(bench=bench),
        )
        # in the order in which they need each other
        self._folders: Mapping[str, Folder] = {
            "objects": Folder(suffix=".object", kind="CustomObject", take=objects.take),
            "permissionsets": Folder(suffix=".permissionset", kind="PermissionSet", take=sets.take),
            "permissionsetgroups": Folder(
                suffix=".permissionsetgroup", kind="PermissionSetGroup", take=groups.take
            ),
            "reportTypes": Folder(suffix=".reportType", kind="ReportType", take=self._parts.report_type),
            "reports": Folder(suffix=".report", kind="Report", take=self._parts.report),
            "dashboards": Folder(suffix=".dashboard", kind="Dashboard", take=self._parts.dashboard),
        }
        # a thing goes after what uses it
        self._destroy: Mapping[str, Callable[[str, str], Outcome]] = {
            **{kind: partial(self._parts.destroy, kind) for kind in _PARTS},
            "PermissionSetGroup": groups.destroy,
            "CustomField": objects.destroy_field,
            "CustomObject": objects.destroy_object,
            "PermissionSet": sets.destroy,
        }
        self._outcomes: list[Outcome] = []

    def apply(self, archive: bytes, *, check_only: bool) -> list[Outcome]:
        """What became of each component. Raises PackageRefusedError when one failed."""
        try:
            files = _unzipped(archive)
            members = _manifest(files)
        except FieldProblemError as problem:
            raise PackageRefusedError(
                [Outcome(kind="", file=_MANIFEST, name=_MANIFEST, problem=str(problem))]
            ) from None
        try:
            with self._store.transaction():
                for path in sorted(files, key=self._rank):
                    self._file(path, files[path], members)
                self._bundles(files, members)
                self._check_named(members)
                if check_only or any(outcome.problem for outcome in self._outcomes):
                    raise PackageRefusedError(self._outcomes)
        except PackageRefusedError as refused:
            self._schema.forget()
            if any(outcome.problem for outcome in refused.outcomes):
                raise
        return self._outcomes

    def _rank(self, path: str) -> tuple[int, str]:
        folder = path.partition("/")[0]
        order = list(self._folders)
        return (order.index(folder) if folder in order else -1), path

    def _file(self, path: str, content: bytes, members: Members) -> None:
        folder, _, name = path.partition("/")
        if path == _MANIFEST or folder == _BUNDLES:
            return
        taker = self._folders.get(folder)
        try:
            if path == _DESTRUCTION:
                self._outcomes += self._destroyed(path, _parsed(content))
            elif taker is not None and name.endswith(_FOLDER) and folder in ("reports", "dashboards"):
                root = _parsed(content)
                _check(root, f"{taker.kind}Folder")
                self._outcomes += self._parts.folder(path, name.removesuffix(_FOLDER), root, members)
            elif taker is not None and name.endswith(taker.suffix):
                root = _parsed(content)
                _check(root, taker.kind)
                self._outcomes += taker.take(path, name.removesuffix(taker.suffix), root, members)
            else:
                raise FieldProblemError(f"The sandbox knows no metadata of this kind: {path}")
        except FieldProblemError as problem:
            self._outcomes.append(Outcome(kind="", file=path, name=name, problem=str(problem)))

    def _bundles(self, files: Mapping[str, bytes], members: Members) -> None:
        """Take the Lightning web components, which may use each other in any order."""
        found: dict[str, dict[str, str]] = {}
        for path, content in files.items():
            if path.startswith(f"{_BUNDLES}/"):
                _, name, file = path.split("/", 2)
                found.setdefault(name, {})[file] = content.decode()
        for name, contents in sorted(found.items()):
            try:
                _check_meta(name, contents)
                self._outcomes.append(self._parts.bundle(name, contents, members))
            except FieldProblemError as problem:
                path = f"{_BUNDLES}/{name}"
                self._outcomes.append(Outcome(kind="", file=path, name=name, problem=str(problem)))
        for lacking in self._parts.missing_bundles() if found else ():
            self._outcomes.append(Outcome(kind="", file=_BUNDLES, name=_BUNDLES, problem=lacking))

    def _destroyed(self, path: str, root: Element) -> Iterator[Outcome]:
        order, doomed = list(self._destroy), list(_members(root))
        for kind, _ in doomed:
            if kind not in order:
                raise FieldProblemError(f"The sandbox deletes no {kind}")
        # a folder after what lies in it
        for kind, member in sorted(doomed, key=lambda each: (order.index(each[0]), "/" not in each[1])):
            yield self._destroy[kind](path, member)

    def _check_named(self, members: Members) -> None:
        """Everything that package.xml names was in the archive."""
        seen = {(outcome.kind, outcome.name) for outcome in self._outcomes}
        if any(outcome.problem and not outcome.kind for outcome in self._outcomes):
            return
        for kind in self._destroy:
            for name in sorted(members.get(kind, ())):
                if (kind, name) not in seen:
                    problem = (
                        f"An object '{name}' of type {kind} was named in package.xml, but was not found in"
                        " zipped directory"
                    )
                    self._outcomes.append(Outcome(kind=kind, file=_MANIFEST, name=name, problem=problem))


def _unzipped(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile:
        raise FieldProblemError("The zip file is not valid") from None


def _parsed(content: bytes) -> Element:
    try:
        return fromstring(content)  # noqa: S314  # a loopback stand-in; expat refuses entity bombs
    except ParseError as error:
        raise FieldProblemError(f"Error parsing file: {error}") from None


def _check(root: Element, kind: str) -> None:
    """Raises FieldProblemError for the first thing that the vendor's schema has against the file."""
    if root.tag != NAMESPACE + kind:
        raise FieldProblemError(f"The file is no {kind} of the Metadata API: {root.tag}")
    for problem in problems(root, kind):
        raise FieldProblemError(problem)


def _check_meta(name: str, contents: Mapping[str, str]) -> None:
    """Raises FieldProblemError for a component whose description the vendor's schema does not take.

    Its targetConfigs are XML of their own, of which the schema knows nothing."""
    file = f"{name}.js-meta.xml"
    if file in contents:
        root = _parsed(contents[file].encode())
        for each in root.findall(NAMESPACE + "targetConfigs"):
            root.remove(each)
        _check(root, "LightningComponentBundle")


def _manifest(files: dict[str, bytes]) -> Members:
    if _MANIFEST not in files:
        raise FieldProblemError("No package.xml found")
    root = _parsed(files[_MANIFEST])
    if root.tag != NAMESPACE + "Package" or text(root, "version") is None:
        raise FieldProblemError("package.xml must be a Package of the Metadata API with a version")
    members: Members = {}
    for kind, member in _members(root):
        members.setdefault(kind, set()).add(member)
    return members


def _members(root: Element) -> Iterator[tuple[str, str]]:
    for types in root.findall(NAMESPACE + "types"):
        kind = text(types, "name")
        for member in types.findall(NAMESPACE + "members"):
            yield str(kind), (member.text or "").strip()
