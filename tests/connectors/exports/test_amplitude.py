"""Amplitude's Export API, as it delivers: a zip of gzipped JSON lines."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import InputError
from infra.doubles.analytics import amplitude_event


def zipped(**members: bytes) -> bytes:
    """A zip of gzipped files below a folder, named as the API names them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("123456/", b"")
        for name, content in members.items():
            archive.writestr(f"123456/123456_2026-11-02_{name}#0.json.gz", gzip.compress(content))
    return buffer.getvalue()


def test_a_zip_of_hours_is_one_file(load: Any, lines: Any) -> None:
    """Every hour is read in order; times are UTC whatever the setting; the one group is the account."""
    content = zipped(
        h09=lines([amplitude_event(1), amplitude_event(2)]), h10=b"", h11=lines([amplitude_event(3)])
    )
    table = load(content, timezone="America/New_York")
    assert table.column("user_id").to_pylist() == ["user-001", "user-002", "user-003"]
    assert set(table.column("account_key").to_pylist()) == {"Acme, Inc."}
    first = table.to_pylist()[0]
    assert first["at"] == datetime(2026, 11, 2, 9, 1, 0, 123_000, tzinfo=UTC)
    assert first["known_from"] == datetime(2026, 11, 2, 9, 1, 1, tzinfo=UTC)
    assert (first["event"], first["session_id"], first["feature"]) == (
        "Report Exported",
        "1793610000001",
        "Report Exported",  # Amplitude knows no features: what was done is what was used
    )


def test_what_arrived_late_is_known_late(load: Any, lines: Any) -> None:
    """A phone that was offline for a week does not change what could be known during it."""
    late = amplitude_event(1, server_upload_time="2026-11-09 08:00:00.000000")
    table = load(lines([late]))
    assert table.column("known_from").to_pylist() == [datetime(2026, 11, 9, 8, tzinfo=UTC)]


def test_an_event_delivered_twice_counts_once(load: Any, lines: Any) -> None:
    """The same insert id from the same device is one event, across the hours of a zip."""
    again = amplitude_event(1, uuid="another")
    other = amplitude_event(1, device_id="d9", uuid="third")
    table = load(zipped(h09=lines([amplitude_event(1), amplitude_event(2)]), h10=lines([again, other])))
    assert table.num_rows == 3
    without = [amplitude_event(n, **{"$insert_id": None, "uuid": None}) for n in (1, 1)]
    assert load(lines(without)).num_rows == 2


def test_an_event_of_two_accounts_counts_for_both(load: Any, lines: Any) -> None:
    """Amplitude counts it for each group; without a group it belongs to none."""
    both = amplitude_event(1, groups={"company": ["Acme", "Initech"]})
    nobody = amplitude_event(2, groups={}, user_id=None, session_id=-1)
    table = load(lines([both, nobody]))
    assert table.column("account_key").to_pylist() == ["Acme", "Initech", None]
    assert table.column("user_id").to_pylist() == ["user-001", "user-001", None]
    assert table.column("session_id").to_pylist()[2] is None


def test_groups_of_two_types_need_a_word_on_which_is_the_account(load: Any, lines: Any) -> None:
    """It isn't guessed; the setting names the type."""
    objects = [amplitude_event(1), amplitude_event(2, groups={"company": ["Acme"], "workspace": ["W-7"]})]
    with pytest.raises(InputError, match="several types: company, workspace") as caught:
        load(lines(objects))
    assert "line 2" in str(caught.value.record)
    assert "groups.company" in str(caught.value.fix)
    table = load(lines(objects), account_key="groups.workspace")
    assert table.column("account_key").to_pylist() == [None, "W-7"]


def test_a_company_names_where_its_features_are(load: Any, lines: Any) -> None:
    """columns lead into the event's properties."""
    table = load(lines([amplitude_event(1)]), columns={"feature": "event_properties.feature"})
    assert table.column("feature").to_pylist() == ["reports"]


def test_a_damaged_member_is_named(load: Any, lines: Any) -> None:
    """The error says which of the hours it is, and its line."""
    hour = lines([amplitude_event(1), amplitude_event(2)])[:-20]
    with pytest.raises(InputError, match="no JSON") as caught:
        load(zipped(h09=lines([amplitude_event(3)]), h10=hour))
    assert str(caught.value.record).endswith("123456/123456_2026-11-02_h10#0.json.gz, line 2")
