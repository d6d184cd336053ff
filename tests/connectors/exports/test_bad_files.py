"""440 files in 22 classes: what can be read without guessing is read exactly, all else is refused."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from connectors.errors import InputError
from infra.doubles.export_files import NOW, READ, REFUSED, Maker, as_parquet, some_rows

FILES = 20


@pytest.mark.parametrize("make", READ, ids=lambda make: make.__name__)
def test_what_can_be_read_without_guessing_is_read_exactly(load: Any, make: Maker) -> None:
    """Every row, every letter, every moment."""
    for number in range(FILES):
        case = make(random.Random(f"{make.__name__} {number}"))
        read = load(case.content, kind=case.kind, now=NOW, **case.settings).to_pylist()
        found = [
            (row["account_key"], row["user_id"], row["event"], row["at"].strftime("%Y-%m-%dT%H:%M:%SZ"))
            for row in read
        ]
        assert found == case.rows, number


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_could_only_be_guessed_at_is_refused_with_its_place(load: Any, make: Maker) -> None:
    """The error names the file, the line (or row), the reason, and what to do."""
    for number in range(FILES):
        case = make(random.Random(f"{make.__name__} {number}"))
        settings = {name: value for name, value in case.settings.items() if value}
        with pytest.raises(InputError, match=case.reason) as caught:
            load(case.content, kind=case.kind, now=NOW, **settings)
        assert "file.dat" in str(caught.value.record), number
        assert case.place in str(caught.value.record), (number, caught.value)
        assert caught.value.fix


def test_a_bit_that_flips_in_checksummed_parquet_changes_no_row_unseen(load: Any) -> None:
    """Wherever it is, the file is refused, or its rows are those that were written."""
    chance = random.Random(7)
    rows = some_rows(chance)
    whole = as_parquet(rows, compression="snappy")
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        try:
            read = load(bytes(damaged), now=NOW)
        except InputError:
            refused += 1
            continue
        assert read.column("user_id").to_pylist() == [row["user_id"] for row in rows]
        assert read.equals(load(whole, now=NOW))
    assert refused > 200


def test_whatever_happens_to_a_file_nothing_but_a_clear_error_comes_of_it(load: Any) -> None:
    """Bytes are changed, lost or put in, also inside gzip and zip: it is read, or refused with a fix."""
    for seed in range(300):
        chance = random.Random(seed)
        case = chance.choice(READ)(chance)
        content = bytearray(chance.choice([bytes, gzip.compress, zipped])(case.content))
        for _ in range(chance.choice([1, 2, 5])):
            at = chance.randrange(len(content))
            put = chance.choice([b"", b'"', b"\n", b"\0", b"\xd8", b"{"])
            content[at : at + chance.choice([0, 1, 1, 20])] = put
        refused = refusal_of(load, bytes(content), case.settings)
        assert refused is None or (refused.fix and "file.dat" in str(refused.record)), seed


def refusal_of(load: Any, content: bytes, settings: Mapping[str, Any]) -> InputError | None:
    """The error with which the content is refused; None when it is read."""
    try:
        load(content, now=NOW, **settings)
    except InputError as error:
        return error
    return None


def zipped(content: bytes) -> bytes:
    """The content as a file of a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.csv", content)
    return buffer.getvalue()
