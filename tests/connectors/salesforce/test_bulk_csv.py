"""The CSV of Bulk results: whatever a text holds, it arrives as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.crm import FieldType
from connectors.salesforce.bulk_csv import count_records, pieces

TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), min_size=1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            TEXTS,
            st.none() | TEXTS,
            st.none() | st.booleans(),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=20,
    )
)
def test_any_text_comes_through_the_csv(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    """And any number; each record is counted once, however many lines its texts have."""

    def cell(value: Any) -> str:
        shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + shown.replace('"', '""') + '"'

    path = tmp_path / "set.csv"
    lines = ['"Name","Owner.Name","IsActive","Amount"', *(",".join(map(cell, row)) for row in rows), ""]
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    assert count_records(path) == len(rows)
    kinds = {
        "Name": FieldType.TEXT,
        "Owner.Name": FieldType.TEXT,
        "IsActive": FieldType.CHECKBOX,
        "Amount": FieldType.CURRENCY,
    }
    found = [record for piece in pieces(path, kinds) for record in piece]
    read = [(r["Name"], r["Owner"]["Name"], r["IsActive"], r["Amount"]) for r in found]
    assert read == rows
