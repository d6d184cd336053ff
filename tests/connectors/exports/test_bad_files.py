"""440 files in 22 classes: what can be read without guessing is read exactly, all else is refused."""

from __future__ import annotations

import random
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
