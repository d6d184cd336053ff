"""Files of all formats in one folder, good ones and bad ones: each counts as what it is, or not at all."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from infra.doubles.analytics import (
    amplitude_event,
    mixpanel_event,
    pendo_row,
    posthog_event,
    segment_call,
)
from infra.doubles.export_files import NOW, READ, REFUSED, impossible_numbers
from sync.config import load
from sync.exports import ingest
from sync.lake import Lake
from sync.store import Store
from sync.store.tables import ExportFileRow

EVENTS = """
[[exports]]
kind = "events"
path = "exports/*.*"

[[exports]]
kind = "events"
path = "exports/mixpanel/*"
account_key = "properties.company_id"

[[exports]]
kind = "users"
path = "exports/segment.gz"
"""


@pytest.fixture
def database() -> str:
    """What is read is the same on both."""
    return "sqlite"


def lines(objects: Iterable[Mapping[str, Any]]) -> bytes:
    """Objects as JSON lines."""
    return "".join(f"{json.dumps(each)}\n" for each in objects).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file of each vendor, and the settings that name them without saying what they are."""
    made = tmp_path / "exports"
    (made / "mixpanel").mkdir(parents=True)
    with zipfile.ZipFile(made / "amplitude.zip", "w") as archive:
        hour = lines(amplitude_event(n) for n in (1, 2, 2))
        archive.writestr("1/1_2026-11-02_9#0.json.gz", gzip.compress(hour))
    (made / "mixpanel" / "raw").write_bytes(gzip.compress(lines(mixpanel_event(n) for n in range(3))))
    calls = [segment_call("track", n, event="x") for n in range(4)]
    calls.append(segment_call("identify", 1, traits={"department": "Finance"}))
    (made / "segment.gz").write_bytes(gzip.compress(lines(calls)))
    rows = [
        {**event, "properties": json.dumps(event["properties"]), "person_properties": "{}"}
        for event in map(posthog_event, range(5))
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    (made / "posthog.parquet").write_bytes(buffer.getvalue())
    (made / "pendo.jsonl").write_bytes(lines([pendo_row(numEvents=6)]))
    (tmp_path / "upswell.toml").write_text(f'[crm]\nkind = "salesforce"\n{EVENTS}')
    return made


def test_every_format_is_recognised_and_counts(
    tmp_path: Path, folder: Path, ledger: Store, lake: Lake
) -> None:
    """The manifest says how each was read; a call that is no event is a user."""
    report = ingest(load(tmp_path / "upswell.toml", {}), ledger, lake, run_id=None, now=NOW)
    assert report.quarantined == ()
    assert report.rows == {"events": 2 + 3 + 4 + 5 + 6, "users": 1}
    with ledger.session() as session:
        found = {(Path(row.path).name, row.format) for row in session.scalars(select(ExportFileRow))}
    assert found == {
        ("amplitude.zip", "amplitude"),
        ("raw", "mixpanel"),
        ("segment.gz", "segment"),
        ("posthog.parquet", "posthog"),
        ("pendo.jsonl", "pendo"),
    }
    (user,) = lake.tables()["users"].to_pyarrow().to_pylist()
    assert (user["account_key"], user["user_id"], user["department"]) == ("0042", "u1", "Finance")


def test_bad_files_are_set_aside_and_all_others_count(
    tmp_path: Path, folder: Path, ledger: Store, lake: Lake
) -> None:
    """A file of each class that needs no settings: none holds up the run, none counts in part."""
    rows = 20
    for make in READ:
        case = make(random.Random(1))
        if not case.settings:
            (folder / f"good_{make.__name__}.dat").write_bytes(case.content)
            rows += len(case.rows)
    bad = [make for make in REFUSED if make is not impossible_numbers]
    for make in bad:
        (folder / f"bad_{make.__name__}.dat").write_bytes(make(random.Random(1)).content)
    report = ingest(load(tmp_path / "upswell.toml", {}), ledger, lake, run_id=None, now=NOW)
    assert {Path(each.path).name for each in report.quarantined} == {f"bad_{m.__name__}.dat" for m in bad}
    assert report.rows["events"] == rows
    assert lake.tables()["events"].count().to_pyarrow().as_py() == rows


def test_a_declared_encoding_and_zone_reach_the_file(
    tmp_path: Path, ledger: Store, lake: Lake, noon: datetime
) -> None:
    """As upswell.toml says them."""
    text = "account_key,user_id,event,at\nA,Jörg,x,2026-11-01 09:00\n"
    (tmp_path / "e.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "upswell.toml").write_text(
        '[crm]\nkind = "salesforce"\n[[exports]]\nkind = "events"\npath = "e.csv"\n'
        'encoding = "cp1252"\ntimezone = "Asia/Tokyo"\n'
    )
    ingest(load(tmp_path / "upswell.toml", {}), ledger, lake, run_id=None, now=noon)
    (row,) = lake.tables()["events"].to_pyarrow().to_pylist()
    assert row["user_id"] == "Jörg"
    assert row["at"].isoformat() == "2026-11-01T00:00:00+00:00"
