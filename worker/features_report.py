"""An account's features on the screen: values with what they are made of, limits, peers, and what moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from worker.verb import App

if TYPE_CHECKING:
    from model.features.feature import Family
    from model.source_rows import SourceRows
    from sync.account_features import Move

ONE_AND_MANY: Final = {
    "accounts": ("account record", "account records"),
    "contacts": ("contact", "contacts"),
    "opportunities": ("opportunity", "opportunities"),
    "account_history": ("change", "changes"),
    "activities": ("activity", "activities"),
    "tickets": ("ticket", "tickets"),
    "events": ("event", "events"),
    "users": ("user", "users"),
    "usage": ("usage figure", "usage figures"),
    "billing": ("invoice", "invoices"),
    "entitlements": ("entitlement", "entitlements"),
    "surveys": ("answer", "answers"),
    "triggers": ("trigger event", "trigger events"),
    "notes": ("note", "notes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One account's features on a day: the values and the source rows by feature."""

    values: Mapping[str, Any]
    rows: Mapping[str, Sequence[SourceRows]]
    day: date


def show_values(app: App, families: tuple[Family, ...], shown: Shown, *, list_rows: bool) -> None:
    """The known features of each family with value and source rows, and what nothing was known about."""
    unknown, missing = [], []
    for each in families:
        known = [f for f in each.features if shown.values.get(f.name) is not None]
        if not known:
            unknown.append(each.title)
            continue
        missing += [f.name for f in each.features if shown.values.get(f.name) is None]
        app.screen.head(f"{each.title}: {len(known)} of {len(each.features)} features known")
        app.screen.table(
            ("Feature", "Value", "Made of", "What it is"),
            [
                (f.name, _written(shown.values[f.name], f.unit), _made_of(shown.rows[f.name]), f.about)
                for f in known
            ],
            right=("Value",),
        )
        if list_rows:
            _list_rows(app, {f.name: shown.rows[f.name] for f in known})
    if unknown:
        app.screen.say(f"Nothing was known on {shown.day} about: {', '.join(unknown)}.")
    if missing:
        app.screen.say(f"Not known of the families above: {', '.join(missing)}.")


def _list_rows(app: App, behind: Mapping[str, Sequence[SourceRows]]) -> None:
    """The newest source rows, those that are the same for several features once."""
    kinds: dict[tuple[Any, ...], dict[str, None]] = {}
    for name, found in behind.items():
        for each in found:
            if each.rows:
                kinds.setdefault((each.table, each.columns, each.rows), {})[name] = None
    for (table, columns, rows), names in kinds.items():
        app.screen.say()
        app.screen.say(f"Newest {ONE_AND_MANY[table][1]} behind {', '.join(names)}", "dim")
        app.screen.table(columns, [tuple(map(_cell, row)) for row in rows])


def show_limits(app: App, limits: list[dict[str, Any]]) -> None:
    """Every metered limit: how full, for how long, and when it is reached at this pace."""
    if not limits:
        return
    app.screen.head("Metered limits, the fullest first")
    app.screen.table(
        ("Limit", "Used", "A week", "Weeks above 80 %", "85 %", "90 %", "Reached"),
        [
            (
                line["item"],
                _written(line["use"], "share"),
                _written(line["trend"], "change"),
                f"{line['above_80']}",
                f"{line['above_85']}",
                f"{line['above_90']}",
                "already" if line["use"] >= 1 else str(line["reached_on"] or "not within a year"),
            )
            for line in limits
        ],
        right=("Used", "A week", "Weeks above 80 %", "85 %", "90 %"),
    )


def show_peers(app: App, peers: list[dict[str, Any]]) -> None:
    """What accounts of the same segment and industry own and took up, by product."""
    if not peers:
        return
    app.screen.head(f"Products among the {peers[0]['peers']} other accounts of the same segment and industry")
    app.screen.table(
        ("Product", "Owned", "Peers own", "Took up in 90 days", "in 180 days"),
        [
            (
                line["product"],
                "yes" if line["owns"] else "no",
                f"{line['peers_own']}",
                f"{line['peers_taken_90']}",
                f"{line['peers_taken_180']}",
            )
            for line in peers
        ],
        right=("Peers own", "Took up in 90 days", "in 180 days"),
    )


def show_moves(app: App, moves: list[Move], since: date) -> None:
    """What moved, as a table and as data."""
    app.answer.data |= {
        "compared_with": since,
        "moves": [
            {
                "name": each.feature.name,
                "unit": each.feature.unit,
                "before": each.before,
                "after": each.after,
                "size": each.size,
            }
            for each in moves
        ],
    }
    if not moves:
        app.screen.say(f"Nothing moved since {since}.")
        return
    app.screen.say(
        f"{len(moves)} features moved since {since}. "
        "Moves are in standard deviations over all accounts of the later day."
    )
    app.screen.table(
        ("Feature", "Before", "Now", "Move", "What it is"),
        [
            (
                each.feature.name,
                _written(each.before, each.feature.unit),
                _written(each.after, each.feature.unit),
                "" if each.size is None else f"{each.size:.1f}",
                each.feature.about,
            )
            for each in moves
        ],
        right=("Before", "Now", "Move"),
    )


def _made_of(found: Iterable[SourceRows]) -> str:
    """How many rows of which table, and of which days."""
    return "; ".join(dict.fromkeys(map(_counted, found))) or "the calendar"


def _counted(found: SourceRows) -> str:
    text = f"{found.total:,} {ONE_AND_MANY[found.table][found.total != 1]}"
    if found.first is None or found.last is None:
        return text
    days = f"{found.first}" if found.first == found.last else f"{found.first} to {found.last}"
    return f"{text}, {days}"


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _written(value: Any, unit: str) -> str:
    from model.wordsmith import write_value

    if value is None:
        return "unknown"
    return value if isinstance(value, str) else write_value(value, unit)
