"""Events in the world around an account: funding, new executives, acquisitions, hiring and the like."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import TRIGGERS
from connectors.sandbox.company.names import account_names
from connectors.sandbox.company.population import WARM_UP
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.texts import TRIGGER_TITLES
from connectors.sandbox.company.timing import account_keys
from connectors.sandbox.company.world import World

_SOURCES = ("news", "press release", "job boards", "registry")


def triggers(world: World, until: int) -> pa.Table:
    """One row an event that has become known by the start of week `until`; it takes up to ten days."""
    names, keys = account_names(world.plan, world.population), account_keys(world.plan.accounts)
    now = world.plan.epoch + timedelta(weeks=until)
    rows = []
    for week in range(WARM_UP, until):
        rng = stream(world.plan.seed, "triggers", week)
        day, delay = rng.integers(0, 7, len(keys)), rng.integers(4, 240, len(keys))
        draw = rng.integers(0, 1 << 20, len(keys))
        kinds = world.traces["trigger_kind"][week]
        for account in np.nonzero(kinds >= 0)[0].tolist():
            kind = TRIGGERS[kinds[account]]
            occurred = world.plan.epoch + timedelta(weeks=week, days=int(day[account]), hours=6)
            known = occurred + timedelta(hours=int(delay[account]))
            if known < now:
                title = TRIGGER_TITLES[kind].format(name=names[account], count=5 + int(draw[account]) % 60)
                source = _SOURCES[int(draw[account]) // 64 % len(_SOURCES)]
                rows.append((keys[account], kind, occurred.date(), known, title, source))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    types = (pa.string(), pa.string(), pa.date32(), pa.timestamp("us", tz="UTC"), pa.string(), pa.string())
    labels = ("account_key", "kind", "occurred_on", "known_from", "title", "source")
    return pa.table(
        {label: pa.array(column, kind) for label, column, kind in zip(labels, columns, types, strict=True)}
    )
