"""The desk of a run as [briefs] wants it: none where the template writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from connectors.errors import SettingError
from sync.briefs.claude import Claude, open_client
from sync.briefs.cost import PRICES, Price
from sync.briefs.desk import Desk
from sync.briefs.spend import Caps, Purse
from sync.connect import secret_of
from sync.settings import Settings
from sync.settings_briefs import BriefSettings, Provider
from sync.store import Store


@contextmanager
def open_desk(
    settings: BriefSettings,
    store: Store,
    *,
    run_id: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    tell: Callable[[str], None],
    notice: Callable[[str], None],
) -> Iterator[Desk | None]:
    """The desk while the block runs, or None where the template writes.

    Raises SettingError where no API key is to be found."""
    if settings.provider == "template":
        yield None
        return
    key = secret_of(settings.api_key, settings.api_key_file, "briefs.api_key")
    if key is None:
        raise SettingError(
            "briefs by Claude need an API key.",
            setting="briefs.api_key",
            searched=("environment UPSWELL_BRIEFS__API_KEY", "briefs.api_key_file"),
            fix='put the key into a file and name it as api_key_file, or use provider = "template"',
        )
    claude = Claude(
        client=open_client(api_key=key, base_url=settings.base_url, timeout=settings.timeout_seconds),
        model=settings.model,
        price=price_of(settings),
        max_tokens=settings.max_tokens,
        effort=settings.effort,
        sleep=sleep,
    )
    caps = Caps.of(
        run=settings.max_cost_per_run, day=settings.max_cost_per_day, tokens=settings.max_tokens_per_run
    )
    desk = Desk(
        settings=settings,
        store=store,
        purse=Purse(store=store, run_id=run_id, caps=caps, clock=clock),
        claude=claude,
        clock=clock,
        sleep=sleep,
        tell=tell,
        notice=notice,
    )
    with claude.client:
        yield desk


def by_provider(settings: Settings, provider: Provider | None) -> Settings:
    """The settings, with another provider of briefs where one is given."""
    if provider is None:
        return settings
    return replace(settings, briefs=replace(settings.briefs, provider=provider))


def price_of(settings: BriefSettings) -> Price:
    """What the model costs: by the settings, else by the vendor's list."""
    if settings.price is None:
        return PRICES[settings.model]
    own = settings.price
    return Price.of(own.input, own.output, cache_write=own.cache_write, cache_read=own.cache_read)
