"""What became of one component of a package, and what its makers work with."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.rows import FIRST_NUMBER
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.store import Store

Members = dict[str, set[str]]
"""The components that a manifest names, by their kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one component of a package."""

    kind: str
    file: str
    name: str
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The org as a deploy changes it; `now` and `user_id` stamp what it makes."""

    store: Store
    schema: Schema
    now: str
    user_id: str

    def new_id(self, prefix: str) -> str:
        """An id that nothing bears yet."""
        return salesforce_id(prefix, self.store.next_number(f"id:{prefix}", first=FIRST_NUMBER))

    def stamps(self, *, created: bool) -> dict[str, object]:
        """The system fields of a row of setup that is new, or changed."""
        made: dict[str, object] = {
            "LastModifiedDate": self.now,
            "LastModifiedById": self.user_id,
            "SystemModstamp": self.now,
        }
        return made | ({"CreatedDate": self.now, "CreatedById": self.user_id} if created else {})
