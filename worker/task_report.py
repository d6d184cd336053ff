"""What came of the tasks, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sync.task_outcomes import TaskOutcome
    from worker.screen import Screen

COLUMNS: Final = ("Tasks", "Open", "Dropped", "Expanded", "Rate", "ARR added")
WORDS: Final = {
    "held": "conversation held",
    "accepted": "customer wants it",
    "declined": "customer declined",
    "not_now": "not now",
    "no_answer": "no answer",
    "wrong_data": "wrong data",
    "done": "closed without an outcome",
}


def show_tasks(screen: Screen, found: Sequence[TaskOutcome], currency: str) -> None:
    """A line for each play and style of brief, then what people picked; nothing while there are no tasks."""
    if not found:
        return
    screen.head("What came of the tasks")
    screen.table(
        ("Play", "Brief", *COLUMNS),
        [
            (
                each.play,
                " by ".join(part for part in (each.style, each.writer) if part) or "—",
                f"{each.tasks:,}",
                f"{each.open:,}",
                f"{each.dropped:,}",
                f"{each.expanded:,}",
                f"{each.converted:.1%}",
                f"{each.arr_added:,.0f}",
            )
            for each in found
        ],
        right=COLUMNS,
    )
    picked: dict[str, int] = {}
    for each in found:
        for outcome, count in each.outcomes.items():
            picked[outcome] = picked.get(outcome, 0) + count
    if picked:
        ordered = sorted(picked.items(), key=lambda pair: (-pair[1], pair[0]))
        said = ", ".join(f"{WORDS.get(outcome, outcome)} {count:,}" for outcome, count in ordered)
        screen.say(f"What people said of them: {said}.")
    screen.say(
        f"Expanded: within the horizon after the task; ARR in {currency} a year. Dropped: closed by Upswell, "
        "or deleted. Styles are given out by chance, so their rates may be compared; plays are not."
    )
