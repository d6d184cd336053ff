"""Tables read from CSV, JSON lines and Parquet."""

# ruff: noqa: E501  # tables of cases read better with one case a line

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.canonical import EXPORT_TABLES
from connectors.errors import InputError

EVENTS = "account_key,user_id,event,at\n001,NA,login,2026-11-02T09:00:00Z\nC-2,null,export,2026-11-02T10:30:00+02:00\n"


def parquet_bytes(table: pa.Table, **options: Any) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def zip_bytes(members: dict[str, str]) -> bytes:
    """Texts as a zip of files that are not packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_ids_and_names_that_look_like_numbers_or_nulls_stay_text(load: Any) -> None:
    """001 keeps its zeros, NA and null are names."""
    table = load(EVENTS)
    assert table.column("account_key").to_pylist() == ["001", "C-2"]
    assert table.column("user_id").to_pylist() == ["NA", "null"]


def test_times_arrive_in_utc_and_tell_when_an_event_became_known(load: Any) -> None:
    """An offset is applied; known_from of an event is its time."""
    table = load(EVENTS)
    expected = [datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 2, 8, 30, tzinfo=UTC)]
    assert table.column("at").to_pylist() == expected
    assert table.column("known_from").to_pylist() == expected


def test_a_table_has_the_canonical_schema_whatever_the_file_holds(load: Any) -> None:
    """Columns that the file lacks are null, others are dropped."""
    table = load(
        EVENTS.replace("event,at", "event,at,colour")
        .replace("Z\n", "Z,red\n")
        .replace("+02:00\n", "+02:00,blue\n")
    )
    assert table.schema == EXPORT_TABLES["events"]
    assert table.column("session_id").null_count == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(load: Any, delimiter: str) -> None:
    """Comma, semicolon, tab and bar are recognised."""
    assert load(EVENTS.replace(",", delimiter)).num_rows == 2


def test_the_same_rows_come_from_csv_json_lines_parquet_and_gzip(load: Any) -> None:
    """The content tells the format; the file's name means nothing."""
    rows = [
        dict(zip(("account_key", "user_id", "event", "at"), line.split(","), strict=True))
        for line in EVENTS.splitlines()[1:]
    ]
    lines = "\n".join(json.dumps(row) for row in rows)
    parquet = parquet_bytes(pa.Table.from_pylist(rows))
    expected = load(EVENTS)
    for content in (
        lines,
        lines + "\n\n",
        parquet,
        gzip.compress(EVENTS.encode()),
        gzip.compress(lines.encode()),
    ):
        assert load(content, name="misnamed.txt").equals(expected)


def test_a_company_names_its_own_columns_and_paths(load: Any) -> None:
    """account_key may be a path through JSON objects."""
    line = json.dumps({"groups": {"company": 42}, "who": "u1", "event": "login", "at": "2026-11-02"})
    table = load(line, account_key="groups.company", columns={"user_id": "who"}, timezone="America/New_York")
    assert table.column("account_key").to_pylist() == ["42"]
    assert table.column("at").to_pylist() == [datetime(2026, 11, 2, 5, tzinfo=UTC)]


