"""The relationship: meetings, mails, calls, QBRs and their outcome, stated goals, NPS (S9)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.features.wording import GROWTH_GOAL, NEGATIVE, POSITIVE

NEEDS = {
    "activities": ("account_id", "kind", "subject", "occurred_at"),
    "surveys": ("account_id", "kind", "score", "responded_at"),
    "notes": ("account_id", "kind", "outcome", "text", "written_at"),
}
TOUCHES = ("meeting", "call", "email")

FEATURES = (
    Feature("meetings_90", "count", "activities", "Meetings in the last 90 days"),
    Feature("meetings_change", "count", "activities", "Meetings of 90 days less the 90 before"),
    Feature("emails_90", "count", "activities", "E-mails in the last 90 days"),
    Feature("calls_90", "count", "activities", "Calls in the last 90 days"),
    Feature(
        "touches_30",
        "count",
        "activities",
        "Meetings, e-mails and calls of the last 30 days",
        (good("IN_CONTACT", "{touches_30} meetings, mails and calls in 30 days", at_least=4),),
    ),
    Feature(
        "days_since_meeting",
        "days",
        "activities",
        "Days since the last meeting",
        (
            good(
                "MET_LATELY",
                "Last meeting {days_since_meeting} ago",
                at_most=21,
                dated="days_since_meeting",
            ),
            bad("NO_MEETING", "No meeting for {days_since_meeting}", at_least=90),
        ),
    ),
    Feature("days_since_touch", "days", "activities", "Days since the last meeting, e-mail or call"),
    Feature("days_since_qbr", "days", "notes", "Days since the last QBR"),
    Feature(
        "qbr_outcome",
        "points",
        "notes",
        "Outcome of the last QBR: 1 positive, 0 neutral, −1 negative",
        (
            good(
                "QBR_POSITIVE",
                "Last QBR went well, {days_since_qbr} ago",
                at_least=1,
                dated="days_since_qbr",
            ),
            bad(
                "QBR_NEGATIVE",
                "Last QBR went badly, {days_since_qbr} ago",
                at_most=-1,
                dated="days_since_qbr",
            ),
        ),
    ),
    Feature("qbr_outcome_mean", "points", "notes", "Mean QBR outcome of the last year"),
    Feature(
        "goals_180",
        "count",
        "notes",
        "Goals written down in the last 180 days",
    ),
    Feature(
        "growth_goals_365",
        "count",
        "notes",
        "Notes of the last year with a goal to roll out, grow or bring in teams",
        (
            good(
                "GROWTH_GOAL",
                "A goal to grow stated in {growth_goals_365} note(s) of the last year",
                at_least=1,
            ),
        ),
    ),
    Feature("days_since_goal", "days", "notes", "Days since a goal was written down"),
    Feature("note_sentiment", "points", "notes", "Mean sentiment of notes of the last 180 days, −1 to 1"),
    Feature(
        "nps",
        "points",
        "surveys",
        "Mean NPS answer of the last 180 days (0–10)",
        (
            good("NPS_HIGH", "NPS answers average {nps}", at_least=8.5),
            bad("NPS_LOW", "NPS answers average {nps}", at_most=6),
        ),
    ),
    Feature("nps_change", "points", "surveys", "NPS of 180 days less the 180 before"),
    Feature("nps_last", "points", "surveys", "Latest NPS answer"),
    Feature("csat_survey", "points", "surveys", "Mean CSAT answer of the last 180 days (1–5)"),
)


def _kind(table: str, *kinds: str, days: int | None = None, newest: bool = False) -> tuple[Trace, ...]:
    return (Trace(table=table, days=days, where={"kind": kinds}, newest=newest),)


TRACES = {
    "meetings_90": _kind("activities", "meeting", days=90),
    "meetings_change": _kind("activities", "meeting", days=180),
    "emails_90": _kind("activities", "email", days=90),
    "calls_90": _kind("activities", "call", days=90),
    "touches_30": _kind("activities", *TOUCHES, days=30),
    "days_since_meeting": _kind("activities", "meeting", newest=True),
    "days_since_touch": _kind("activities", *TOUCHES, newest=True),
    "days_since_qbr": _kind("notes", "qbr", newest=True),
    "qbr_outcome": (Trace(table="notes", where={"kind": ("qbr",)}, filled=("outcome",)),),
    "qbr_outcome_mean": _kind("notes", "qbr", days=365),
    "goals_180": _kind("notes", "goal", days=180),
    "growth_goals_365": _kind("notes", "goal", "onboarding", "qbr", days=365),
    "days_since_goal": _kind("notes", "goal", newest=True),
    "note_sentiment": (Trace(table="notes", days=180),),
    "nps": _kind("surveys", "nps", days=180),
    "nps_change": _kind("surveys", "nps", days=360),
    "nps_last": _kind("surveys", "nps"),
    "csat_survey": _kind("surveys", "csat", days=180),
}


def build(inputs: Inputs) -> ir.Table:
    """Relationship features of every row with an activity, a note or a survey answer."""
    figures = inputs.rows.select("row")
    for part in (_activities(inputs), _notes(inputs), _surveys(inputs)):
        figures = figures.left_join(part, "row").drop("row_right")
    f = figures
    return f.filter(f.days_since_touch.notnull() | f.note_count.notnull() | f.answers.notnull()).drop(
        "note_count", "answers"
    )


def _activities(inputs: Inputs) -> ir.Table:
    acts = inputs.sources["activities"].select("account_id", "kind", "at", "known")
    seen = inputs.known(acts.filter(acts.kind.isin(list(TOUCHES))))
    meeting = seen.kind == "meeting"
    figures = seen.group_by("row").agg(
        meetings_90=(meeting & (seen.age < 90)).sum(),
        before=(meeting & (seen.age >= 90) & (seen.age < 180)).sum(),
        emails_90=((seen.kind == "email") & (seen.age < 90)).sum(),
        calls_90=((seen.kind == "call") & (seen.age < 90)).sum(),
        touches_30=(seen.age < 30).sum(),
        days_since_meeting=seen.age.min(where=meeting),
        days_since_touch=seen.age.min(),
    )
    return figures.mutate(meetings_change=figures.meetings_90 - figures.before).drop("before")


def _notes(inputs: Inputs) -> ir.Table:
    notes = inputs.sources["notes"]
    text = ibis.coalesce(notes.text, "").lower()
    notes = notes.select(
        "account_id",
        "kind",
        "at",
        "known",
        mood=notes.outcome.cases(("positive", 1), ("neutral", 0), ("negative", -1)).cast("float64"),
        grows=text.re_search(GROWTH_GOAL) & notes.kind.isin(["goal", "onboarding", "qbr"]),
        sentiment=text.re_search(POSITIVE).cast("float64") - text.re_search(NEGATIVE).cast("float64"),
    )
    seen = inputs.known(inputs.space.keep(notes))
    qbr, goal = seen.kind == "qbr", seen.kind == "goal"
    return seen.group_by("row").agg(
        note_count=seen.count(),
        days_since_qbr=seen.age.min(where=qbr),
        qbr_outcome=seen.mood.argmax(seen["at"], where=qbr),
        qbr_outcome_mean=seen.mood.mean(where=qbr & (seen.age < 365)),
        goals_180=(goal & (seen.age < 180)).sum(),
        growth_goals_365=(seen.grows & (seen.age < 365)).sum(),
        days_since_goal=seen.age.min(where=goal),
        note_sentiment=seen.sentiment.mean(where=seen.age < 180),
    )


def _surveys(inputs: Inputs) -> ir.Table:
    answers = inputs.sources["surveys"].filter(lambda t: t.score.notnull())
    seen = inputs.known(answers.select("account_id", "score", "at", "known", kind=answers.kind.lower()))
    nps, csat = seen.kind == "nps", seen.kind == "csat"
    figures = seen.group_by("row").agg(
        answers=seen.count(),
        nps=seen.score.mean(where=nps & (seen.age < 180)),
        before=seen.score.mean(where=nps & (seen.age >= 180) & (seen.age < 360)),
        nps_last=seen.score.argmax(seen["at"] * 100 + seen.score, where=nps),
        csat_survey=seen.score.mean(where=csat & (seen.age < 180)),
    )
    return figures.mutate(nps_change=figures.nps - figures.before).drop("before")


FAMILY = Family(
    name="relationship",
    title="Relationship",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "meetings_90",
            "meetings_change",
            "emails_90",
            "calls_90",
            "qbr_outcome_mean",
            "goals_180",
            "note_sentiment",
            "nps_change",
            "nps_last",
            "csat_survey",
        ),
        down=(
            "days_since_touch",
            "days_since_qbr",
            "days_since_goal",
        ),
    ),
    build=build,
    traces=TRACES,
)
