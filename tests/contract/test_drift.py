"""The schema changed under us: stopped before the first write, with one clear message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.crm import Change, Crm
from connectors.errors import SetupError
from infra.contract.org import Org, rows_of
from sync.mapping import field_map, refuse_changed_schema

Break = Callable[[Org], None]
DRIFTS: dict[str, Break] = {
    "removed": lambda org: org.remove_field("score"),
    "retyped": lambda org: org.retype_field("score"),
    "forbidden": lambda org: org.forbid_writing(),
}


def writes_of(org: Org) -> list[str]:
    """Outcomes of requests that wrote to an account."""
    return [str(each.id) for each in org.our_changes()]


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_run_that_begins_after_the_drift_stops_before_its_first_write(org: Org, drift: str) -> None:
    """It compares what the org says now with what the plan was made for."""
    record = org.create("accounts", name="A")
    planned = field_map(org.connect()).definitions()
    DRIFTS[drift](org)
    crm = org.connect()

    def run() -> None:
        refuse_changed_schema(planned, field_map(crm))
        crm.write([_change(org, crm, record)])

    with pytest.raises(SetupError) as stopped:
        run()
    assert stopped.value.fix
    assert stopped.value.exit_code == 2
    assert writes_of(org) == []


@pytest.mark.parametrize("drift", ["removed", "forbidden"])
def test_a_drift_in_mid_run_stops_the_run_with_one_message_instead_of_a_refusal_for_each_row(
    org: Org, crm: Crm, drift: str
) -> None:
    """Every row would be refused for a reason that no row can help."""
    records = [org.create("accounts", name=n) for n in "ABC"]
    crm.describe(crm.object_name("accounts"))
    DRIFTS[drift](org)
    with pytest.raises(SetupError) as stopped:
        crm.write([_change(org, crm, record) for record in records])
    assert stopped.value.fix
    assert writes_of(org) == []


@pytest.mark.parametrize("drift", ["removed", "forbidden"])
def test_a_row_with_a_fate_of_its_own_does_not_hide_the_drift(org: Org, crm: Crm, drift: str) -> None:
    """One record of the call was deleted: the others' refusal is no less the field's."""
    records = [org.create("accounts", name=n) for n in "ABC"]
    crm.describe(crm.object_name("accounts"))
    org.delete("accounts", records[1])
    DRIFTS[drift](org)
    with pytest.raises(SetupError):
        crm.write([_change(org, crm, record) for record in records])
    assert writes_of(org) == []


def test_a_value_that_a_retyped_field_refuses_is_the_rows_own_affair(org: Org, crm: Crm) -> None:
    """In mid-run each row says so; a run that begins later stops."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    org.retype_field("score")
    result = crm.write([_change(org, crm, record)])[0]
    assert result.outcome.value in {"applied", "refused"}
    assert result.outcome.value == "applied" or result.vendor_code


def test_a_mapped_field_that_is_retyped_is_read_until_a_cell_does_not_fit(org: Org) -> None:
    """Digits in a text are a number still; a word names its record and field, and lands nowhere."""
    mapping = {"accounts": {"seats": org.ours("score")}}
    record = org.create("accounts", name="A")
    org.edit("accounts", record, {org.ours("score"): 5})
    known = org.connect(mapping=mapping)
    assert [row["seats"] for row in rows_of(known, "accounts")] == [5.0]
    org.retype_field("score")
    for crm in (known, org.connect(mapping=mapping)):
        assert [row["seats"] for row in rows_of(crm, "accounts")] == [5.0]
    org.edit("accounts", record, {org.ours("score"): "many"})
    for crm in (known, org.connect(mapping=mapping)):
        with pytest.raises(SetupError) as refused:
            rows_of(crm, "accounts")
        assert refused.value.fix
        assert all(part in str(refused.value) for part in (record, org.ours("score"), "many"))


def test_after_a_drift_the_object_is_described_anew(org: Org, crm: Crm) -> None:
    """The next look shows what is there now."""
    record = org.create("accounts", name="A")
    assert org.ours("score") in crm.describe(crm.object_name("accounts")).fields
    org.remove_field("score")
    with pytest.raises(SetupError):
        crm.write([_change(org, crm, record)])
    assert org.ours("score") not in crm.describe(crm.object_name("accounts")).fields


def test_a_field_that_is_read_and_gone_is_a_setup_error(org: Org) -> None:
    """Whether it was known before or not."""
    record = org.create("accounts", name="A")
    known, fresh = org.connect(), org.connect()
    known.describe(known.object_name("accounts"))
    org.remove_field("score")
    with pytest.raises(SetupError) as refused:
        fresh.read(fresh.object_name("accounts"), [record], [org.ours("score")])
    assert org.ours("score") in str(refused.value)
    with pytest.raises(SetupError):
        known.read(known.object_name("accounts"), [record], [org.ours("score")])


def _change(org: Org, crm: Crm, record: str) -> Change:
    return Change(
        key=f"op-{record}",
        object=crm.object_name("accounts"),
        id=record,
        values={org.ours("score"): 5, org.ours("reason_1"): "Because."},
    )
