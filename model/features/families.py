"""Every signal family, and the catalogue of all features by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from model.features import (
    adoption,
    contract,
    departments,
    fiscal,
    hierarchy,
    limits,
    peers,
    people,
    power_users,
    profile,
    relationship,
    seats,
    support,
    team,
    triggers,
    usage,
)
from model.features.feature import Family, Feature

FAMILIES: Final[tuple[Family, ...]] = (
    seats.FAMILY,
    limits.FAMILY,
    usage.FAMILY,
    adoption.FAMILY,
    departments.FAMILY,
    power_users.FAMILY,
    team.FAMILY,
    people.FAMILY,
    support.FAMILY,
    relationship.FAMILY,
    contract.FAMILY,
    fiscal.FAMILY,
    triggers.FAMILY,
    peers.FAMILY,
    hierarchy.FAMILY,
    profile.FAMILY,
)

CATALOGUE: Final[Mapping[str, Feature]] = MappingProxyType(
    {feature.name: feature for family in FAMILIES for feature in family.features}
)

FAMILY_OF: Final[Mapping[str, str]] = MappingProxyType(
    {feature.name: family.name for family in FAMILIES for feature in family.features}
)

TABLE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        feature.name: next((trace.table for trace in family.traced(feature)), feature.source)
        for family in FAMILIES
        for feature in family.features
    }
)
"""The source table that each feature is chiefly made of."""