def test_times_without_a_zone_are_taken_in_the_given_one(load: Any) -> None:
    """Berlin is an hour ahead in winter and two in summer."""
    rows = "a,u,e,2026-01-05 09:00:00\na,u,e,2026-07-06T09:00:00.250\n"
    table = load("account_key,user_id,event,at\n" + rows, timezone="Europe/Berlin")
    assert table.column("at").to_pylist() == [
        datetime(2026, 1, 5, 8, tzinfo=UTC),
        datetime(2026, 7, 6, 7, 0, 0, 250_000, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("written", "why"),
    [("2026-03-29 02:30:00", "did not exist"), ("2026-10-25 02:30:00", "was twice")],
)
def test_a_time_that_a_clock_change_skips_or_repeats_is_refused(load: Any, written: str, why: str) -> None:
    """Which moment was meant can't be known, so it isn't guessed; the row is named."""
    rows = f"a,u,e,2026-03-28 02:30:00\na,u,e,{written}\n"
    with pytest.raises(InputError, match=why) as caught:
        load("account_key,user_id,event,at\n" + rows, timezone="Europe/Berlin")
    assert "line 3 (row 2)" in str(caught.value.record)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("usage", "account_key,metric,period_start,period_days,value\na,api,2026-10-01,31,5\n", datetime(2026, 11, 1, tzinfo=UTC)),
        ("usage", "account_key,metric,period_start,value\na,api,2026-10-01,5\n", datetime(2026, 10, 2, tzinfo=UTC)),
        ("billing", "account_key,period_start,period_end\na,2026-10-01,2026-10-31\n", datetime(2026, 11, 1, tzinfo=UTC)),
        ("billing", "account_key,period_start,known_from\na,2026-10-01,2026-11-03T08:00:00Z\n", datetime(2026, 11, 3, 8, tzinfo=UTC)),
        ("entitlements", "account_key,item,valid_from\na,seats,2026-10-01\n", datetime(2026, 10, 1, tzinfo=UTC)),
        ("triggers", "account_key,kind,occurred_on\na,funding,2026-10-01\n", datetime(2026, 10, 2, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_row_is_known_no_sooner_than_it_could_be(
    load: Any, kind: str, content: str, expected: datetime
) -> None:
    """Without known_from in the file, the row's own dates decide."""
    assert load(content, kind=kind).column("known_from").to_pylist() == [expected]


def test_typed_parquet_columns_keep_their_meaning(load: Any) -> None:
    """Nanosecond times, dates, dictionaries, decimals and whole-number ids are all understood."""
    table = pa.table(
        {
            "account_key": pa.array([7], pa.int64()),
            "period_start": pa.array([datetime(2026, 10, 1)], pa.timestamp("ns")),  # noqa: DTZ001  # a file without zones
            "plan_tier": pa.array(["Pro"]).dictionary_encode(),
            "arr": pa.array([1200], pa.decimal128(12, 2)),
            "seats": pa.array([12], pa.int32()),
        }
    )
    row = load(parquet_bytes(table), kind="billing").to_pylist()[0]
    assert (row["account_key"], row["period_start"], row["plan_tier"]) == ("7", date(2026, 10, 1), "Pro")
    assert (row["arr"], row["seats"]) == (1200.0, 12.0)


def test_text_with_line_breaks_quotes_and_other_scripts_survives(load: Any) -> None:
    """A note is kept as it was written."""
    note = 'Ziel: "Rollout"\nbis Q2; später 日本 – да'
    buffer = io.BytesIO()
    row = {"account_key": ["a"], "kind": ["qbr"], "written_at": ["2026-10-01T00:00:00Z"], "text": [note]}
    pa_csv.write_csv(pa.table(row), buffer)
    assert load(b"\xef\xbb\xbf" + buffer.getvalue(), kind="notes").column("text").to_pylist() == [note]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs",)), min_size=1, max_size=12),
            st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  # made aware below
        ),
        min_size=1,
        max_size=20,
    )
)  # fmt: skip
def test_any_text_and_time_comes_back_from_every_format(
    tmp_path_factory: Any, rows: list[tuple[str, datetime]]
) -> None:
    """What was exported is what is read."""
    from connectors.exports.listing import list_files
    from connectors.exports.spec import ExportSpec
    from connectors.exports.table import read_export

    folder = tmp_path_factory.mktemp("any")
    data = [
        {"account_key": key, "user_id": key, "event": key, "at": moment.replace(tzinfo=UTC).isoformat()}
        for key, moment in rows
    ]
    buffer = io.BytesIO()
    pa_csv.write_csv(pa.Table.from_pylist(data), buffer)
    contents = {
        "a": buffer.getvalue(),
        "b": "\n".join(json.dumps(row, ensure_ascii=False) for row in data).encode(),
        "c": parquet_bytes(pa.Table.from_pylist(data)),
    }
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(content)
        spec = ExportSpec(kind="events", path=str(path))
        table = read_export(spec, list_files(spec)[0])
        assert table.column("event").to_pylist() == [key for key, _ in rows]
        assert table.column("at").to_pylist() == [moment.replace(tzinfo=UTC) for _, moment in rows]


