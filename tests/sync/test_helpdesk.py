"""A company whose tickets are in a helpdesk, from the exported file to the task that is not made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from model.panel import build_rows
from model.target import Target
from sync.config import load
from sync.context import read_accounts
from sync.export_report import ExportReport
from sync.exports import ingest
from sync.identity import resolve
from sync.lake import Lake
from sync.store import Store

HEAD = "org,number,headline,severity,escalated,opened,solved,rating\n"
OPEN = "c1,7,We need an audit log,critical,yes,2026-10-01T09:00:00Z,,\n"
CLOSED = "c1,7,We need an audit log,critical,yes,2026-10-01T09:00:00Z,2026-11-20T15:00:00Z,2\n"
AS_OF = date(2026, 11, 10)

Send = Callable[..., ExportReport]


@pytest.fixture
def database() -> str:
    """Reading and joining tickets, which asks no SQL of the ledger beyond that of `test_pull`."""
    return "sqlite"


@pytest.fixture
def send(tmp_path: Path, ledger: Store, lake: Lake, canonical_rows: Any, noon: datetime) -> Send:
    """The helpdesk writes files by name, and they are read."""
    (tmp_path / "upswell.toml").write_text(
        '[crm]\nkind = "salesforce"\n[[exports]]\nkind = "tickets"\npath = "tickets-*.csv"\n'
        'account_key = "org"\n[exports.columns]\nticket_id = "number"\nsubject = "headline"\n'
        'priority = "severity"\nis_escalated = "escalated"\ncreated_at = "opened"\n'
        'closed_at = "solved"\ncsat = "rating"\n'
    )
    customer = {"crm_id": "A1", "external_id": "c1", "is_customer": True, "customer_since": date(2025, 1, 1)}
    lake.append("accounts", [canonical_rows("accounts", customer)], source="s", run_id=None, now=noon)

    def sent(**files: str) -> ExportReport:
        for name, lines in files.items():
            (tmp_path / f"tickets-{name}.csv").write_text(HEAD + lines)
        return ingest(load(tmp_path / "upswell.toml", {}), ledger, lake, run_id=None, now=noon)

    return sent


@pytest.fixture
def support(lake: Lake) -> Callable[..., dict[str, Any]]:
    """The account's support features as known on a day."""

    def features(as_of: date) -> dict[str, Any]:
        tables = resolve(lake, {}).tables
        (row,) = build_rows(tables, as_of=as_of, target=Target(), products=()).table.to_pylist()
        names = ("tickets_open", "escalations_open", "tickets_critical_90", "csat_180", "gap_tickets_180")
        return {name: None if isnan(row[name]) else row[name] for name in names}

    return features


def test_an_open_escalation_of_the_helpdesk_is_one_of_the_account(send: Send, lake: Lake) -> None:
    """It stops tasks as one of the CRM does; closed, it no longer does."""
    assert send(october=OPEN).rows == {"tickets": 1}
    assert read_accounts(resolve(lake, {}).tables, AS_OF)["c1"].has_escalation
    send(october=CLOSED)
    assert not read_accounts(resolve(lake, {}).tables, AS_OF)["c1"].has_escalation


def test_a_ticket_that_is_sent_again_replaces_itself(send: Send, lake: Lake) -> None:
    """In the same file or in a later one; also when it moved to another account."""
    send(october=OPEN)
    assert len(send(october=CLOSED).replaced) == 1
    send(november=OPEN.replace("c1", "c2"))
    tickets = lake.tables()["helpdesk_tickets"].select("account_key", "ticket_id", "is_closed")
    assert tickets.to_pyarrow().to_pylist() == [{"account_key": "c2", "ticket_id": "7", "is_closed": False}]


def test_a_closing_after_the_as_of_day_is_not_known_on_it(
    send: Send, support: Callable[..., dict[str, Any]]
) -> None:
    """Neither that the ticket was closed nor how the customer rated it."""
    send(october=OPEN)
    before = support(AS_OF)
    assert (before["tickets_open"], before["escalations_open"], before["csat_180"]) == (1, 1, None)
    send(october=CLOSED)
    assert support(AS_OF) == before
    after = support(date(2026, 11, 21))
    assert (after["tickets_open"], after["escalations_open"], after["csat_180"]) == (0, 0, 2.0)


def test_a_ticket_is_not_known_before_the_file_says(
    send: Send, support: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """`known_from` may be later than the creation: a helpdesk that was bought in November."""
    settings = tmp_path / "upswell.toml"
    settings.write_text(settings.read_text() + 'known_from = "imported"\n')
    head, line = HEAD.strip() + ",imported\n", OPEN.strip() + ",2026-11-15T00:00:00Z\n"
    (tmp_path / "tickets-october.csv").write_text(head + line)
    send()
    assert support(AS_OF)["tickets_open"] is None
    assert support(date(2026, 11, 16))["tickets_open"] == 1
