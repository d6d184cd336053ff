"""What sales does with opportunities that it should not: never typed in, typed in late, left half empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.company.mess import RATES, Mess
from connectors.sandbox.company.timing import close_times
from connectors.sandbox.company.world import World

TIME: Final = pa.timestamp("us", tz="UTC")
Tables = Mapping[str, pa.Table]
_NEVER_TYPED: Final = 0.06  # of won expansions: only seats and ARR move
_TYPED_LATE: Final = 0.05  # of won expansions: created after they were won
_NO_AMOUNT: Final = 0.06  # of lost opportunities
_NO_LINES: Final = 0.03
_FIRST_LATE, _LAST_LATE = 3, 45  # days after the win


def messy_opportunities(world: World, mess: Mess, tables: Tables, now: np.datetime64) -> dict[str, pa.Table]:
    """Opportunities, lines and history as sales keeps them, amounts in the account's currency."""
    deals, lines, history = (
        tables[name] for name in ("opportunities", "opportunity_lines", "opportunity_history")
    )
    number = _numbers(deals["opportunity_key"])
    # a deal's end is settled when it begins, so that none is seen open first and then never was
    won, closed = _endings(world, deals["opportunity_key"].to_pylist())
    draw = mess.chance("typed in", number)
    never = won & (draw < _NEVER_TYPED * mess.plan.mess)
    late = won & ~never & (draw < (_NEVER_TYPED + _TYPED_LATE) * mess.plan.mess)
    delay = _FIRST_LATE + mess.chance("typed in after", number) * (_LAST_LATE - _FIRST_LATE)
    typed = (closed + (delay * 86_400).astype("timedelta64[s]")).astype("datetime64[us]")
    created = np.where(late, typed, deals["created_at"].cast(pa.timestamp("us")).to_numpy())
    modified = np.where(late, typed, deals["modified_at"].cast(pa.timestamp("us")).to_numpy())
    there = ~never & ~(late & (typed >= now))
    deals = _with(deals, created_at=pa.array(created, TIME), modified_at=pa.array(modified, TIME))
    deals = deals.filter(pa.array(there))
    stamp = dict(zip(deals["opportunity_key"].to_pylist(), deals["created_at"].to_pylist(), strict=True))
    late_keys = set(tables["opportunities"]["opportunity_key"].filter(pa.array(late)).to_pylist())
    lines = lines.filter(pc.is_in(lines["opportunity_key"], value_set=deals["opportunity_key"]))
    lines = _restamped(lines, stamp, late_keys, "created_at", "modified_at")
    lines = lines.filter(pa.array(~mess.hits("no lines", _NO_LINES, _numbers(lines["opportunity_key"]))))
    history = _history_left(history, deals, stamp, late_keys)
    empty = _amountless(mess, deals)
    account = dict(zip(deals["opportunity_key"].to_pylist(), deals["account_key"].to_pylist(), strict=True))
    currency = [mess.currency_of[key] for key in deals["account_key"].to_pylist()]
    return {
        "opportunities": _priced(deals, account, mess, empty).append_column(
            "currency", pa.array(currency, pa.string())
        ),
        "opportunity_lines": _priced(lines, account, mess, frozenset()),
        "opportunity_history": _priced(history, account, mess, empty),
    }


def _endings(world: World, keys: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which opportunities are expansions that will be won, and when they close (others: whenever)."""
    closes = close_times(world.plan, world.deals)
    place = np.array([int(key[3:]) if key.startswith("O-X") else -1 for key in keys], np.int64)
    if not len(closes):
        return np.zeros(len(keys), bool), np.full(len(keys), world.plan.epoch.replace(tzinfo=None), "M8[us]")
    return (place >= 0) & world.deals.won[place], closes[place]


def in_currency(values: pa.ChunkedArray, currencies: list[str]) -> pa.Array:
    """US dollars as amounts in other currencies, to the cent."""
    rate = np.array([RATES[each] for each in currencies])
    amounts = values.cast(pa.float64()).to_numpy()
    return pa.array(np.round(amounts / rate, 2), mask=np.isnan(amounts))


def _history_left(
    history: pa.Table, deals: pa.Table, stamp: Mapping[str, object], late: set[str]
) -> pa.Table:
    """An opportunity that was typed in late knows no other stage than the last."""
    history = history.filter(pc.is_in(history["opportunity_key"], value_set=deals["opportunity_key"]))
    if late:
        was_late = pc.is_in(history["opportunity_key"], value_set=pa.array(sorted(late), pa.string()))
        last = pc.equal(history["stage"], "Closed Won")
        history = history.filter(pc.or_(pc.invert(was_late), last))
    history = _restamped(history, stamp, late, "changed_at")
    order = np.argsort(history["changed_at"].cast(pa.timestamp("us")).to_numpy(), kind="stable")
    return history.take(pa.array(order))


def _restamped(table: pa.Table, stamp: Mapping[str, object], late: set[str], *names: str) -> pa.Table:
    """The table with these times of late opportunities moved to when they were typed in."""
    keys = table["opportunity_key"].to_pylist()
    for name in names:
        old = table[name].to_pylist()
        moved = [stamp[key] if key in late else at for key, at in zip(keys, old, strict=True)]
        table = _with(table, **{name: pa.array(moved, TIME)})
    return table


def _amountless(mess: Mess, deals: pa.Table) -> frozenset[str]:
    """Lost opportunities whose amount nobody filled in."""
    lost = pc.and_(deals["is_closed"], pc.invert(deals["is_won"])).to_numpy(zero_copy_only=False)
    empty = lost & mess.hits("no amount", _NO_AMOUNT, _numbers(deals["opportunity_key"]))
    return frozenset(deals["opportunity_key"].filter(pa.array(empty)).to_pylist())


def _priced(table: pa.Table, account: Mapping[str, str], mess: Mess, empty: frozenset[str]) -> pa.Table:
    keys = table["opportunity_key"].to_pylist()
    currency_of = mess.currency_of
    amounts = in_currency(table["amount"], [currency_of[account[key]] for key in keys])
    blank = pa.array([key in empty for key in keys], pa.bool_())
    return _with(table, amount=pc.if_else(blank, pa.scalar(None, pa.float64()), amounts))


def _numbers(keys: pa.ChunkedArray) -> np.ndarray:
    """A number for each opportunity's key, the same at every week."""
    figures = pc.replace_substring_regex(keys, r"\D", "")
    kind = pc.utf8_slice_codeunits(keys, 2, 3)
    code = pc.index_in(kind, value_set=pa.array(["X", "R", "N"])).cast(pa.int64())
    found: np.ndarray = pc.add(pc.multiply(figures.cast(pa.int64()), 4), code).to_numpy()
    return found


def _with(table: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table
