"""Product events: who used which feature when, drawn week by week from the drivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.company.catalogue import FEATURES, INCLUDED, MODULE_FEATURES, MODULES, PREMIUM
from connectors.sandbox.company.drivers import ROW
from connectors.sandbox.company.people import Contacts, Slots, slots_in_use, user_ids
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.timing import account_keys, moments
from connectors.sandbox.company.world import World

EVENTS: Final = ("feature_used", "preview_opened", "page_viewed", "limit_reached")
TARGETS: Final = (*FEATURES, *PREMIUM, *MODULE_FEATURES, "billing", "seats", "api_calls")
_PREVIEW, _MODULE = len(FEATURES), len(FEATURES) + len(PREMIUM)
_BILLING, _SEATS, _API = len(TARGETS) - 3, len(TARGETS) - 2, len(TARGETS) - 1
_WEEKDAY: Final = np.cumsum([0.20, 0.20, 0.20, 0.19, 0.16, 0.03])
_UTC_NOON: Final = np.array([18, 13, 12, 12, 12, 18, 12, 12])  # midday in UTC, by country
BUSY: Final = 0.78  # events a user a week


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Events as codes, sorted by time; `user` counts contacts first, then slots."""

    account: np.ndarray
    user: np.ndarray
    event: np.ndarray
    target: np.ndarray
    at: np.ndarray  # datetime64[us], UTC


def events_of_week(world: World, contacts: Contacts, slots: Slots, week: int) -> Activity:
    """The events of one week; nothing else than the plan and the week decides them."""
    rng = stream(world.plan.seed, "events", week)
    levels = world.traces["levels"][week]
    chosen = np.nonzero(slots_in_use(world, contacts, slots, week))[0]
    spread = np.clip(0.50 + 0.20 * levels[:, ROW["power"]], 0.1, 1.1)[slots.account[chosen]]
    keen = np.exp(0.35 * levels[:, ROW["growth"]])[slots.account[chosen]]
    rate = BUSY * keen * np.exp(spread * slots.weight[chosen] - spread**2 / 2)
    named, named_rate = _named_rates(world, contacts, week)
    actors = np.concatenate([named, len(contacts.account) + chosen])
    homes = np.concatenate([contacts.account[named], slots.account[chosen]])
    count = rng.poisson(np.concatenate([named_rate, rate]))
    user, account = np.repeat(actors, count), np.repeat(homes, count)
    target = _features(world, account, week, rng)
    event = np.zeros(len(target), dtype=np.int64)
    more_user, more_account, more_event, more_target = _signals(
        world, contacts, actors=actors, homes=homes, week=week, rng=rng
    )
    user, account = np.concatenate([user, more_user]), np.concatenate([account, more_account])
    event, target = np.concatenate([event, more_event]), np.concatenate([target, more_target])
    day = np.searchsorted(_WEEKDAY, rng.random(len(user)))
    noon = _UTC_NOON[world.population.country[account]]
    minute = np.clip(60 * noon + rng.normal(0, 160, len(user)), 0, 1439).astype(np.int64)
    at = moments(world.plan, np.full(len(user), week), day, minute)
    at = at + rng.integers(0, 60_000_000, len(user)).astype("timedelta64[us]")
    order = np.argsort(at, kind="stable")
    return Activity(
        account=account[order], user=user[order], event=event[order], target=target[order], at=at[order]
    )


def _named_rates(world: World, contacts: Contacts, week: int) -> tuple[np.ndarray, np.ndarray]:
    """The named people who are there in a week, and how many events each makes."""
    here = (contacts.start <= week) & (contacts.end > week) & world.traces["customer"][week][contacts.account]
    who = np.nonzero(here)[0]
    levels = world.traces["levels"][week][contacts.account[who]]
    role = np.array(contacts.role)[who]
    rate = np.select(
        [role == "champion", role == "executive_sponsor", role == "decision_maker", role == "finance_admin"],
        [
            1.8 * np.exp(0.60 * levels[:, ROW["champion"]]),
            0.45 * np.exp(0.75 * levels[:, ROW["executive"]]),
            np.full(len(who), 0.12),
            np.full(len(who), 0.10),
        ],
        default=BUSY,
    )
    return who, rate


