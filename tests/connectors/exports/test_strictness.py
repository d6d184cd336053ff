"""What text, numbers and times of an export may be, beyond the classes of bad files."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import InputError
from connectors.exports.delivered import Delivered
from infra.doubles.analytics import mixpanel_event

HEADER = "account_key,user_id,event,at\n"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "encoding", "why"),
    [
        (HEADER.encode() + b"a,u,\x93x\x94,2026-11-02T09:00:00Z\n", "latin-1", "0x93"),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"a,u,e,2026-11-02T09:00:00Z\n", "cp1252", "mark of UTF-8"),
        ((HEADER + "a,u,e,2026-11-02T09:00:00Z\n").encode("utf-16-be"), "utf-16", "byte order"),
        (HEADER.encode() + b"a,u,\x81,2026-11-02T09:00:00Z\n", "cp1252", "is not cp1252"),
        (HEADER.encode() + b"a,u,\xff,2026-11-02T09:00:00Z\n", "utf-8-sig", "not UTF-8"),
    ],
)
def test_a_declared_encoding_is_held_to(load: Any, content: bytes, encoding: str, why: str) -> None:
    """Bytes that are none of its characters, or the mark of another one, are refused with what to declare."""
    with pytest.raises(InputError, match=why) as caught:
        load(content, encoding=encoding)
    assert "encoding" in str(caught.value.fix)


def test_a_carriage_return_alone_ends_no_line(load: Any) -> None:
    """Outside of quotes it would cut a row that has no line; inside it is text."""
    row = "a,u,{},2026-11-02T09:00:00Z\n"
    assert load(HEADER + row.format('"x\ry"')).column("event").to_pylist() == ["x\ry"]
    with pytest.raises(InputError, match="carriage return stands alone") as caught:
        load(HEADER + row.format("x") + row.format('"p\nq"') + row.format("x\ry"))
    assert "line 5" in str(caught.value.record)


def test_empty_lines_are_no_rows_but_they_count_as_lines(load: Any) -> None:
    """So a place is where an editor shows it."""
    row = "a,u,e,2026-11-02T09:00:00Z\n"
    assert load(HEADER + row + "\n\r\n" + row).num_rows == 2
    with pytest.raises(InputError, match="Expected 4 columns, got 3") as caught:
        load(HEADER + row + "\n\n" + row + "a,u,e\n")
    assert "line 6" in str(caught.value.record)


def test_a_value_with_an_escaped_nul_is_refused(load: Any) -> None:
    """No database takes it; in what is not read it does no harm."""
    row = {"account_key": "a", "user_id": "u", "event": "e", "at": "2026-11-02T09:00:00Z"}
    harmless = json.dumps(row | {"more": "\0"}) + "\n"
    assert load(harmless).num_rows == 1
    with pytest.raises(InputError, match="event holds a NUL") as caught:
        load(harmless + json.dumps(row | {"event": "x\0y"}) + "\n")
    assert "line 2" in str(caught.value.record)


def test_a_malformed_line_of_any_letters_is_refused_by_its_line(load: Any) -> None:
    """Also where the parser's message would cut one of its letters."""
    row = '{"account_key":"a","user_id":"u","event":"e","at":"2026-11-02T09:00:00Z"}\n'
    for length in range(30, 40):
        bad = '{"event":"' + "x" * length + "שלום" * 60 + '"x}\n'
        with pytest.raises(InputError, match="no JSON") as caught:
            load(row * 300 + bad + row)
        assert "line 301" in str(caught.value.record)


def test_a_name_that_only_later_objects_have_is_read(load: Any, lines: Any) -> None:
    """Objects leave out what is empty; what is an object only later on is reached too."""
    row = {"account_key": "a", "user_id": "u", "event": "e", "at": "2026-11-02T09:00:00Z"}
    objects = [row | {"more": None}] * 150 + [row | {"more": {"feature": "x"}, "session": 7}]
    table = load(lines(objects), columns={"feature": "more.feature", "session_id": "session"})
    assert table.column("feature").to_pylist() == [None] * 150 + ["x"]
    assert table.column("session_id").to_pylist()[-1] == "7"
    with pytest.raises(InputError, match="no column 'sesion'"):
        load(lines(objects), columns={"session_id": "sesion"})


