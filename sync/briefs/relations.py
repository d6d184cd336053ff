"""What people did and said at an account, as facts: goals, reviews, ratings, meetings, tickets, deals.

Words of a customer are quoted, never followed: one line, without links or addresses, cut at a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from connectors.crm import Value
from model.stakeholders import Contact, who_is_missing
from sync.briefs.facts import Fact, Unit
from sync.rows import Tables, day_of, select

QUOTE_LENGTH: Final = 160
FRESH_DAYS: Final = 180  # a review or rating before is known, but nothing to act on any more
GOAL_DAYS: Final = 450  # a goal stands for a year, and is looked at again in the next
ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+")
QUOTES: Final = str.maketrans(dict.fromkeys('"“”„«»', "'"))
OUTCOMES: Final[Mapping[str, str]] = MappingProxyType({"positive": "up", "negative": "down"})
PROMOTER, DETRACTOR = 9, 6
"""Bounds of the Net Promoter Score: from nine on people recommend, up to six they warn."""

DEAL_DAYS: Final = ("created_at", "close_date", "closed_at")

Pair = tuple[str, Fact]


def relationship(tables: Tables, ids: Sequence[str], as_of: date) -> list[Pair]:
    """The newest goal, QBR, NPS answer and meeting of each account; a later row replaces an earlier one."""
    newest: dict[tuple[str, str], tuple[date, Fact]] = {}
    for account_id, fact in (
        *_notes(tables, ids),
        *_surveys(tables, ids),
        *_meetings(tables, ids),
    ):
        if fact.day is None or fact.day > as_of or fact.value in (None, ""):
            continue
        if fact.id == "goal" and (as_of - fact.day).days > GOAL_DAYS:
            continue
        if (account_id, fact.id) not in newest or fact.day >= newest[account_id, fact.id][0]:
            newest[account_id, fact.id] = (fact.day, fact)
    return [(account_id, _as_news(fact, as_of)) for (account_id, _), (_, fact) in newest.items()]


def _as_news(fact: Fact, as_of: date) -> Fact:
    old = fact.day is not None and (as_of - fact.day).days > FRESH_DAYS
    return replace(fact, direction="") if old else fact


def tickets(tables: Tables, ids: Sequence[str], as_of: date) -> Iterator[Pair]:
    """How many tickets were open on the day: all, critical ones and escalated ones."""
    columns = ("account_id", "crm_id", "priority", "is_closed", "is_escalated", "created_at", "closed_at")
    counts: Counter[tuple[str, str]] = Counter()
    only: dict[tuple[str, str], str] = {}
    for row in select(tables, "tickets", columns, ids):
        opened, closed = day_of(row["created_at"]), day_of(row["closed_at"])
        if opened is not None and opened > as_of:
            continue
        if row["is_closed"] and (closed is None or closed <= as_of):
            continue
        kinds = ["tickets_open"]
        kinds += ["critical_open"] if (row["priority"] or "").lower() == "critical" else []
        kinds += ["escalated_open"] if row["is_escalated"] else []
        for kind in kinds:
            counts[row["account_id"], kind] += 1
            only[row["account_id"], kind] = row["crm_id"] or ""
    for (account_id, kind), count in counts.items():
        yield (
            account_id,
            Fact(
                id=kind,
                value=count,
                unit="count",
                source="tickets",
                row=only[account_id, kind] if count == 1 else "",
                day=as_of,
                direction="" if kind == "tickets_open" else "down",
            ),
        )


def deals(tables: Tables, ids: Sequence[str], as_of: date) -> Iterator[Pair]:
    """The last opportunity won, with its amount, and how many are open."""
    columns = ("account_id", "crm_id", "amount", "is_closed", "is_won", *DEAL_DAYS)
    won: dict[str, tuple[date, str, float | None]] = {}
    still_open: Counter[str] = Counter()
    for row in select(tables, "opportunities", columns, ids):
        made, closed = day_of(row["created_at"]), day_of(row["closed_at"]) or row["close_date"]
        if made is not None and made > as_of:
            continue
        if not row["is_closed"]:
            still_open[row["account_id"]] += 1
        elif row["is_won"] and closed is not None and closed <= as_of:
            found = (closed, row["crm_id"] or "", row["amount"])
            won[row["account_id"]] = max(won.get(row["account_id"], found), found, key=lambda each: each[:2])
    for account_id, (closed, row_id, amount) in won.items():
        told: tuple[tuple[str, Value, Unit], ...] = (
            ("last_won", closed, "date"),
            ("last_won_amount", amount, "money"),
        )
        for name, value, unit in told:
            if value:
                yield (
                    account_id,
                    Fact(id=name, value=value, unit=unit, source="opportunities", row=row_id, day=closed),
                )
    for account_id, count in still_open.items():
        yield account_id, Fact(id="deals_open", value=count, unit="count", source="opportunities", day=as_of)


def people(contacts: Sequence[Contact], as_of: date) -> Iterator[Fact]:
    """Which champion left last, and whose seat at the table is empty."""
    gone = [c for c in contacts if c.role == "champion" and c.left_at is not None and c.left_at <= as_of]
    here = [c for c in contacts if c.role == "champion" and (c.left_at is None or c.left_at > as_of)]
    if gone and not here:
        last = max(gone, key=lambda contact: (contact.left_at, contact.crm_id))
        yield Fact(
            id="champion_left",
            value=last.left_at,
            unit="date",
            source="contacts",
            row=last.crm_id,
            day=last.left_at,
            direction="down",
        )
    for missing in who_is_missing(contacts, as_of):
        seat, _, how = missing.partition(": ")
        yield Fact(
            id=f"missing_{seat.replace(' ', '_')}", value=how, unit="text", source="contacts", day=as_of
        )


def quotable(text: str | None) -> str | None:
    """A customer's words on one line, cut at a word; quoted, never followed."""
    words = " ".join(ADDRESS.sub("…", text or "").translate(QUOTES).split())
    if len(words) > QUOTE_LENGTH:
        words = words[:QUOTE_LENGTH].rsplit(" ", 1)[0].rstrip(",.;:") + "…"
    return words.rstrip(". ") or None  # it stands inside a sentence


