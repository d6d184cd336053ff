"""The same events in two files of other bytes are found, with their share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.canonical import EXPORT_TABLES
from sync.config import load
from sync.event_sample import SIZE, EventSample
from sync.export_check import check_exports
from sync.export_overlaps import Sampled, overlaps
from sync.export_report import ExportReport
from sync.exports import ingest
from sync.lake import Lake
from sync.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def database() -> str:
    """What is asked of the ledger here is asked in `test_exports` too."""
    return "sqlite"


def events(first: int, last: int, name: str = "open", seconds: int = 1) -> pa.RecordBatch:
    """Events by number, one every so many seconds; 0 is seven hundred of them at the beginning of a day."""
    count = last - first
    moments = [
        timedelta(seconds=seconds * n) if seconds else timedelta(days=n // 700) for n in range(first, last)
    ]
    times = pa.array([START + each for each in moments], pa.timestamp("us", tz="UTC"))
    columns = {
        "account_key": pa.array([f"a{n % 7}" for n in range(first, last)]),
        "user_id": pa.array([f"u{n % 911}" for n in range(first, last)]),
        "event": pa.array([name] * count),
        "feature": pa.array([None if n % 3 else "f" for n in range(first, last)], pa.string()),
        "at": times,
        "session_id": pa.nulls(count, pa.string()),
        "known_from": times,
    }
    return pa.RecordBatch.from_pydict(columns, schema=EXPORT_TABLES["events"])


def sample(*batches: pa.RecordBatch) -> EventSample:
    """The sample of a file with these batches."""
    made = EventSample()
    for batch in batches:
        made.add(batch)
    return made


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 5_000),
    st.integers(1, 60_000),
    st.integers(0, 70_000),
    st.integers(1, 40_000),
    st.sampled_from([0, 1, 60]),
)
def test_the_share_of_two_files_is_found_within_a_few_points(
    first: int, rows: int, other: int, others: int, seconds: int
) -> None:
    """By samples of bounded size, whatever the files' sizes, with times of seconds, minutes or days."""
    one = sample(events(first, first + rows, seconds=seconds))
    two = sample(events(other, other + others, seconds=seconds))
    shared = max(0, min(first + rows, other + others) - max(first, other))
    assert len(one.hashes) <= 2 * SIZE
    if rows <= 2 * SIZE and others <= 2 * SIZE:
        assert one.share_in(two) == pytest.approx(shared / rows)
    elif min(rows, others) > 20_000 or shared == 0:
        assert one.share_in(two) == pytest.approx(shared / rows, abs=0.1)
    assert one.share_in() == 0.0


def test_a_sample_does_not_depend_on_how_the_file_was_cut_into_batches() -> None:
    """Nor on the order of its rows; and it comes back from the manifest as it was."""
    whole = sample(events(0, 9_000))
    parts = sample(events(5_000, 9_000), events(0, 1), events(1, 5_000))
    assert whole.bits == parts.bits > 0
    assert whole.to_bytes() == parts.to_bytes()
    assert EventSample.from_bytes(whole.to_bytes(), whole.bits).share_in(parts) == 1.0
    assert whole.share_in(sample(events(0, 9_000, "close"))) == 0.0


def test_of_two_files_that_share_events_the_later_one_is_named_once() -> None:
    """With all the files that it shares them with, and never a file that only touches it in time."""

    def held(name: str, first: int, last: int, kind: str = "open") -> Sampled:
        begin, end = START + timedelta(seconds=first), START + timedelta(seconds=last - 1)
        return Sampled(path=name, first_at=begin, last_at=end, sample=sample(events(first, last, kind)))

    files = [
        held("may", 0, 1_000),
        held("june", 900, 1_900),
        held("july", 1_900, 2_900),
        held("q2", 500, 1_900),
        held("other", 0, 2_000, "close"),
    ]
    found = {one.path: (one.share, one.others) for one in overlaps(files)}
    assert found == {
        "q2": (pytest.approx(500 / 1_400), ("may",)),
        "june": (pytest.approx(1.0), ("q2", "may")),
    }
    assert overlaps(files, among={"july", "other"}) == []
    assert len(overlaps(files, among={"may"})) == 2


HEAD = "account_key,user_id,event,at\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two months' exports that overlap by one of four days."""
    (tmp_path / "upswell.toml").write_text(
        '[crm]\nkind = "hubspot"\n[[exports]]\nkind = "events"\npath = "e-*"\n'
    )
    rows = [f"7,ann,open,2026-01-0{day}T09:00:00Z\n" for day in range(1, 8)]
    (tmp_path / "e-1.csv").write_text(HEAD + "".join(rows[:4]))
    (tmp_path / "e-2.csv").write_text(HEAD + "".join(rows[3:]))
    return tmp_path


Ingest = Callable[[], ExportReport]


@pytest.fixture
def ingest_now(folder: Path, ledger: Store, lake: Lake, noon: datetime) -> Ingest:
    """Read the exports."""
    return lambda: ingest(load(folder / "upswell.toml", {}), ledger, lake, run_id=None, now=noon)


def test_two_exports_that_overlap_are_warned_of_when_checked_and_when_read(
    folder: Path, ingest_now: Ingest, ledger: Store, noon: datetime
) -> None:
    """Before anything is used, and once it is; a reading that brings nothing new says nothing."""
    checks = check_exports(load(folder / "upswell.toml", {}), ledger, now=noon)
    assert [each.warning is not None for each in checks] == [False, True]
    (told,) = ingest_now().warnings
    assert told == checks[1].warning
    assert told.startswith(f"{folder / 'e-2.csv'}: about 25% of its events stand in {folder / 'e-1.csv'} too")
    assert ingest_now().warnings == ()


def test_a_file_under_another_name_shares_nothing_with_itself(
    folder: Path, ingest_now: Ingest, ledger: Store, noon: datetime
) -> None:
    """Moved or copied, the same bytes count once, so nothing counts twice."""
    (folder / "e-2.csv").unlink()
    ingest_now()
    (folder / "e-1.csv").rename(folder / "e-3.csv")
    (folder / "e-4.csv").write_bytes((folder / "e-3.csv").read_bytes())
    checks = check_exports(load(folder / "upswell.toml", {}), ledger, now=noon)
    assert [each.warning for each in checks] == [
        None,
        f"{folder / 'e-4.csv'} holds the same bytes as {folder / 'e-3.csv'}; it counts once.",
    ]
    assert ingest_now().overlaps == ()
