"""What the names in a SOQL query mean: objects, fields, parents, and the joins that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.salesforce.soql_tokens import malformed
from connectors.sandbox.salesforce.soql_tree import Path, Query
from connectors.sandbox.store import identifier

_MAX_PARENTS = 5  # "Relationship Query Limitations": five levels from child to parent

_APPEND = (
    " If you are attempting to use a custom {0}, be sure to append the '__c' after the {1} name. Please"
    " reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field of the query in SQL."""

    sql: str
    field: Field


@dataclass(slots=True, kw_only=True)
class Scope:
    """The tables that one (sub)query reads; joins are added as its names are met."""

    sobject: SObject
    query: Query
    root: str
    joins: dict[tuple[str, ...], tuple[str, SObject]] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)


class Names:
    """Resolves the names of one query as the user with these sObjects may use them."""

    def __init__(self, soql: str, find: Callable[[str], SObject | None]) -> None:
        self._soql = soql
        self._find = find
        self._aliases = 0

    def scope(self, query: Query) -> Scope:
        sobject = self._find(query.object)
        if sobject is None:
            message = f"sObject type '{query.object}' is not supported." + _APPEND.format("object", "entity")
            raise self.error(query.object_position, message, "INVALID_TYPE")
        root = f"t{self._aliases}"
        self._aliases += 1
        return Scope(sobject=sobject, query=query, root=root)

    def column(self, scope: Scope, path: Path) -> Column:
        parts = self.own_parts(scope, path)
        if len(parts) - 1 > _MAX_PARENTS:
            raise self.error(
                path.position, "only 5 levels of parent relationships are supported", "MALFORMED_QUERY"
            )
        alias, sobject = scope.root, scope.sobject
        for i, part in enumerate(parts[:-1]):
            link = self.link(sobject, part, path)
            if link.polymorphic:
                text = Field(name=parts[-1], label=parts[-1], type="string")
                return Column(sql=self.polymorphic(alias, link, parts[-1].lower(), path), field=text)
            alias, sobject = self.join(scope, tuple(p.lower() for p in parts[: i + 1]), alias, link)
        wanted = self.field(sobject, parts[-1], path)
        return Column(sql=f"{alias}.{identifier(wanted.name)}", field=wanted)

    def own_parts(self, scope: Scope, path: Path) -> tuple[str, ...]:
        """The path without the query's own alias or object name in front."""
        first = path.parts[0].lower()
        own = {scope.sobject.name.lower(), (scope.query.alias or "").lower()}
        return path.parts[1:] if len(path.parts) > 1 and first in own else path.parts

    def join(self, scope: Scope, prefix: tuple[str, ...], alias: str, link: Field) -> tuple[str, SObject]:
        if prefix not in scope.joins:
            sobject = self._find(link.references[0])
            assert sobject is not None
            joined = f"t{self._aliases}"
            self._aliases += 1
            scope.joins[prefix] = (joined, sobject)
            link_sql = f"{alias}.{identifier(link.name)}"
            scope.join_sql.append(
                f"LEFT JOIN {identifier(sobject.name)} AS {joined} ON {joined}.Id = {link_sql}"
            )
        return scope.joins[prefix]

    def link(self, sobject: SObject, name: str, path: Path) -> Field:
        link = sobject.relationship(name)
        if link is None:
            message = f"Didn't understand relationship '{name}' in field path." + _APPEND.format(
                "relationship", "custom relationship"
            ).replace("'__c'", "'__r'")
            raise self.error(path.position, message, "INVALID_FIELD")
        return link

    def field(self, sobject: SObject, name: str, path: Path) -> Field:
        found = sobject.field(name)
        if found is None:
            raise self.no_column(name, sobject.name, path)
        return found

    def polymorphic(self, alias: str, link: Field, part: str, path: Path) -> str:
        """SQL of Id, Name or Type of a parent that may be of several types."""
        column = f"{alias}.{identifier(link.name)}"
        if part == "id":
            return column
        if part not in ("name", "type"):
            raise self.no_column(path.parts[-1], "Name", path)
        cases = []
        for target in link.references:
            sobject = self._find(target)
            if sobject is None:
                continue
            name = next(f.name for f in sobject.fields.values() if f.name_field)
            value = f"'{sobject.name}'"
            if part == "name":
                value = f"(SELECT {identifier(name)} FROM {identifier(sobject.name)} WHERE Id = {column})"  # noqa: S608  # schema's names
            cases.append(f"WHEN '{sobject.prefix}' THEN {value}")
        return f"(CASE substr({column}, 1, 3) {' '.join(cases)} END)"

    def no_column(self, name: str, entity: str, path: Path) -> RefusalError:
        message = f"No such column '{name}' on entity '{entity}'." + _APPEND.format("field", "custom field")
        return self.error(path.position, message, "INVALID_FIELD")

    def error(self, position: int, message: str, code: str) -> RefusalError:
        return malformed(self._soql, position, message, code)
