"""Associations between records: the types that exist, and the pairs that are associated.

Source: "Associations", HubSpot API reference: type ids per direction, each pair stored both ways.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from connectors.sandbox.store import Store

CATEGORY = "HUBSPOT_DEFINED"
OWN_CATEGORY = "USER_DEFINED"
_FIRST_OWN = 10_000
_OWN_OBJECT: Final = re.compile(r"p\d+_")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationType:
    """One type in one direction; `label` is None for the plain one, `inverse` its id the other way round."""

    from_object: str
    to_object: str
    type_id: int
    inverse: int
    label: str | None = None

    @property
    def category(self) -> str:
        """Who defined it: the types that a company made itself have ids of their own."""
        return category_of(self.type_id)

    @property
    def primary(self) -> bool:
        """Whether a record has at most one of it."""
        return self.label == "Primary"


# from, to, id there, id back, label there, label back
_TYPES: Final[tuple[tuple[str, str, int, int, str | None, str | None], ...]] = (
    ("contacts", "companies", 279, 280, None, None),
    ("contacts", "companies", 1, 2, "Primary", "Primary"),
    ("deals", "companies", 341, 342, None, None),
    ("deals", "companies", 5, 6, "Primary", "Primary"),
    ("tickets", "companies", 339, 340, None, None),
    ("tickets", "companies", 26, 25, "Primary", "Primary"),
    ("companies", "companies", 450, 450, None, None),
    ("companies", "companies", 14, 13, "Parent Company", "Child Company"),
    ("contacts", "contacts", 449, 449, None, None),
    ("deals", "deals", 451, 451, None, None),
    ("tickets", "tickets", 452, 452, None, None),
    ("deals", "contacts", 3, 4, None, None),
    ("deals", "contacts", 10_001, 10_002, "Decision Maker", "Decision Maker"),  # the company's own labels
    ("deals", "contacts", 10_003, 10_004, "Economic Buyer", "Economic Buyer"),
    ("tickets", "contacts", 16, 15, None, None),
    ("deals", "tickets", 27, 28, None, None),
    ("deals", "line_items", 19, 20, None, None),
    ("companies", "calls", 181, 182, None, None),
    ("companies", "emails", 185, 186, None, None),
    ("companies", "meetings", 187, 188, None, None),
    ("companies", "notes", 189, 190, None, None),
    ("companies", "tasks", 191, 192, None, None),
    ("contacts", "calls", 193, 194, None, None),
    ("contacts", "emails", 197, 198, None, None),
    ("contacts", "meetings", 199, 200, None, None),
    ("contacts", "notes", 201, 202, None, None),
    ("contacts", "tasks", 203, 204, None, None),
    ("deals", "calls", 205, 206, None, None),
    ("deals", "emails", 209, 210, None, None),
    ("deals", "meetings", 211, 212, None, None),
    ("deals", "notes", 213, 214, None, None),
    ("deals", "tasks", 215, 216, None, None),
    ("tickets", "calls", 219, 220, None, None),
    ("tickets", "emails", 223, 224, None, None),
    ("tickets", "meetings", 225, 226, None, None),
    ("tickets", "notes", 227, 228, None, None),
    ("tickets", "tasks", 229, 230, None, None),
)


def category_of(type_id: int) -> str:
    """HubSpot's own types have small ids."""
    return CATEGORY if type_id < _FIRST_OWN else OWN_CATEGORY


@cache
def association_types() -> Mapping[tuple[str, str], tuple[AssociationType, ...]]:
    """The types of each direction, the plain one first."""
    found: dict[tuple[str, str], dict[int, AssociationType]] = {}
    for source, target, there, back, label, inverse in _TYPES:
        ways = ((source, target, there, back, label), (target, source, back, there, inverse))
        for begin, end, type_id, other, named in ways:
            kind = AssociationType(
                from_object=begin, to_object=end, type_id=type_id, inverse=other, label=named
            )
            found.setdefault((begin, end), {})[type_id] = kind
    return MappingProxyType({pair: tuple(kinds.values()) for pair, kinds in found.items()})


def types_between(from_object: str, to_object: str) -> tuple[AssociationType, ...]:
    """The types from one object type to another; none when the two are never associated."""
    known = association_types().get((from_object, to_object), ())
    if known or not (_OWN_OBJECT.match(from_object) or _OWN_OBJECT.match(to_object)):
        return known
    there, back = (_own_type_id(*pair) for pair in ((from_object, to_object), (to_object, from_object)))
    return (AssociationType(from_object=from_object, to_object=to_object, type_id=there, inverse=back),)


def _own_type_id(from_object: str, to_object: str) -> int:
    """The id of the type that a custom object gets with every other object, one for each direction."""
    return 100_000 + zlib.crc32(f"{from_object} {to_object}".encode()) % 900_000


