"""Rows of our own objects: added once a key, which HubSpot keeps unique, and found by it.

HubSpot refuses a row whose key is there, and that it is there is read by the key itself, not searched for: a
search's index lags. A row that is of an account is associated with its company.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from connectors.crm import RowOutcome, RowResult
from connectors.errors import LoginError, SetupError, TerminalError
from connectors.fields import ObjectSpec
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.links import Links
from connectors.hubspot.new_records import create, link
from connectors.hubspot.objects import Objects
from connectors.hubspot.schema import Described, Schemas
from connectors.hubspot.values import is_id
from connectors.hubspot.write import Row, Writer, row
from connectors.own_rows import Room, RowDraft

_COMPANIES = "companies"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRows:
    """Rows in one account."""

    client: HubspotClient
    schemas: Schemas
    objects: Objects
    links: Links
    writer: Writer

    def create(self, spec: ObjectSpec, name: str, drafts: Sequence[RowDraft]) -> list[RowResult]:
        """One result a draft, in order, of the object `name`; one API call unless HubSpot refuses some.

        A row whose company is gone is added without the association."""
        here = self._described(spec, name)
        results = self._send(spec, here, drafts, linked=True)
        refused = [draft for draft in drafts if results[draft.key].outcome is not RowOutcome.APPLIED]
        if not refused:
            return list(results.values())
        there = self.find(spec, name, [draft.key for draft in refused])
        results |= {
            key: RowResult(key=key, outcome=RowOutcome.UNCHANGED, id=identifier)
            for key, identifier in there.items()
        }
        lost = [draft for draft in refused if draft.key not in there and draft.values.get("account")]
        if lost:
            ids = sorted({str(draft.values["account"]) for draft in lost})
            found = self.writer.read(_COMPANIES, ids, [])
            gone = {each for each in ids if each not in found or found[each].is_deleted}
            results |= self._send(
                spec, here, [draft for draft in lost if draft.values["account"] in gone], linked=False
            )
        return [results[draft.key] for draft in drafts]

    def find(self, spec: ObjectSpec, name: str, keys: Iterable[str]) -> dict[str, str]:
        """The ids of rows by key; archived ones are left out."""
        self._described(spec, name)
        field = spec.fields["key"].hubspot
        wanted = list(dict.fromkeys(keys))
        records = self.objects.by_id(name, wanted, [field], key=field)
        known = set(wanted)
        held = ((str(each["properties"].get(field)), str(each["id"])) for each in records)
        return {key: identifier for key, identifier in held if key in known}

    def room(self) -> Room | None:
        """How many more records of custom objects the tier allows; None where it does not say."""
        try:
            told = self.client.get(self.client.paths.limits("records")).get("customObjectTypes") or {}
        except LoginError:
            raise
        except (SetupError, TerminalError):
            return None
        most, used = int(told.get("overallLimit") or 0), int(told.get("overallUsage") or 0)
        if not most:
            return None
        return Room(rows=most - used, said=f"{used:,} of {most:,} records of custom objects are used")

    def _send(
        self, spec: ObjectSpec, here: Described, drafts: Sequence[RowDraft], *, linked: bool
    ) -> dict[str, RowResult]:
        if not drafts:
            return {}
        rows = [self._row(spec, draft, here, linked=linked) for draft in drafts]
        name, key_field = here.schema.name, spec.fields["key"].hubspot
        told = self.writer.submit(rows, partial(create, self.client, self.writer, name, key_field))
        return {result.key: result for result in told}

    def _row(self, spec: ObjectSpec, draft: RowDraft, here: Described, *, linked: bool) -> Row:
        values = {spec.fields[key].hubspot: value for key, value in draft.values.items() if value is not None}
        made = row(draft.key, None, values, here, creating=True)
        account = draft.values.get("account")
        if not linked or made.properties is None or not isinstance(account, str) or not is_id(account):
            return made
        kinds = self.links.types(here.schema.name, _COMPANIES)
        plain = sorted((each for each in kinds if not each.label), key=lambda each: each.category)
        if not plain:
            return made
        return replace(made, links=(link(account, plain[0]),))

    def _described(self, spec: ObjectSpec, name: str) -> Described:
        here = self.schemas[name]
        field = here.schema.fields.get(spec.fields["key"].hubspot)
        if field is None or not field.unique:
            raise SetupError(
                f"{name} have no unique property {spec.fields['key'].hubspot}.",
                record=name,
                fix="Run `upswell install`: without the property a row could be made twice.",
            )
        return here