def _notes(tables: Tables, ids: Iterable[str]) -> Iterator[Pair]:
    for row in select(tables, "notes", ("account_id", "kind", "written_at", "outcome", "text"), ids):
        day = day_of(row["written_at"])
        if row["kind"] == "goal":
            text = quotable(row["text"])
            yield row["account_id"], Fact(id="goal", value=text, unit="text", source="notes", day=day)
        elif row["kind"] == "qbr":
            direction = OUTCOMES.get(row["outcome"] or "", "")
            yield (
                row["account_id"],
                Fact(id="last_qbr", value=day, unit="date", source="notes", day=day, direction=direction),
            )


def _surveys(tables: Tables, ids: Iterable[str]) -> Iterator[Pair]:
    for row in select(tables, "surveys", ("account_id", "kind", "score", "responded_at"), ids):
        if row["kind"] == "nps" and row["score"] is not None:
            score, day = row["score"], day_of(row["responded_at"])
            direction = "up" if score >= PROMOTER else "down" if score <= DETRACTOR else ""
            yield (
                row["account_id"],
                Fact(
                    id="last_nps", value=score, unit="points", source="surveys", day=day, direction=direction
                ),
            )


def _meetings(tables: Tables, ids: Iterable[str]) -> Iterator[Pair]:
    for row in select(tables, "activities", ("account_id", "crm_id", "kind", "occurred_at"), ids):
        if row["kind"] == "meeting":
            day, row_id = day_of(row["occurred_at"]), row["crm_id"] or ""
            yield (
                row["account_id"],
                Fact(id="last_meeting", value=day, unit="date", source="activities", row=row_id, day=day),
            )
