"""A plan in the making: each score is compared with its record and becomes a change, or is left out.

An account that is left out keeps its reason; one that people opted out still counts as a candidate, so
that the list of tasks can say why it is not there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from connectors.crm import Record, Value
from model.stakeholders import whom_to_reach
from sync.beside import Beside
from sync.cells import Cell, as_held, begins_like_formula
from sync.context import Account
from sync.difference import Before, Difference, compare
from sync.field_briefs import BriefBook
from sync.last_written import LastWritten
from sync.mapping import FieldMap, said_by, values_of
from sync.planned import PlannedChange, Skip, SkipReason
from sync.settings import NoiseSettings
from sync.tasks import Candidate

SHOWN: Final = 80  # characters of a person's text in a reason


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
    briefs: BriefBook | None = None
    quarters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # ARR to expect, by account_id
    rates: Mapping[str, float | None] = field(default_factory=dict)  # by account_id, see in_record_currency
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    first_fill: Set[str] = frozenset()  # vendor's names of fields never written in this org
    locked: Mapping[str, str] = field(default_factory=dict)  # record id -> why
    only: Set[str] | None = None  # our keys of the fields to write, where not all are
    keep_edits: bool = True
    changes: list[PlannedChange] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, score: Mapping[str, Any], written: Mapping[str, LastWritten]) -> None:
        """Take one score in; `written` is what we last wrote on its record, by the vendor's name."""
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
        elif record.id in self.locked:
            self._skip(score, SkipReason.LOCKED, self.locked[record.id])
        else:
            self._compare(candidate, record, written)

    def heard(self) -> Iterator[tuple[str, str, Mapping[str, Value]]]:
        """What people say of each account: its id, its record's, and their fields by our key."""
        for candidate in self.candidates:
            yield candidate.account.account_id, str(candidate.score["crm_id"]), candidate.said

    def held_scores(self) -> dict[str, Value]:
        """What the CRM holds of the score by record id, where it is ours; any of our cells where it is not.

        Of fields that are first filled it says nothing: those cells are not ours yet."""
        names = [field.name for field in self.fields.written.values() if field.name not in self.first_fill]
        score = self.fields.written.get("score")
        if score is not None and score.name in names:
            names = [score.name]
        held = {
            record.id: next(
                (record.values[name] for name in names if record.values.get(name) is not None), None
            )
            for record in self.records.values()
        }
        return {record_id: value for record_id, value in held.items() if value is not None}

    def _compare(self, candidate: Candidate, record: Record, written: Mapping[str, LastWritten]) -> None:
        score = candidate.score
        wanted = values_of(
            score,
            self.fields,
            product_names=self.product_names,
            beside=Beside(
                whom_to_reach=None if candidate.reach is None else str(candidate.reach),
                quarters=self.quarters.get(score["account_id"]),
            ),
            scored_at=self.now,
        )
        rate = self.rates.get(score["account_id"], 1.0)
        if rate != 1.0:
            wanted |= in_record_currency(wanted, self.fields, rate)
        mapped = self.fields.written.get("brief")
        if mapped is not None:
            # as it stands, until something else is to be written, or its words were erased
            last = written.get(mapped.name)
            stands = last is None or last.is_known
            held = as_held(record.values.get(mapped.name), mapped.schema)
            wanted["brief"] = held if stands else self._brief(candidate, record)
        unsafe = [key for key, value in wanted.items() if not _is_safe(value)]
        if unsafe:
            detail = (
                f"not fit to be written: {', '.join(unsafe)} (no finite number, or begins like a formula)"
            )
            self._skip(score, SkipReason.UNSAFE_VALUE, detail)
            return
        found = self._difference(record, wanted, written)
        if found.cells and (brief := self._brief(candidate, record)) != wanted.get("brief"):
            found = self._difference(record, {**wanted, "brief": brief}, written)
        for cell in found.edited:
            self._skip(score, SkipReason.PERSON_EDIT, _edit(cell), subject="cell")
        cells = tuple(cell for cell in found.cells if self.only is None or cell.key in self.only)
        if not cells:
            self._skip(score, *_why_not(found))
            return
        self.changes.append(
            PlannedChange(
                key=f"{self.plan_id}:{record.id}",
                object=self.fields.object,
                record_id=record.id,
                account_id=score["account_id"],
                cells=cells,
                why=found.why,
                cause=found.cause,
                news=found.news,
            )
        )

    def _difference(
        self, record: Record, wanted: Mapping[str, Value], written: Mapping[str, LastWritten]
    ) -> Difference:
        return compare(
            record.id,
            record.values,
            wanted,
            self.fields,
            Before(written=written, first_fill=self.first_fill),
            noise=self.noise,
            now=self.now,
            keep_edits=self.keep_edits,
        )

    def _brief(self, candidate: Candidate, record: Record) -> Value:
        """The brief that goes with what is to be written; the one that stands where it would be unsafe."""
        mapped = self.fields.written.get("brief")
        if mapped is None or self.briefs is None:
            return None
        told = as_held(self.briefs.brief_of(candidate), mapped.schema)
        return told if _is_safe(told) else as_held(record.values.get(mapped.name), mapped.schema)

    def _no_record(self, score: Mapping[str, Any], record: Record | None) -> tuple[SkipReason, str] | None:
        if not score["crm_id"]:
            return SkipReason.NO_CRM_RECORD, "no CRM record is known with confidence to be this account's"
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

    def _skip(
        self, score: Mapping[str, Any], reason: SkipReason, detail: str, *, subject: str = "score"
    ) -> None:
        self.skips.append(
            Skip(
                account_id=score["account_id"],
                record_id=score["crm_id"],
                subject=subject,
                reason=reason,
                detail=detail,
            )
        )


def _why_not(found: Difference) -> tuple[SkipReason, str]:
    """Why a record that was compared is not written."""
    if found.is_noise:
        return (
            SkipReason.NOISE,
            "only figures, ranks or dates moved, by less than the noise gate lets through",
        )
    if found.edited and not found.cells:
        names = ", ".join(cell.key for cell in found.edited)
        return SkipReason.PERSON_EDIT, f"the cells that differ hold what a person wrote: {names}"
    return SkipReason.NO_CHANGE, "the CRM holds these values"


def _edit(cell: Cell) -> str:
    """What a person wrote into a cell of ours, in words."""
    held = str(cell.before)
    shown = held if len(held) <= SHOWN else held[: SHOWN - 1] + "…"
    return f"{cell.key} ({cell.name}) holds what a person wrote: {shown}"


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
