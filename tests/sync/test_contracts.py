"""Which rows are of one contract: by the record or the key that they name."""

from __future__ import annotations

import pytest

from sync.contracts import Ids
from sync.mapped_objects import OF_RECORD

RECORDS = (("001A00000000001AAA", "c1"), ("001A00000000002AAA", None), ("7", " c1 "))


@pytest.mark.parametrize(
    ("key", "record", "contract"),
    [
        ("c1", None, "c1"),
        ("001A00000000001", None, "c1"),
        ("001A00000000001AAA", None, "c1"),
        (None, "001A00000000001AAA", "c1"),
        ("other", "001A00000000001AAA", "c1"),
        (None, "7", "c1"),
        ("001A00000000002AAA", None, "001A00000000002"),
        (None, "001A00000000002AAA", "001A00000000002"),
        (" acme.com ", None, "acme.com"),
    ],
)
def test_a_record_and_its_own_id_are_one_contract(key: str | None, record: str | None, contract: str) -> None:
    """Also a record that a merge made anew; one without an own id, or another key, is another contract."""
    assert Ids.of(RECORDS).contract({"account_key": key, OF_RECORD: record}) == contract