@pytest.mark.parametrize(
    ("kind", "content", "where", "what"),
    [
        ("events", "account_key,user_id,event,at\na,u,e,2026-11-02T09:00:00Z\na,u,e,yesterday\n", "row 2", "yesterday"),
        ("events", "account_key,user_id,event,at\na,u,e,2026-02-30\n", "row 1", "2026-02-30"),
        ("events", "account_key,user_id,event,at\na,u,e,02/11/2026\n", "row 1", "02/11/2026"),
        ("events", "account_key,user_id,event,at\na,u,e,1762074000\n", "row 1", "1762074000"),
        ("events", "account_key,user_id,event,at\na,u,e,\n", "row 1", "at is empty"),
        ("usage", 'account_key,metric,period_start,value\na,m,2026-01-01,"1,5"\n', "row 1", "1,5"),
        ("usage", "account_key,metric,period_start,value\na,m,2026-01-01,NaN\n", "row 1", "finite"),
        ("usage", "account_key,metric,period_start,period_days,value\na,m,2026-01-01,7.5,1\n", "row 1", "7.5"),
        ("events", '{"account_key":"a","user_id":"u","event":"e","at":"2026-11-02"}\n{"account_key":"a",\n', "line 2", "no JSON"),
        ("events", '{"account_key":"a","user_id":"u","event":"e","at":"2026-11-02"}\n{"at": NaN}\n', "line 2", "NaN"),
        ("events", '{"account_key":"a","user_id":"u","event":"e","at":"2026-11-02"}\n[1]\n', "line 2", "no JSON object"),
        ("events", "account_key,user_id,event,at\na,u,e\n", "", "Expected 4 columns, got 3"),
        ("events", "account_key,user_id,happening,at\na,u,e,2026-11-02\n", "", "no column 'event'"),
        ("events", "account_key,user_id,event,at,at\na,u,e,2026-11-02,x\n", "line 1", "twice"),
        ("events", '[{"account_key":"a"}]', "", "JSON array"),
        ("events", "", "", "empty"),
        ("events", b"PK\x03\x04\x00\x00\x00", "", "neither text nor Parquet"),
        ("events", "account_key,user_id,event,at\na,u,Größe,2026-11-02\n".encode("latin-1"), "", "UTF-8"),
        ("events", gzip.compress(EVENTS.encode() * 50)[:-20], "", "gzip"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_place_and_reason(
    load: Any, kind: str, content: bytes | str, where: str, what: str
) -> None:
    """The error names the file, the line where it is known, the reason and the fix."""
    with pytest.raises(InputError) as caught:
        load(content, kind=kind)
    assert "file.dat" in str(caught.value.record)
    assert where in str(caught.value.record)
    assert what in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"(\xb5/\xfd\x04\x00", "zstd"),
        (b"Obj\x01\x04", "Avro"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (gzip.compress(parquet_bytes(pa.table({"a": [1]}))), "packed by gzip"),
    ],
)
def test_what_is_no_export_is_called_by_its_name(load: Any, content: bytes, what: str) -> None:
    """A page that asks to log in, saved as an export, is not read as a table of one strange column."""
    with pytest.raises(InputError, match=what):
        load(content)


def test_a_workbook_and_an_encrypted_zip_are_refused_and_hidden_files_are_left_out(load: Any) -> None:
    """A zip holds exports, and nothing else that looks like one."""
    assert load(zip_bytes({"__MACOSX/._a.csv": "x", ".DS_Store": "x", "a.csv": EVENTS})).num_rows == 2
    with pytest.raises(InputError, match="workbook"):
        load(zip_bytes({"[Content_Types].xml": "<x/>", "xl/sheet1.xml": "<x/>"}))
    with pytest.raises(InputError, match="holds no file"):
        load(zip_bytes({}))
    secret = bytearray(zip_bytes({"a.csv": EVENTS}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        secret[secret.index(mark) + at] |= 1
    with pytest.raises(InputError, match="encrypted"):
        load(bytes(secret))


def test_a_damaged_member_of_a_zip_is_refused(load: Any) -> None:
    """Its checksum is verified when its end is read."""
    content = bytearray(zip_bytes({"a.csv": EVENTS}))
    content[content.index(b"login")] ^= 1
    with pytest.raises(InputError, match="CRC") as caught:
        load(bytes(content))
    assert str(caught.value.record).endswith("a.csv")


def test_a_zip_packed_in_an_unknown_way_is_refused(load: Any) -> None:
    """What its directory claims can't be read is an error of the file, not of ours."""
    content = bytearray(zip_bytes({"a.csv": EVENTS}))
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(mark) + at] = 99
    with pytest.raises(InputError, match="compression method"):
        load(bytes(content))


def test_a_path_leads_into_a_column_of_json_and_into_a_struct(load: Any) -> None:
    """Warehouses export an event's properties so."""
    properties = {"plan": {"tier": "Pro"}, "acct": 7}
    row = {"user_id": "u", "event": "e", "at": "2026-11-02T09:00:00Z"}
    texts = pa.Table.from_pylist([row | {"properties": json.dumps(properties)}, row | {"properties": ""}])
    buffer = io.BytesIO()
    pa_csv.write_csv(texts, buffer)
    where = {"account_key": "properties.acct", "columns": {"feature": "properties.plan.tier"}}
    for content in (buffer.getvalue(), parquet_bytes(texts)):
        table = load(content, **where)
        assert table.column("account_key").to_pylist() == ["7", None]
        assert table.column("feature").to_pylist() == ["Pro", None]
    struct = parquet_bytes(pa.Table.from_pylist([row | {"properties": properties}]))
    assert load(struct, **where).column("feature").to_pylist() == ["Pro"]


def test_ids_of_warehouses_are_text_whatever_their_type(load: Any) -> None:
    """Whole decimals, as Snowflake unloads numbers, and bytes, as Hive writes text."""
    table = pa.table(
        {
            "account_key": pa.array([42], pa.decimal128(38, 0)),
            "user_id": pa.array([b"anna"], pa.binary()),
            "event": ["e"],
            "at": ["2026-11-02T09:00:00Z"],
        }
    )
    (row,) = load(parquet_bytes(table)).to_pylist()
    assert (row["account_key"], row["user_id"]) == ("42", "anna")
    with pytest.raises(InputError, match="user_id"):
        load(parquet_bytes(table.set_column(1, "user_id", pa.array([b"\xff"], pa.binary()))))


def test_half_a_parquet_file_is_refused(load: Any) -> None:
    """A cut file has lost its footer."""
    whole = parquet_bytes(
        pa.Table.from_pylist([{"account_key": "a", "user_id": "u", "event": "e", "at": "2026-11-02"}] * 500)
    )
    with pytest.raises(InputError, match="cut or damaged"):
        load(whole[: len(whole) // 2])


def test_a_flipped_byte_in_checksummed_parquet_is_refused(load: Any) -> None:
    """Page checksums are verified, so no value changes unseen."""
    rows = [{"account_key": f"C-{n}", "user_id": "u", "event": "e", "at": "2026-11-02"} for n in range(5000)]
    whole = parquet_bytes(
        pa.Table.from_pylist(rows), write_page_checksum=True, compression="none", use_dictionary=False
    )
    at = whole.index(b"C-2500")
    broken = whole[:at] + b"D" + whole[at + 1 :]
    assert load(whole).num_rows == 5000
    with pytest.raises(InputError, match="cut or damaged"):
        load(broken)


def test_two_of_our_columns_may_come_from_one_of_the_files(load: Any) -> None:
    """Whether it is CSV, JSON lines or Parquet, both get the values."""
    row = {"account_key": "C-1", "Action": "export", "at": "2026-11-02T09:00:00Z", "user_id": "u1"}
    contents = (
        "\n".join([",".join(row), ",".join(row.values())]),
        json.dumps(row),
        parquet_bytes(pa.Table.from_pylist([row])),
    )
    for content in contents:
        table = load(content, columns={"event": "Action", "feature": "Action"})
        (read,) = table.select(["event", "feature", "user_id"]).to_pylist()
        assert read == {"event": "export", "feature": "export", "user_id": "u1"}


TICKETS = "account_key,ticket_id,subject,created_at,closed_at,csat\n"


def test_a_helpdesks_ticket_is_known_from_its_creation(load: Any) -> None:
    """With a closing time it is closed, unless the file says otherwise; its id stays text."""
    table = load(
        TICKETS
        + "C-1,007,Slow,2026-11-02T09:00:00Z,2026-11-05T10:00:00Z,4\n"
        + "C-1,008,Slower,2026-11-03T09:00:00Z,,\n",
        kind="tickets",
    )
    assert table.schema == EXPORT_TABLES["helpdesk_tickets"]
    assert table.column("ticket_id").to_pylist() == ["007", "008"]
    assert table.column("known_from").to_pylist() == table.column("created_at").to_pylist()
    assert table.column("is_closed").to_pylist() == [True, False]
    stated = load(
        TICKETS.replace("csat", "is_closed") + "C-1,1,Back,2026-11-02T09:00:00Z,2026-11-05T10:00:00Z,no\n",
        kind="tickets",
    )
    assert stated.column("is_closed").to_pylist() == [False]


def test_a_ticket_without_its_id_is_refused_by_row(load: Any) -> None:
    """Nothing could tell it from itself when the file is sent again."""
    with pytest.raises(InputError, match="ticket_id is empty") as caught:
        load(TICKETS + "C-1,,Slow,2026-11-02T09:00:00Z,,\n", kind="tickets")
    assert "row 1" in str(caught.value.record)
