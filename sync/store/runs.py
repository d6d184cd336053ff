"""The record of runs and their steps, so that a killed run resumes after its last finished step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from connectors.crm import OrgInfo
from connectors.errors import StateError
from sync.store.engine import Store
from sync.store.tables import OrgRow, RunRow, StepRow


def know_org(store: Store, org: OrgInfo, *, now: datetime) -> None:
    """Note the org, or what changed about it since it was first seen."""
    facts = {
        "kind": org.kind,
        "name": org.name,
        "url": org.url,
        "currency": org.currency,
        "timezone": org.timezone,
        "api_version": org.api_version,
    }
    with store.begin() as session:
        row = session.get(OrgRow, org.id)
        if row is None:
            session.add(OrgRow(id=org.id, first_seen=now, **facts))
        else:
            for name, value in facts.items():
                setattr(row, name, value)


def start_run(
    store: Store,
    verb: str,
    *,
    config_hash: str,
    now: datetime,
    org_id: str | None = None,
    as_of: date | None = None,
) -> str:
    """The id of a new run, which sorts by its start: 20261123T065642-3f9c1a2b."""
    run_id = f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
    with store.begin() as session:
        session.add(
            RunRow(
                id=run_id,
                verb=verb,
                org_id=org_id,
                started_at=now,
                status="running",
                as_of=as_of,
                config_hash=config_hash,
            )
        )
    return run_id


def bind_run(store: Store, run_id: str, *, org_id: str | None = None, as_of: date | None = None) -> None:
    """Note which org and which as-of date a run turned out to be about."""
    with store.begin() as session:
        row = _run(session.get(RunRow, run_id), run_id)
        row.org_id = org_id if org_id is not None else row.org_id
        row.as_of = as_of if as_of is not None else row.as_of


def end_run(store: Store, run_id: str, *, status: str, now: datetime, error: str | None = None) -> None:
    """Note how a run ended: done, partial (rows were rejected) or failed."""
    with store.begin() as session:
        row = _run(session.get(RunRow, run_id), run_id)
        row.status, row.ended_at, row.error = status, now, error


def begin_step(store: Store, run_id: str, position: int, name: str, *, now: datetime) -> None:
    """Note that a step began, for the first time or again."""
    with store.begin() as session:
        row = session.get(StepRow, (run_id, position))
        if row is None:
            row = StepRow(run_id=run_id, position=position, name=name)
            session.add(row)
        row.status, row.started_at, row.ended_at, row.detail = "running", now, None, {}


def finish_step(
    store: Store,
    run_id: str,
    position: int,
    *,
    now: datetime,
    status: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note how a step ended, and what it found, as JSON values."""
    with store.begin() as session:
        row = session.get(StepRow, (run_id, position))
        if row is None:
            raise StateError(
                f"step {position} ended before it began.", record=run_id, fix="call begin_step first"
            )
        row.status, row.ended_at, row.detail = status, now, dict(detail or {})


def steps_done(store: Store, run_id: str) -> Mapping[str, Mapping[str, Any]]:
    """The finished steps of a run, in order, with what each found."""
    with store.session() as session:
        rows = session.scalars(
            select(StepRow)
            .where(StepRow.run_id == run_id, StepRow.status == "done")
            .order_by(StepRow.position)
        )
        return {row.name: row.detail for row in rows}


def latest_run(store: Store, verb: str | None = None, *, status: str | None = None) -> RunRow | None:
    """The run that started last, of a verb and a status where they are given."""
    query = select(RunRow).order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(1)
    if verb is not None:
        query = query.where(RunRow.verb == verb)
    if status is not None:
        query = query.where(RunRow.status == status)
    with store.session() as session:
        return session.scalars(query).first()


def run_state(store: Store, run_id: str) -> RunRow:
    """The run as it stands. Raises StateError for an unknown one."""
    with store.session() as session:
        row = session.get(RunRow, run_id)
    return _run(row, run_id)


def step_seconds(store: Store, run_id: str) -> dict[str, float]:
    """How long each finished step took, from its first claim on; those with nothing to do are left out."""
    query = select(StepRow).where(StepRow.run_id == run_id, StepRow.status == "done")
    with store.session() as session:
        return {
            row.name: round((row.ended_at - row.started_at).total_seconds(), 2)
            for row in session.scalars(query.order_by(StepRow.position))
            if row.ended_at is not None and "skipped" not in row.detail
        }


def run_ended(store: Store, run_id: str) -> datetime | None:
    """When the run ended; None while it has not. A run that nobody knows ended long ago."""
    with store.session() as session:
        row = session.get(RunRow, run_id)
        return datetime.min.replace(tzinfo=UTC) if row is None else row.ended_at


def _run(row: RunRow | None, run_id: str) -> RunRow:
    if row is None:
        raise StateError(
            "the ledger knows no such run.", record=run_id, fix="list the runs with: upswell status"
        )
    return row
