"""Validation rules that the account's administrators put on properties.

Sources, both in the developer changelog: "Property Validations Rules will be enforced for APIs and
Integrations" (rules about a value hold in every version) and "CRM API Write Validation Enforcement Starting
with the 2026-09 API Version" (a required property must have a value after every write of that version).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from connectors.sandbox.hubspot.errors import ValueProblem
from connectors.sandbox.store import Store

Rule = Literal["required", "letters"]

_FITS: Final[Mapping[str, tuple[Callable[[str], bool], str, str]]] = MappingProxyType(
    {"letters": (lambda text: text.replace(" ", "").isalpha(), "INVALID_ALPHA", "Enter only letters")}
)


def add_rule(store: Store, object_name: str, name: str, rule: Rule) -> None:
    """Put a rule on a property, as an administrator does in the settings."""
    Rules.create(store)
    with store.transaction() as sql:
        sql.execute("INSERT OR IGNORE INTO validation_rules VALUES (?, ?, ?)", (object_name, name, rule))


class Rules:
    """The rules of one object type."""

    def __init__(self, store: Store, object_name: str) -> None:
        found = store.select("SELECT property, rule FROM validation_rules WHERE object = ?", (object_name,))
        self.required = tuple(str(name) for name, rule in found if rule == "required")
        self._values = [(str(name), str(rule)) for name, rule in found if rule in _FITS]

    @staticmethod
    def create(store: Store) -> None:
        """Make the table where there is none."""
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE IF NOT EXISTS validation_rules (object TEXT, property TEXT, rule TEXT,"
                " PRIMARY KEY (object, property, rule)) WITHOUT ROWID"
            )

    def problem(self, name: str, value: object) -> ValueProblem | None:
        """Why the value breaks a rule, or None."""
        for about, rule in self._values:
            fits, code, message = _FITS[rule]
            if about == name and value is not None and not fits(str(value)):
                return ValueProblem(property=name, code=code, message=message)
        return None
