"""What a person at the terminal sees: results on stdout, progress and warnings on stderr.

Colour follows the terminal and NO_COLOR. With `--json`, stdout holds the one JSON object and the rest is
left out, so that a program can read it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH: Final = 140  # where no terminal says how wide it is

Advance = Callable[..., None]
"""How far a piece of work is: (done, total); total None while it is unknown."""

Tell = Callable[[str, float, float | None], None]
"""What is going on, and how far it is: (what, done, total or None)."""


class Screen:
    """Prints for people, or keeps quiet for programs (`quiet=True`)."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out: Console | None = None
        self._err: Console | None = None

    @property
    def out(self) -> Console:
        """The console on stdout."""
        if self._out is None:
            from rich.console import Console

            self._out = Console(
                file=sys.stdout,
                quiet=self.quiet,
                highlight=False,
                soft_wrap=True,
                width=None if sys.stdout.isatty() else PIPE_WIDTH,
            )
        return self._out

    @property
    def err(self) -> Console:
        """The console on stderr, for progress and warnings."""
        if self._err is None:
            from rich.console import Console

            self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        return self._err

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print a line; text from records is never taken as markup."""
        self.out.print(text, style=style, markup=False)

    def head(self, text: str) -> None:
        """Print a heading with a line of air above."""
        self.out.print()
        self.out.print(text, style="bold", markup=False)

    def warn(self, text: str) -> None:
        """Print a warning on stderr."""
        if not self.quiet:
            self.err.print(f"Warning: {text}", style="yellow", markup=False)

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()
    ) -> None:
        """Print a table; columns named in `right` are right-aligned, the last one may wrap."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        if self.quiet:
            return
        aligned = set(right)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in columns:
            last = name == columns[-1]
            table.add_column(
                name,
                justify="right" if name in aligned else "left",
                no_wrap=not last,
                overflow="fold" if last else "ellipsis",
            )
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self.out.print(table, soft_wrap=False)

    @contextmanager
    def progress(self, what: str) -> Iterator[Advance]:
        """A progress bar for one piece of work, on stderr, where that is a terminal."""
        with self.steps() as tell:
            tell(what, 0, None)
            yield lambda done, total=None: tell(what, done, total)

    @contextmanager
    def steps(self) -> Iterator[Tell]:
        """A progress bar that is renamed as the work goes on: tell(what, done, total or None)."""
        if self.quiet or not self.err.is_terminal:
            yield _tell_nobody
            return
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            console=self.err,
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=None, amount="")
            current = ""

            def tell(what: str, done: float, total: float | None) -> None:
                nonlocal current
                if what != current:
                    current = what
                    bar.reset(task, description=printable(what), total=total)
                amount = f"{done:,.0f}" if total is None else f"{done:,.0f} of {total:,.0f}"
                bar.update(task, completed=done, total=total, amount=amount if done else "")

            yield tell


def _tell_nobody(_what: str, _done: float, _total: float | None) -> None:
    """Progress for programs: none."""


def printable(text: str) -> str:
    """The text with control characters shown as a middle dot, so that a record can't steer the terminal."""
    return "".join(char if char.isprintable() else "·" for char in text)
