"""Accounts that are in the CRM twice, are merged one day, or were never more than somebody's test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.company.mess import HOME, Mess, span
from connectors.sandbox.company.timing import moments

TIME: Final = pa.timestamp("us", tz="UTC")
_TWICE: Final = 0.04  # of accounts: some day a second record appears
_MERGED: Final = 0.6  # of these: someone notices
_TESTS: Final = 0.015  # records that someone made to try something, per account; most are deleted
_OWN_DEALS: Final = 0.6  # opportunities of that time that are typed in under the second record
_SECOND, _TEST = 500_000, 600_000  # their numbers come after those of accounts
_FORMS: Final = (", Inc.", " GmbH", " Ltd", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The second record of an account: made in week `made`, merged into the first in week `merged`."""

    account: int
    key: str
    made: int
    merged: int
    form: str  # what stands behind the name


def second_records(mess: Mess, names: list[str], plain: list[str]) -> list[Second]:
    """Every second record that will ever be; accounts with a name out of the ordinary have none."""
    accounts = np.arange(mess.plan.accounts)
    twice = mess.hits("twice", _TWICE, accounts)
    first, last = span(mess.plan)
    made = mess.weeks("twice since", accounts, first, last - 20)
    stays = 6 + (mess.chance("twice until", accounts) * 60).astype(np.int64)
    noticed = mess.chance("twice noticed", accounts) < _MERGED
    merged = np.where(noticed, made + stays, 1_000_000)
    form = (mess.chance("twice form", accounts) * len(_FORMS)).astype(np.int64)
    return [
        Second(
            account=a,
            key=f"C-{_SECOND + a}",
            made=int(made[a]),
            merged=int(merged[a]),
            form=_FORMS[int(form[a])],
        )
        for a in np.nonzero(twice)[0].tolist()
        if names[a] == plain[a]
    ]


def with_second_records(
    mess: Mess, tables: Mapping[str, pa.Table], seconds: list[Second], until: int
) -> dict[str, pa.Table]:
    """Accounts and opportunities with the second records, merged ones and tests that exist at `until`."""
    accounts, deals = tables["accounts"], tables["opportunities"]
    there = [second for second in seconds if second.made < until]
    rows = {second.account: accounts.slice(second.account, 1).to_pylist()[0] for second in there}
    added = [_second_row(mess, second, rows[second.account], until) for second in there]
    added += _tests(mess, accounts, until)
    if added:
        accounts = pa.concat_tables([accounts, pa.Table.from_pylist(added, schema=accounts.schema)])
    return {"accounts": accounts, "opportunities": _own_deals(mess, deals, there, until)}


def _second_row(mess: Mess, second: Second, row: dict[str, Any], until: int) -> dict[str, Any]:
    """As a seller types it in: name, web site, country and little more."""
    gone = second.merged < until
    keep = ("website", "country", "owner_key", "currency")
    empty = dict.fromkeys(row) | {name: row[name] for name in keep}
    return empty | {
        "account_key": second.key,
        "name": f"{row['name']}{second.form}",
        "account_type": "Customer" if second.account % 2 else "Prospect",
        "is_customer": bool(second.account % 2),
        "created_at": _monday(mess, second.made),
        "modified_at": _monday(mess, second.merged if gone else second.made),
        "is_deleted": gone,
        "merged_into": row["account_key"] if gone else None,
    }


def _tests(mess: Mess, accounts: pa.Table, until: int) -> list[dict[str, Any]]:
    """Records that were made to try something out, most of them deleted three weeks later."""
    count = round(mess.plan.accounts * _TESTS * mess.plan.mess)
    made = mess.weeks("test made", np.arange(count), *span(mess.plan))
    owners = pc.unique(accounts["owner_key"]).to_pylist()
    rows = []
    for number, week in enumerate(made.tolist()):
        if week >= until:
            continue
        gone = number % 4 != 3 and week + 3 < until
        rows.append(
            dict.fromkeys(accounts.column_names)
            | {
                "account_key": f"C-{_TEST + number}",
                "name": f"TEST please delete {number + 1}",
                "owner_key": owners[number % len(owners)],
                "account_type": "Prospect",
                "is_customer": False,
                "currency": HOME,
                "created_at": _monday(mess, week),
                "modified_at": _monday(mess, week + 3 if gone else week),
                "is_deleted": gone,
            }
        )
    return rows


def _own_deals(mess: Mess, deals: pa.Table, there: list[Second], until: int) -> pa.Table:
    """Some opportunities of the time with two records stand under the second; a merge brings them back."""
    second_of = {mess.keys[second.account]: second for second in there}
    whose, modified = deals["account_key"].to_pylist(), deals["modified_at"].to_pylist()
    rows = [place for place, key in enumerate(whose) if key in second_of]
    created, names = deals["created_at"], deals["opportunity_key"]
    for place in rows:
        second = second_of[whose[place]]
        number = np.array([int("".join(c for c in names[place].as_py() if c.isdigit()))])
        inside = _monday(mess, second.made) <= created[place].as_py() < _monday(mess, second.merged)
        if not inside or mess.chance("own deal", number)[0] >= _OWN_DEALS:
            continue
        if second.merged < until:  # the merge hands the opportunity over
            modified[place] = max(modified[place], _monday(mess, second.merged))
        else:
            whose[place] = second.key
    deals = deals.set_column(
        deals.column_names.index("account_key"), "account_key", pa.array(whose, pa.string())
    )
    return deals.set_column(
        deals.column_names.index("modified_at"), "modified_at", pa.array(modified, deals["modified_at"].type)
    )


def _monday(mess: Mess, week: int) -> Any:
    """Monday noon of a week; for the week that never comes, long after everything."""
    at = moments(mess.plan, np.array([min(week, 5000)]), np.array([0]), np.array([720]))
    return pa.array(at, TIME)[0].as_py()