def _features(world: World, account: np.ndarray, week: int, rng: np.random.Generator) -> np.ndarray:
    """The feature of each use: mostly one that the account has adopted."""
    n = len(account)
    traces = world.traces
    tier = traces["tier"][week]
    features = np.arange(len(FEATURES))
    place = np.argsort(world.population.feature_order, axis=1)
    ranked = np.argsort(place + 1000 * (features[None, :] >= INCLUDED[tier][:, None]), axis=1, kind="stable")
    depth = np.floor(traces["features"][week][account] * rng.random(n) ** 1.15).astype(np.int64)
    target = ranked[account, depth]
    chance, pick = rng.random(n), rng.random(n)
    module = np.floor(pick * len(MODULES)).astype(np.int64)
    owned = traces["owned"][week][account, MODULES[0] + module]
    is_module = (chance > 0.85) & owned
    return np.where(is_module, _MODULE + module, target)


def _signals(
    world: World,
    contacts: Contacts,
    *,
    actors: np.ndarray,
    homes: np.ndarray,
    week: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Previews, visits to the billing pages and limits hit: user, account, event and target of each."""
    traces = world.traces
    finance = traces["levels"][week][:, ROW["finance"]]
    is_admin = np.array([role == "finance_admin" for role in contacts.role] or [False])
    named = actors < len(contacts.account)
    admin = named & is_admin[np.where(named, actors, 0)]
    views = rng.poisson(np.where(admin, 0.55 * np.exp(0.85 * finance[homes]), 0.0))
    full = traces["users"][week] >= traces["seats"][week]
    over = traces["api_ratio"][week] > 1
    hits = rng.random((2, len(actors))) < 0.04 * np.stack([full[homes], over[homes]])
    crowd = np.bincount(homes, minlength=world.plan.accounts)
    tries = 0.70 * np.exp(0.60 * traces["levels"][week][:, ROW["premium"]]) / np.maximum(crowd, 1)
    previews = rng.poisson(tries[homes])
    shown = _PREVIEW + rng.integers(0, len(PREMIUM))  # one premium feature is promoted each week
    user, account, event, target = [], [], [], []
    signals = ((1, shown, previews), (2, _BILLING, views), (3, _SEATS, hits[0]), (3, _API, hits[1]))
    for code, page, times in signals:
        who = np.repeat(np.arange(len(actors)), times.astype(np.int64))
        user.append(actors[who])
        account.append(homes[who])
        event.append(np.full(len(who), code))
        target.append(np.full(len(who), page))
    return np.concatenate(user), np.concatenate(account), np.concatenate(event), np.concatenate(target)


def event_table(
    world: World, contacts: Contacts, slots: Slots, weeks: range, *, first: np.datetime64, last: np.datetime64
) -> pa.Table:
    """The events of the weeks with first ≤ time < last, with the columns of the events export."""
    parts = [events_of_week(world, contacts, slots, week) for week in weeks]
    at = np.concatenate([part.at for part in parts])
    keep = (at >= first) & (at < last)
    account, user, event, target = (
        np.concatenate([getattr(part, name) for part in parts])[keep]
        for name in ("account", "user", "event", "target")
    )
    at = at[keep]
    present, place = np.unique(user, return_inverse=True)
    homes = np.concatenate([contacts.account, slots.account])[present]
    ids = user_ids(homes, np.concatenate([contacts.number, slots.number])[present])
    day = at.astype("datetime64[D]").astype(np.int64)
    session = pc.binary_join_element_wise("s", pc.cast(pa.array(user * 100_000 + day), pa.string()), "")
    time = pa.array(at, pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "account_key": _coded(account, account_keys(world.plan.accounts)),
            "user_id": _coded(place, ids),
            "event": _coded(event, list(EVENTS)),
            "feature": _coded(target, list(TARGETS)),
            "at": time,
            "session_id": session,
            "known_from": time,
        }
    )


def _coded(codes: np.ndarray, values: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(values, pa.string()))
