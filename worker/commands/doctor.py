"""`upswell doctor`: is everything in place, and if not, what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from worker.loop_home import open_loop
from worker.verb import App, ExitCode, verb

if TYPE_CHECKING:
    from sync.checks import Check

MARKS: Final = {"ok": "ok", "warn": "note", "fail": "FIX"}


@verb("doctor", examples=("upswell doctor", "upswell --config acme.toml doctor --json"))
def command(app: App) -> None:
    """Look at everything that the loop needs; exit 2 when something must be fixed. Changes nothing."""
    from sync.checks import Verdict, check_all

    with open_loop(app.settings(), app.screen) as loop:
        found: list[Check] = []
        for check in check_all(loop):
            loop.tell(f"Checked {check.area}", len(found), None)
            found.append(check)
    bad = [check for check in found if check.verdict is Verdict.FAIL]
    notes = [check for check in found if check.verdict is Verdict.WARN]
    app.answer.data = {
        "checks": [asdict(check) for check in found],
        "ok": len(found) - len(bad) - len(notes),
        "notes": len(notes),
        "to_fix": len(bad),
    }
    app.screen.table(
        ("", "Area", "What", "Found"),
        [(MARKS[check.verdict], check.area, check.name, check.found) for check in found],
    )
    for check in notes:
        app.warn(f"{check.area} {check.name}: {check.found}. {check.fix}")
    for check in bad:
        app.answer.errors.append(
            {
                "code": "check",
                "message": check.found,
                "record": f"{check.area}: {check.name}",
                "fix": check.fix,
            }
        )
        app.screen.say(f"{check.area}: {check.name}: {check.found}", "red")
        app.screen.say(f"  Fix: {check.fix}")
    if bad:
        app.answer.exit_code = ExitCode.USER_MUST_FIX
        app.screen.say(f"{len(bad)} of {len(found)} checks need a fix.")
    else:
        app.screen.say(f"{len(found)} checks, nothing to fix.")
