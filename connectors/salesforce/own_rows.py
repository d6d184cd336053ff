"""Rows of our own objects: added once a key, which Salesforce keeps unique, and found by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from connectors.crm import RowOutcome, RowResult, Value
from connectors.errors import SetupError, TerminalError, UpswellError
from connectors.fields import ObjectSpec
from connectors.own_rows import Room, RowDraft
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.rows import row
from connectors.salesforce.schema import Described, Schemas
from connectors.salesforce.write import Writer

_THERE: Final = (
    "DUPLICATE_VALUE"  # Object Reference: what an insert with a unique field's value that exists gets
)
_LEADS_NOWHERE: Final = frozenset({"INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "MALFORMED_ID"})
KILOBYTES_A_ROW: Final = 2  # Salesforce Help, "Data Storage": most records take 2 KB, whatever is in them
_CURRENCY: Final = "CurrencyIsoCode"


class OwnRows:
    """Rows in one org; `currency` is what their money is in."""

    def __init__(self, client: SalesforceClient, schemas: Schemas, writer: Writer, currency: str) -> None:
        self._client = client
        self._schemas = schemas
        self._writer = writer
        self._currency = currency

    def create(self, spec: ObjectSpec, drafts: Sequence[RowDraft]) -> list[RowResult]:
        """A result for each draft whose outcome is known; one API call, and one more for rows that are there
        already, or whose account is gone: these are added without it."""
        here = self._described(spec)
        results = self._send(spec, drafts, here)
        lost = [draft for draft in drafts if _is_about_account(results.get(draft.key))]
        if lost:
            references = [key for key, field in spec.fields.items() if field.references]
            bare = [replace(draft, values={**draft.values, **dict.fromkeys(references)}) for draft in lost]
            for draft in lost:
                del results[draft.key]
            with suppress(UpswellError):  # what is known of the others stays known; these are looked for
                results |= self._send(spec, bare, here)
        return [results[draft.key] for draft in drafts if draft.key in results]

    def find(self, spec: ObjectSpec, keys: Iterable[str]) -> Mapping[str, str]:
        """The ids of rows by key; deleted ones are left out."""
        here = self._described(spec)
        field = spec.fields["key"].salesforce
        wanted = list(dict.fromkeys(keys))
        statements = [
            soql.select(
                ["Id", field],
                here.schema.name,
                where=[soql.Condition(field=field, operator="IN", value=chunk)],
            )
            for chunk in soql.in_chunks(wanted)
        ]
        known = set(wanted)  # = ignores case in Salesforce, a key does not
        held = ((str(each[field]), str(each["Id"])) for each in self._client.records_of(statements))
        return {key: identifier for key, identifier in held if key in known}

    def room(self) -> Room | None:
        """What is left of the org's data storage; None where our user may not see it."""
        try:
            told = self._client.read("limits").get("DataStorageMB") or {}
        except (SetupError, TerminalError):
            return None
        if "Remaining" not in told:
            return None
        left, most = int(told["Remaining"]), int(told.get("Max") or 0)
        said = f"{left:,} of {most:,} MB of data storage are free"
        return Room(rows=left * 1024 // KILOBYTES_A_ROW, said=said)

    def _send(self, spec: ObjectSpec, drafts: Sequence[RowDraft], here: Described) -> dict[str, RowResult]:
        rows = [row(each.key, None, self._values(spec, each, here), here, creating=True) for each in drafts]
        told = self._writer.collections.send("POST", here.schema.name, rows)
        results = {result.key: result for result in told}
        there = [key for key, result in results.items() if result.vendor_code == _THERE]
        found = self.find(spec, there) if there else {}
        return results | {
            key: RowResult(key=key, outcome=RowOutcome.UNCHANGED, id=identifier)
            for key, identifier in found.items()
        }

    def _values(self, spec: ObjectSpec, draft: RowDraft, here: Described) -> Mapping[str, Value]:
        """The row's fields; an empty one is left to the org. Money says its currency where there are many."""
        values = {
            spec.fields[key].salesforce: value for key, value in draft.values.items() if value is not None
        }
        has_currencies = here.has(_CURRENCY) and here.schema.fields[_CURRENCY].createable
        return values | ({_CURRENCY: self._currency} if has_currencies else {})

    def _described(self, spec: ObjectSpec) -> Described:
        here = self._schemas[spec.salesforce]
        field = here.schema.fields.get(spec.fields["key"].salesforce)
        if field is None or not field.unique:
            raise SetupError(
                f"{spec.salesforce} has no unique field {spec.fields['key'].salesforce}, or does not show it "
                "to our user.",
                record=spec.salesforce,
                fix="Run `upswell install`: without the field a row could be made twice.",
            )
        return here


def _is_about_account(result: RowResult | None) -> bool:
    return result is not None and result.vendor_code in _LEADS_NOWHERE