def plain_type(from_object: str, to_object: str) -> AssociationType:
    """The type without a label. Raises KeyError when the two are never associated."""
    kinds = types_between(from_object, to_object)
    if not kinds:
        raise KeyError((from_object, to_object))
    return kinds[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One associated pair with one type; `type_id` is that of the direction given."""

    from_object: str
    from_id: str
    to_object: str
    to_id: str
    type_id: int


class Associations:
    """The associated pairs of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @staticmethod
    def create(store: Store) -> Associations:
        """Make the table."""
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE associations (from_object TEXT, from_id INTEGER, to_object TEXT, to_id INTEGER,"
                " type_id INTEGER, PRIMARY KEY (from_object, from_id, to_object, to_id, type_id))"
                " WITHOUT ROWID"
            )
        return Associations(store)

    def add(self, links: Iterable[Link]) -> None:
        """Associate pairs, both ways; the plain type comes with every label."""
        # in the order of the key, which is how the table is kept: a bulk load then appends
        rows = sorted(row for link in links for row in _both_ways(link))
        with self._store.transaction() as sql:
            sql.executemany("INSERT OR IGNORE INTO associations VALUES (?, ?, ?, ?, ?)", rows)

    def remove(
        self, from_object: str, from_id: str, to_object: str, to_id: str, type_id: int | None = None
    ) -> None:
        """Take a pair apart, or one label of it."""
        gone = [(from_object, int(from_id), to_object, int(to_id), type_id)]
        back = None
        if type_id is not None:
            kinds = types_between(from_object, to_object)
            back = next((kind.inverse for kind in kinds if kind.type_id == type_id), None)
        gone.append((to_object, int(to_id), from_object, int(from_id), back))
        with self._store.transaction() as sql:
            sql.executemany(
                "DELETE FROM associations WHERE from_object = ? AND from_id = ? AND to_object = ?"
                " AND to_id = ? AND (?5 IS NULL OR type_id = ?5)",
                gone,
            )

    def of(self, from_object: str, ids: Sequence[str], to_object: str) -> dict[str, list[tuple[str, int]]]:
        """Per id that has any, what it is associated with: (id, type id) by id."""
        rows = self._store.select(
            "SELECT a.from_id, a.to_id, a.type_id FROM json_each(?) AS wanted CROSS JOIN associations AS a"
            " ON a.from_object = ? AND a.from_id = CAST(wanted.value AS INTEGER) AND a.to_object = ?"
            " ORDER BY a.from_id, a.to_id, a.type_id",
            (json.dumps(list(ids)), from_object, to_object),
        )
        found: dict[str, list[tuple[str, int]]] = {}
        for from_id, to_id, type_id in rows:
            found.setdefault(str(from_id), []).append((str(to_id), int(type_id or 0)))
        return found

    def targets(self, from_object: str, from_id: str, type_id: int) -> list[str]:
        """Ids to which a record is associated with this type."""
        rows = self._store.select(
            "SELECT to_id FROM associations WHERE from_object = ? AND from_id = ? AND type_id = ?",
            (from_object, int(from_id), type_id),
        )
        return [str(row[0]) for row in rows]

    def drop(self, object_name: str, record_id: str) -> None:
        """Take a record out of every pair."""
        with self._store.transaction() as sql:
            key = (object_name, int(record_id))
            rows = sql.execute(
                "SELECT to_object, to_id FROM associations WHERE from_object = ? AND from_id = ?", key
            ).fetchall()
            sql.executemany(
                "DELETE FROM associations WHERE from_object = ? AND from_id = ? AND to_object = ?"
                " AND to_id = ?",
                [(*row, *key) for row in rows],
            )
            sql.execute("DELETE FROM associations WHERE from_object = ? AND from_id = ?", key)

    def move(self, object_name: str, old_id: str, new_id: str) -> None:
        """Hand everything that a record is associated with to another one, as a merge does."""
        with self._store.transaction() as sql:
            rows = sql.execute(
                "SELECT to_object, to_id, type_id FROM associations WHERE from_object = ? AND from_id = ?",
                (object_name, int(old_id)),
            ).fetchall()
            self.drop(object_name, old_id)
            links = (
                Link(from_object=object_name, from_id=new_id, to_object=other, to_id=str(key), type_id=kind)
                for other, key, kind in rows
                if not (other == object_name and str(key) == new_id)
            )
            self.add(links)


def _both_ways(link: Link) -> list[tuple[str, int, str, int, int]]:
    from_id, to_id = int(link.from_id), int(link.to_id)
    rows = []
    for there, back in _with_plain(link.from_object, link.to_object, link.type_id):
        rows.append((link.from_object, from_id, link.to_object, to_id, there))
        rows.append((link.to_object, to_id, link.from_object, from_id, back))
    return rows


@cache
def _with_plain(from_object: str, to_object: str, type_id: int) -> tuple[tuple[int, int], ...]:
    """Type ids there and back of a type and of the plain one."""
    kinds = types_between(from_object, to_object)
    kind = next(kind for kind in kinds if kind.type_id == type_id)
    return tuple({(one.type_id, one.inverse) for one in (kind, kinds[0])})
