"""Odd and bad export files by class, made from a seed: each with the rows or the reason to expect."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
COLUMNS = ("account_key", "user_id", "event", "at")
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file, how it is declared, and what must come of it: its rows, or a reason and a place."""

    content: bytes
    rows: list[tuple[str, ...]] = field(default_factory=list)
    reason: str = ""
    place: str = ""
    kind: str = "events"
    settings: Mapping[str, Any] = field(default_factory=dict)


def some_rows(chance: random.Random, least: int = 5) -> list[Row]:
    """Events of a few accounts, in random order of time."""
    moments = [
        NOW - timedelta(seconds=chance.randrange(60, 10**7)) for _ in range(chance.randrange(least, 40))
    ]
    return [
        {
            "account_key": f"C-{chance.randrange(9)}",
            "user_id": f"u{chance.randrange(99)}",
            "event": chance.choice(["login", "export", "invite"]),
            "at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for moment in moments
    ]


def as_csv(rows: list[Row], *, end: str = "\n", header: tuple[str, ...] = COLUMNS) -> str:
    """The rows as CSV by RFC 4180."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=end)
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return buffer.getvalue()


def as_lines(rows: list[Row]) -> str:
    """The rows as JSON lines, letters as they are."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_text(rows: list[Row], chance: random.Random) -> str:
    """The rows as either."""
    return chance.choice([as_csv, as_lines])(rows)


def as_parquet(rows: list[Row], **options: Any) -> bytes:
    """The rows as Parquet with a checksum on each page."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer, write_page_checksum=True, **options)
    return buffer.getvalue()


def told(rows: list[Row]) -> list[tuple[str, ...]]:
    """What must be read of the rows."""
    return [tuple(row[name] for name in COLUMNS) for row in rows]


def with_text(rows: list[Row], chance: random.Random, words: list[str]) -> list[Row]:
    """The rows with such words for their accounts, users and events."""
    return [row | {name: chance.choice(words) for name in COLUMNS[:3]} for row in rows]


# what can be read without guessing


def byte_order_mark(chance: random.Random) -> Case:
    """UTF-8 that begins with its mark."""
    rows = some_rows(chance)
    return Case(content=b"\xef\xbb\xbf" + as_text(rows, chance).encode(), rows=told(rows))


def declared_encoding(chance: random.Random) -> Case:
    """Text of another encoding, which is declared."""
    rows = with_text(some_rows(chance), chance, ["Größe", "Ærø", "señal", "façade"])
    encoding = chance.choice(["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
    return Case(
        content=as_text(rows, chance).encode(encoding), rows=told(rows), settings={"encoding": encoding}
    )


def leading_zeros(chance: random.Random) -> Case:
    """Ids that look like numbers."""
    rows = with_text(
        some_rows(chance), chance, ["007", "0", "000", "0e5", "1_000", "00012345678901234567890"]
    )
    return Case(content=as_text(rows, chance).encode(), rows=told(rows))


def null_like_names(chance: random.Random) -> Case:
    """Names that look like nothing."""
    rows = with_text(
        some_rows(chance), chance, ["NA", "null", "NULL", "None", "nan", "NaN", "N/A", "-", "true"]
    )
    return Case(content=as_text(rows, chance).encode(), rows=told(rows))


def emoji_and_right_to_left(chance: random.Random) -> Case:
    """Letters of every sort, quotes and line breaks."""
    words = [
        "🚀 launch",
        "👩‍👩‍👧",
        "שלום עולם",
        "مرحبا",
        "日本\u3000語",
        "e\u0301",
        "\u202eabc",
        'a,"b"\nc',
        "  x ",
    ]
    rows = with_text(some_rows(chance), chance, words)
    return Case(content=as_text(rows, chance).encode(), rows=told(rows))


def duplicate_rows(chance: random.Random) -> Case:
    """Events that stand there twice."""
    rows = some_rows(chance)
    rows = sorted(rows + chance.choices(rows, k=5), key=lambda row: row["at"])
    return Case(content=as_text(rows, chance).encode(), rows=told(rows))


def packed_again(chance: random.Random) -> Case:
    """A gzip file of two members."""
    rows = some_rows(chance)
    text = as_text(rows, chance).encode()
    cut = len(text) // 2  # two members of gzip are one file, as cat makes it
    return Case(content=gzip.compress(text[:cut]) + gzip.compress(text[cut:]), rows=told(rows))


def mixed_stated_zones(chance: random.Random) -> Case:
    """Times of several zones, each of them stated or declared."""
    written, rows = [], some_rows(chance)
    for row in rows:
        moment = datetime.fromisoformat(row["at"])
        hours = chance.choice([0, 2, -5, 9])
        text = (moment + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")
        mark = chance.choice([f"{hours:+03}:00", f"{hours:+03}00", f"{hours:+03}"])
        written.append(row | {"at": text + (chance.choice(["Z", " UTC", ""]) if hours == 0 else mark)})
    return Case(content=as_text(written, chance).encode(), rows=told(rows), settings={"timezone": "UTC"})


def extra_columns(chance: random.Random) -> Case:
    """More columns than are needed."""
    rows = some_rows(chance)
    more = [row | {"colour": "red", "nested": "{}", "": "x"} for row in rows]
    text = (
        as_csv(more, header=("colour", *COLUMNS, "nested", "")) if chance.random() < 0.5 else as_lines(more)
    )
    return Case(content=text.encode(), rows=told(rows))


def carriage_returns(chance: random.Random) -> Case:
    """Lines that end as Windows ends them."""
    rows = with_text(some_rows(chance), chance, ["one", "two\r\nlines", 'q"q'])
    text = as_csv(rows, end="\r\n") if chance.random() < 0.7 else as_lines(rows).replace("\n", "\r\n")
    return Case(content=text.encode(), rows=told(rows))


# what is refused


def cut_parquet(chance: random.Random) -> Case:
    """Parquet without its end."""
    whole = as_parquet(some_rows(chance))
    return Case(content=whole[: chance.randrange(8, len(whole))], reason="cut or damaged", place="file.dat")


def flipped_parquet(chance: random.Random) -> Case:
    """A bit of a value is flipped, behind a checksum."""
    whole = bytearray(as_parquet(some_rows(chance), compression="none", use_dictionary=False))
    values = [at.end() for at in re.finditer(rb"\x03\0\0\0C-", whole)]  # three letters, in a page
    whole[chance.choice(values) - chance.randrange(3)] ^= 1 << chance.randrange(8)
    return Case(content=bytes(whole), reason="cut or damaged", place="file.dat")


def cut_last_line(chance: random.Random) -> Case:
    """Text without the end of its last line."""
    rows = some_rows(chance)
    text = as_text(rows, chance)
    start = text.rstrip("\n").rfind("\n") + 1
    cut = text[: chance.randrange(start + 1, len(text) - 2)]
    return Case(
        content=cut.encode(),
        reason="no whole CSV|no line break at its end|no JSON",
        place=f"line {text.count(chr(10))}",
    )


def nul_bytes(chance: random.Random) -> Case:
    """Zeros somewhere in the text."""
    text = bytearray(as_text(some_rows(chance), chance).encode())
    first = text.index(b"\n")
    at = chance.randrange(first + 1, len(text) - 1)
    line = text.count(b"\n", 0, at) + 1
    text[at:at] = b"\0" * chance.choice([1, 3])
    return Case(content=bytes(text), reason="NUL", place=f"line {line}")


def undeclared_encoding(chance: random.Random) -> Case:
    """Text of another encoding, which is not declared."""
    rows = some_rows(chance)
    at = chance.randrange(len(rows))
    rows[at]["event"] = "Größe"
    text = as_text(rows, chance)
    encoding = chance.choice(["latin-1", "utf-16", "utf-16-le", "utf-16-be"])
    line = at + 1 + (not text.startswith("{")) if encoding == "latin-1" else 1
    return Case(
        content=text.encode(encoding), reason="not UTF-8", place=f"line {line}", settings={"encoding": ""}
    )


def ragged_rows(chance: random.Random) -> Case:
    """A row of too many or too few cells, below one of two lines."""
    rows = some_rows(chance)
    rows[0]["user_id"] = "two\nlines"  # lines and rows differ from here on
    text = as_csv(rows).splitlines()
    at = chance.randrange(3, len(text))
    text[at] = text[at] + ",more" if chance.random() < 0.5 else text[at].rpartition(",")[0]
    return Case(
        content=("\n".join(text) + "\n").encode(),
        reason=r"Expected 4 columns, got [35]",
        place=f"line {at + 1}",
    )


def duplicate_headers(chance: random.Random) -> Case:
    """A column that is there twice."""
    name = chance.choice(COLUMNS)
    rows = some_rows(chance)
    text = as_csv(rows, header=(*COLUMNS, name))
    return Case(content=text.encode(), reason=f"'{name}' is there twice", place="line 1")


def long_line(chance: random.Random) -> Case:
    """A line of 40 MB."""
    rows = some_rows(chance)
    begun = gzip.compress((as_csv(rows) + "C-1,u1,").encode())
    end = gzip.compress(b",2026-11-01T00:00:00Z\n")
    return Case(
        content=begun + forty_megabytes() + end, reason="longer than 16 MiB", place=f"line {len(rows) + 2}"
    )


@cache
def forty_megabytes() -> bytes:
    """Of one letter, packed."""
    return gzip.compress(b"a" * (40 << 20), compresslevel=1)


def unclosed_quote(chance: random.Random) -> Case:
    """A quote that is not closed, or closed inside its cell."""
    rows = some_rows(chance)
    text = as_csv(rows).splitlines(keepends=True)
    at = chance.randrange(1, len(text))
    account, rest = text[at].split(",", 1)
    text[at] = chance.choice([f'"{account},{rest}', f'{account},"u1"x,{rest.split(",", 1)[1]}'])
    return Case(
        content="".join(text).encode(), reason="never closed|not quoted as a whole", place=f"line {at + 1}"
    )


def unclear_times(chance: random.Random) -> Case:
    """A time whose moment nobody can know."""
    rows = some_rows(chance)
    at = chance.randrange(1, len(rows))
    kind = chance.choice(["mixed", "skipped", "twice"])
    if kind == "mixed":
        rows[at]["at"] = rows[at]["at"].removesuffix("Z")
        return Case(content=as_csv(rows).encode(), reason="names no zone", place=f"line {at + 2}")
    rows[at]["at"] = "2026-03-29T02:30:00" if kind == "skipped" else "2025-10-26 02:15"
    return Case(
        content=as_csv(rows).encode(),
        reason="did not exist|was twice",
        place=f"line {at + 2}",
        settings={"timezone": "Europe/Berlin"},
    )


def impossible_times(chance: random.Random) -> Case:
    """A time of 1970, of 1900, or of tomorrow."""
    rows = some_rows(chance)
    at = chance.randrange(len(rows))
    rows[at]["at"] = chance.choice(
        [
            "1970-01-01T00:00:00Z",
            "1970-01-12 13:46:40Z",
            "1900-01-01",
            "2026-11-03T12:00:01Z",
            "2062-11-02T00:00:00Z",
        ]
    )
    settings = {"timezone": "UTC"}
    if chance.random() < 0.5:
        return Case(
            content=as_csv(rows).encode(),
            reason="before 1990|in the future",
            place=f"line {at + 2}",
            settings=settings,
        )
    return Case(
        content=as_parquet(rows), reason="before 1990|in the future", place=f"row {at + 1}", settings=settings
    )


def impossible_numbers(chance: random.Random) -> Case:
    """A value that is no number."""
    at, count = chance.randrange(8), 8
    bad = chance.choice(["NaN", "nan", "inf", "-Infinity", "1e999", "-1e999", "1,5", "0x1F", "12 000"])
    values = [bad if n == at else str(n) for n in range(count)]
    rows = [
        {"account_key": "C-1", "metric": "api", "period_start": f"2026-10-0{n + 1}", "value": v}
        for n, v in enumerate(values)
    ]
    if chance.random() < 0.5 and bad in {"NaN", "1e999", "-1e999"}:
        text = "".join(json.dumps(row).replace(f'"{row["value"]}"', row["value"]) + "\n" for row in rows)
        return Case(content=text.encode(), reason="value: .*no ", place=f"line {at + 1}", kind="usage")
    text = as_csv(rows, header=tuple(rows[0]))
    return Case(content=text.encode(), reason="value: .*no ", place=f"line {at + 2}", kind="usage")


Maker = Callable[[random.Random], Case]

READ: tuple[Maker, ...] = (
    byte_order_mark,
    declared_encoding,
    leading_zeros,
    null_like_names,
    emoji_and_right_to_left,
    duplicate_rows,
    packed_again,
    mixed_stated_zones,
    extra_columns,
    carriage_returns,
)
REFUSED: tuple[Maker, ...] = (
    cut_parquet,
    flipped_parquet,
    cut_last_line,
    nul_bytes,
    undeclared_encoding,
    ragged_rows,
    duplicate_headers,
    long_line,
    unclosed_quote,
    unclear_times,
    impossible_times,
    impossible_numbers,
)
