"""The brief on the record itself: of every account that a conversation fits, with a task or without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

from sync.briefs.evidence import read_evidence
from sync.briefs.facts import Evidence
from sync.briefs.writing import write_briefs
from sync.cells import Cell, as_held
from sync.mapping import FieldMap
from sync.planned import PlannedChange
from sync.play_rules import PlayRules
from sync.plays import Play, play_of_score
from sync.rows import Tables
from sync.settings import Settings
from sync.tasks import Candidate, request_of


@dataclass(frozen=True, kw_only=True)
class BriefBook:
    """The template's brief for every account that a conversation fits, from facts that were read at once."""

    settings: Settings
    facts: Mapping[str, Evidence] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def read(
        cls, tables: Tables, rows: Sequence[Mapping[str, Any]], as_of: date, settings: Settings
    ) -> BriefBook:
        """The book for these scores; one small query a table."""
        wanted = [row for row in rows if play_of_score(row) is not Play.NONE]
        return cls(settings=settings, facts=read_evidence(tables, wanted, as_of) if wanted else {})

    def brief_of(self, candidate: Candidate) -> str | None:
        """The whole brief; None where no conversation fits."""
        known = self.facts.get(candidate.account.account_id)
        if known is None:
            return None
        request = request_of(candidate, known, self._rules.template(candidate.play), self.settings)
        return write_briefs([request])[request.account_id].brief.full

    @cached_property
    def _rules(self) -> PlayRules:
        return PlayRules.of(self.settings)


def with_briefs_of_tasks(
    changes: Iterable[PlannedChange], briefs: Mapping[str, str], fields: FieldMap
) -> Iterator[PlannedChange]:
    """The changes, each with the brief of the task that its account gets: record and task say the same."""
    for change in changes:
        told = briefs.get(change.account_id)
        if told is None:
            yield change
            continue
        cells = [_told(cell, told, fields) if cell.key == "brief" else cell for cell in change.cells]
        news = tuple(cell for cell in cells if cell.key != "brief" or cell.before != cell.after)
        yield replace(change, cells=news) if news else change


def _told(cell: Cell, brief: str, fields: FieldMap) -> Cell:
    return replace(cell, after=as_held(brief, fields.written[cell.key].schema))
