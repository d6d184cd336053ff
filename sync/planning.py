"""A plan in the making: each score is compared with its record and becomes a change, or is left out.

An account that is left out keeps its reason; one that people opted out still counts as a candidate, so
that the list of tasks can say why it is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.crm import Record, Value
from sync.briefs.contacts import whom_to_reach
from sync.cells import begins_like_formula
from sync.context import Account
from sync.difference import changed_cells
from sync.mapping import FieldMap, said_by, values_of
from sync.planned import PlannedChange, Skip, SkipReason
from sync.tasks import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Scores go in one by one; changes, skips and candidates for tasks come out."""

    plan_id: str
    fields: FieldMap
    records: Mapping[str, Record]
    accounts: Mapping[str, Account]
    product_names: Mapping[str, str]
    as_of: date
    now: datetime
    rates: Mapping[str, float | None] = field(default_factory=dict)  # by account_id, see in_record_currency
    changes: list[PlannedChange] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, score: Mapping[str, Any]) -> None:
        """Take one score in."""
        record = self.records.get(score["crm_id"] or "")
        refusal = self._no_record(score, record)
        if record is None or refusal is not None:
            self._skip(score, *(refusal or (SkipReason.GONE, "the record was deleted")))
            return
        self.seen.add(record.id)
        account_id = score["account_id"]
        account = self.accounts.get(account_id) or Account(account_id=account_id, name=account_id)
        candidate = Candidate(
            score=score,
            account=account,
            said=self._said(record),
            reach=whom_to_reach(account.contacts, self.as_of),
        )
        self.candidates.append(candidate)
        if candidate.said.get("opt_out"):
            self._skip(score, SkipReason.OPT_OUT, "someone ticked the opt-out")
        else:
            self._compare(candidate, record)

    def held_scores(self) -> dict[str, Value]:
        """The score in the CRM by record id, where there is one."""
        mapped = self.fields.written.get("score")
        if mapped is None:
            return {}
        held = {record.id: record.values.get(mapped.name) for record in self.records.values()}
        return {record_id: value for record_id, value in held.items() if value is not None}

    def _compare(self, candidate: Candidate, record: Record) -> None:
        score = candidate.score
        wanted = values_of(
            score,
            self.fields,
            product_names=self.product_names,
            whom_to_reach=None if candidate.reach is None else str(candidate.reach),
            scored_at=self.now,
        )
        rate = self.rates.get(score["account_id"], 1.0)
        if rate != 1.0:
            wanted |= in_record_currency(wanted, self.fields, rate)
        unsafe = [key for key, value in wanted.items() if not _is_safe(value)]
        if unsafe:
            detail = (
                f"not fit to be written: {', '.join(unsafe)} (no finite number, or begins like a formula)"
            )
            self._skip(score, SkipReason.UNSAFE_VALUE, detail)
            return
        cells, why = changed_cells(record.values, wanted, self.fields, self.now)
        if not cells:
            self._skip(score, SkipReason.NO_CHANGE, "the CRM holds these values")
            return
        self.changes.append(
            PlannedChange(
                key=f"{self.plan_id}:{record.id}",
                object=self.fields.object,
                record_id=record.id,
                account_id=score["account_id"],
                cells=cells,
                why=why,
            )
        )

    def _no_record(self, score: Mapping[str, Any], record: Record | None) -> tuple[SkipReason, str] | None:
        if not score["crm_id"]:
            return SkipReason.NO_CRM_RECORD, "no CRM record belongs to this account"
        if record is None:
            return SkipReason.GONE, "the record was deleted for good"
        if record.merged_into is not None:
            return SkipReason.MERGED, f"merged into {record.merged_into}"
        if record.is_deleted:
            return SkipReason.GONE, "the record was deleted"
        if record.id in self.seen:
            return SkipReason.MERGED, f"another account has the same CRM record {record.id}"
        return None

    def _said(self, record: Record) -> dict[str, Value]:
        """What people wrote in the fields that are theirs, picklists in our words."""
        return {key: said_by(field, record.values.get(field.name)) for key, field in self.fields.read.items()}

    def _skip(self, score: Mapping[str, Any], reason: SkipReason, detail: str) -> None:
        self.skips.append(
            Skip(
                account_id=score["account_id"],
                record_id=score["crm_id"],
                subject="score",
                reason=reason,
                detail=detail,
            )
        )


def in_record_currency(wanted: Mapping[str, Value], fields: FieldMap, rate: float | None) -> dict[str, Value]:
    """The money among the values, in the currency of which one unit is worth `rate` of the company's.

    Without a rate there is no amount: the company's figure under another currency's sign would be false."""
    return {
        key: None if rate is None else round(value / rate, 2)
        for key, value in wanted.items()
        if fields.written[key].spec.type == "currency" and isinstance(value, int | float)
    }


def _is_safe(value: Value) -> bool:
    return not begins_like_formula(value) and not (isinstance(value, float) and not math.isfinite(value))