def test_half_a_letter_in_json_is_refused(load: Any) -> None:
    """A lone surrogate is no text."""
    with pytest.raises(InputError, match="no JSON"):
        load('{"account_key":"a","user_id":"\\ud83d","event":"e","at":"2026-11-02T09:00:00Z"}\n')


def test_bytes_that_pass_for_text_in_parquet_are_refused(load: Any) -> None:
    """Parquet does not check that texts are UTF-8; a database would."""
    good = pa.array(["a"])
    bad = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
    table = pa.table({"account_key": good, "user_id": bad, "event": good, "at": ["2026-11-02T09:00:00Z"]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    with pytest.raises(InputError, match="cut or damaged"):
        load(buffer.getvalue())


def test_what_was_agreed_on_may_lie_ahead(load: Any) -> None:
    """The end of a contract or an invoice's period; what happened may not."""
    limits = "account_key,item,valid_from,valid_to\na,seats,2027-01-01,2028-01-01\n"
    assert load(limits, kind="entitlements", now=NOW).num_rows == 1
    invoices = "account_key,period_start,period_end\na,2026-12-01,2027-11-30\n"
    assert load(invoices, kind="billing", now=NOW).num_rows == 1
    with pytest.raises(InputError, match="in the future"):
        load("account_key,kind,occurred_on\na,funding,2026-11-04\n", kind="triggers", now=NOW)
    with pytest.raises(InputError, match="before 1990"):
        load(limits.replace("2027-01-01", "1970-01-01"), kind="entitlements", now=NOW)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-02T09:00:00.123456789Z", datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-02 09:00:00.5 UTC", datetime(2026, 11, 2, 9, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-02 09:00:00+05:30", datetime(2026, 11, 2, 3, 30, tzinfo=UTC)),
        ("2026-11-02 09:00:00-03", datetime(2026, 11, 2, 12, tzinfo=UTC)),
    ],
)
def test_times_as_databases_write_them_are_read(load: Any, written: str, read: datetime) -> None:
    """Nanoseconds lose what lies below a microsecond."""
    assert load(HEADER + f"a,u,e,{written}\n").column("at").to_pylist() == [read]


@pytest.mark.parametrize(
    ("count", "read"),
    [
        (1793610000.25, datetime(2026, 11, 2, 9, 0, 0, 250000, tzinfo=UTC)),
        ("1793610000123", datetime(2026, 11, 2, 9, 0, 0, 123000, tzinfo=UTC)),
        (17936100001230000000000, None),
        (1793610000123000, None),
        (0, None),
    ],
)
def test_counts_since_1970_are_seconds_or_milliseconds(
    load: Any, lines: Any, count: Any, read: datetime | None
) -> None:
    """Microseconds, and numbers that no clock shows, are refused by line."""
    content = lines([mixpanel_event(1), mixpanel_event(2, time=count)])
    if read is not None:
        times = load(content, account_key="properties.company_id", now=NOW).column("at").to_pylist()
        assert times[1] == read
        return
    with pytest.raises(InputError, match=r"properties\.time") as caught:
        load(content, account_key="properties.company_id", now=NOW)
    assert "line 2" in str(caught.value.record)


def test_ids_that_agree_in_one_hash_only_are_two() -> None:
    """A collision of 64 bits drops no event."""
    delivered = Delivered()
    same = duckdb.ConstantExpression(7).cast(duckdb.sqltype("UBIGINT")).alias("first")
    delivered._hashes = (same, delivered._hashes[1])
    assert delivered.fresh([pa.array(["a", "b"])]).tolist() == [True, True]


def test_a_time_without_a_zone_after_many_with_one_is_refused_by_its_line(load: Any) -> None:
    """However far apart the two are."""
    row = "a,u,e,2026-11-02T09:00:00Z\n"
    many = HEADER + row * 200_000 + "a,u,e,2026-11-02\n"
    with pytest.raises(InputError, match=r"names no zone, others do .*line 2") as caught:
        load(many)
    assert "line 200002" in str(caught.value.record)
    assert load(many, timezone="Europe/Berlin").num_rows == 200_001


def test_a_header_alone_is_no_row_and_an_empty_file_is_refused(load: Any) -> None:
    """An export of zero accounts has no rows."""
    assert load(HEADER).num_rows == 0
    assert load(HEADER.strip()).num_rows == 0
    with pytest.raises(InputError, match="empty"):
        load("\n\n")
