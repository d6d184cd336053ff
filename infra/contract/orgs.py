"""The CRMs that must pass the contract suite: one entry each, by a name for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from infra.contract.hubspot import HubspotOrg
from infra.contract.org import Org
from infra.contract.salesforce import SalesforceOrg

Opened = Callable[..., Org]
"""Opens the org in a folder, making it first if there is none; keywords are the stand-in's own limits."""

ORGS: Final[Mapping[str, Opened]] = MappingProxyType(
    {
        "salesforce": SalesforceOrg,
        "hubspot v3": partial(HubspotOrg, dialect="v3"),
        "hubspot 2026-03": partial(HubspotOrg, dialect="2026-03"),
        "hubspot 2026-09": partial(HubspotOrg, dialect="2026-09"),
    }
)

BY_SEARCH: Final = "hubspot without unique tasks"
"""An account whose tasks take no unique property: our keys are searched for, in an index that lags."""


def open_org(name: str, folder: Path, **limits: int) -> Org:
    """The org of this name in a folder."""
    if name == BY_SEARCH:
        return HubspotOrg(folder, dialect="2026-09", **{"unique_on_tasks": 0, "index_lag": 5, **limits})
    return ORGS[name](folder, **limits)
