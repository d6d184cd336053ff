"""Whether a text speaks of one person, or a record is the one that is meant: what an erasure looks for.

Compared without case, accents as composed, and any white space alike; a name counts as a whole word, so that
Ann is not found in Annual. A first name alone is not looked for: it would be somebody else's as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from connectors.errors import UsageError

SHOWN: Final = 5
SHORTEST: Final = 3
"""Characters of a name or id that nobody knows: a shorter one would be found in every other text."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What to look for: ids, texts anywhere, names on some records only, and records as a whole."""

    ids: frozenset[str] = field(default_factory=frozenset)  # whole values: HubSpot's are numbers
    anywhere: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    on_records: frozenset[str] = field(default_factory=frozenset)  # where `names` count
    records: frozenset[str] = field(default_factory=frozenset)  # everything of these
    in_crm: int = 0  # contacts that the CRM still had at the last pull

    def is_record(self, *ids: str | None) -> bool:
        """Whether one of these ids is a record that goes as a whole."""
        return not self.records.isdisjoint(ids)

    def is_in(self, text: object, *ids: str | None) -> bool:
        """Whether a text, on a record with one of these ids, speaks of the person."""
        if not isinstance(text, str):
            return False
        plain = _plain(text)
        if text.strip() in self.ids:
            return True
        if self._anywhere is not None and self._anywhere.search(plain):
            return True
        names = None if self.on_records.isdisjoint(ids) else self._names
        return names is not None and names.search(plain) is not None

    @cached_property
    def _anywhere(self) -> re.Pattern[str] | None:
        return _pattern(self.anywhere)

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        return _pattern(self.names)


def seek(contacts: Sequence[Mapping[str, Any]], wanted: str, *, records: Iterable[str] = ()) -> Sought:
    """What to look for, for a contact id, e-mail or name, or one of the ledger's `records`.

    `contacts` are the lake's, with crm_id, name, email, account_crm_id and is_deleted. A name that others
    bear too counts on this person's accounts only. Raises UsageError when it may be several people's."""
    text = wanted.strip()
    if text in records:
        return Sought(records=frozenset({text}))
    found = _people(contacts, text)
    if not found:
        if len(text) < SHORTEST:
            raise UsageError(
                "this is too short to look for.",
                record=wanted,
                fix="Give a contact's id, e-mail or whole name.",
            )
        return Sought(ids=frozenset({text})) if text.isdecimal() else Sought(anywhere=(text,))
    mails = {_plain(row["email"]) for row in found if row["email"]}
    found += [row for row in contacts if row["email"] and _plain(row["email"]) in mails and row not in found]
    ids = {row["crm_id"] for row in found}
    names = {row["name"].strip() for row in found if (row["name"] or "").strip()}
    plain_names = {_plain(name) for name in names}
    others = [
        row for row in contacts if row["crm_id"] not in ids and _plain(row["name"] or "") in plain_names
    ]
    sure = {row["email"] for row in found if row["email"]}
    return Sought(
        ids=frozenset(_forms(ids)),
        anywhere=tuple(sorted(sure if others else sure | names)),
        names=tuple(sorted(names)) if others else (),
        on_records=frozenset(row["account_crm_id"] for row in found if row["account_crm_id"]),
        in_crm=sum(not row["is_deleted"] for row in found),
    )


def _people(contacts: Sequence[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    by_id = [row for row in contacts if _short(row["crm_id"]) == _short(text)]
    by_mail = [row for row in contacts if row["email"] and _plain(row["email"]) == _plain(text)]
    by_name = [row for row in contacts if row["name"] and _plain(row["name"]) == _plain(text)]
    found = by_id or by_mail or by_name
    people = {_plain(row["email"]) if row["email"] else row["crm_id"] for row in by_name}
    if found is by_name and len(people) > 1:
        ids = ", ".join(sorted(f"{row['crm_id']} (of {row['account_crm_id']})" for row in found)[:SHOWN])
        raise UsageError(
            f"{len(people)} people in the lake bear this name.",
            record=text,
            fix=f"Name one by its id: {ids}.",
        )
    return found


def _forms(ids: Iterable[str]) -> set[str]:
    """Each id as it stands, and one of 18 characters in Salesforce's short form too."""
    return {form for each in ids for form in (each, _short(each))}


def _short(each: str) -> str:
    return each[:15] if len(each) == 18 and each.isalnum() else each


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _pattern(texts: Sequence[str]) -> re.Pattern[str] | None:
    plain = [re.escape(_plain(text)) for text in texts if _plain(text)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(plain)})(?!\w)") if plain else None
