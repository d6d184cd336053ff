"""Sentences that people at customers and on the team write, composed from phrases and tied to drivers."""

from __future__ import annotations

from typing import Final

PLACES: Final = (
    "Berlin",
    "Oslo",
    "Lyon",
    "Toronto",
    "Porto",
    "Leeds",
    "Utrecht",
    "Austin",
    "Malmö",
    "Kraków",
)
TEAMS: Final = (
    *("operations", "customer service", "finance", "marketing"),
    *("engineering", "sales", "legal", "field service"),
)

GOALS: Final = (
    "roll out to the {place} office by Q{quarter}",
    "bring the {team} team on board before Q{quarter}",
    "replace the old ticket sheets in {team} by Q{quarter}",
    "have every site plan its work in one place, {place} first",
    "double the number of {team} users this year",
    "standardise approvals across {team} and {place}",
)

GOAL_NOTES: Final = ("Goal agreed: {goal}.", "They want to {goal}.", "Stated goal for the year: {goal}.")

ONBOARDING: Final = (
    "Onboarding finished with the {team} team. Goal: {goal}.",
    "Kick-off held; first project is in {team}. They hope to {goal}.",
    "Onboarding closed on plan. Success means: {goal}.",
)

QBR: Final = {
    "positive": (
        "Good session. Adoption in {team} is ahead of plan and the sponsor is pleased.",
        "They showed their own figures: less time in status meetings. Very positive mood.",
        "Strong support from the {team} lead; asked what is on the roadmap.",
    ),
    "neutral": (
        "Solid review without surprises. {team} uses the core features, the rest is waiting.",
        "Went through usage together. They will come back on the {place} site.",
        "Short review; agreed to look at training for {team}.",
    ),
    "negative": (
        "Difficult review. {team} is unhappy with response times and asked for a plan.",
        "Sponsor did not attend. {team} has gone back to spreadsheets in part.",
        "They question the value for {team} and want to see progress before talking about anything else.",
    ),
}

MEETINGS: Final = (
    "Check-in with {team}",
    "Monthly sync",
    "Training for {team}",
    "Roadmap call",
    "Project review",
)
EMAILS: Final = (
    "Follow-up on {team} rollout",
    "Question about reports",
    "Notes from our call",
    "Release news",
)
CALLS: Final = ("Call about {team}", "Quick question", "Call with the admin", "Check on open points")
TASKS: Final = (
    "Send training material",
    "Prepare figures for {team}",
    "Ask for a reference",
    "Update success plan",
)

TICKETS: Final = (
    ("Slow loading of boards", "Boards with many tasks take long to open for our {team} team."),
    ("Notification missing", "People in {team} do not receive mentions since this morning."),
    ("Question about permissions", "How can a guest in {place} see only one project?"),
    ("Import failed", "The import of our {team} list stops half way with an error."),
    ("Sign-in problem", "Two colleagues in {place} cannot sign in after the password change."),
    ("Calendar sync", "Events from {team} show up twice in the calendar."),
    ("Wrong total in a view", "The sum in the {team} view is not what we count ourselves."),
    ("Mobile app closes", "The app closes when {team} opens a large attachment."),
)

MOOD: Final = {
    "bad": (
        "This is frustrating and blocks us.",
        "We are disappointed, this is the third time.",
        "Unacceptable for us.",
    ),
    "plain": ("Please have a look.", "Thank you for checking.", "When can we expect an answer?"),
    "good": (
        "Great product otherwise, thank you!",
        "Thanks for the quick help last time.",
        "No hurry, we love it.",
    ),
}

GAPS: Final = (
    (
        (
            "Export for management report",
            "We export to CSV and build the management report by hand. Is there a way to chart trends?",
        ),
        (
            "Dashboard across projects",
            "Can we compare {team} and {place} in one chart? We copy numbers into a spreadsheet now.",
        ),
        (
            "Forecast of workload",
            "Our {team} lead wants a trend and a forecast; today we pull the data out every week.",
        ),
    ),
    (
        ("Repeating steps", "Every request makes {team} do the same five steps by hand. Can a rule do this?"),
        (
            "Automatic assignment",
            "We would like tasks from {place} to be assigned automatically; now someone sorts them daily.",
        ),
        ("Connect to our ERP", "Is there a trigger so that {team} need not copy orders manually?"),
    ),
    (
        (
            "Who changed this?",
            "We export to CSV and rebuild the audit report by hand. Is there an audit trail?",
        ),
        (
            "Evidence for an auditor",
            "Our auditor asks for the history of approvals in {team}; we collect screenshots.",
        ),
        (
            "Retention rules",
            "Legal wants retention and access logs for {place} for compliance. How do others do it?",
        ),
    ),
)
"""Requests and workarounds that point to a module which the account lacks: analytics, automation, audit."""

NPS_COMMENTS: Final = {
    "positive": ("Saves us hours every week.", "The team likes it.", "Easy to roll out to more people."),
    "neutral": ("Does the job.", "Good, but reports could be better.", ""),
    "negative": ("Too slow for us.", "Support takes too long.", "We use only a part of it."),
}

TRIGGER_TITLES: Final = {
    "funding": "{name} closes a financing round",
    "executive_hire": "{name} appoints a new chief officer",
    "product_launch": "{name} launches a new offering",
    "m_and_a": "{name} acquires a smaller rival",
    "hiring": "{name} advertises {count} new positions",
    "technology_change": "{name} replaces its core systems",
}


def fill(phrase: str, draw: int, **more: object) -> str:
    """The phrase with place, team and quarter chosen by an integer drawn elsewhere."""
    words = {
        "place": PLACES[draw % len(PLACES)],
        "team": TEAMS[draw // 11 % len(TEAMS)],
        "quarter": draw // 97 % 4 + 1,
        "goal": "",
    }
    text = phrase.format(**(words | more))
    return text[:1].upper() + text[1:]


def goal(draw: int) -> str:
    """A stated goal such as “roll out to the Berlin office by Q2”, in lower case."""
    text = fill(GOALS[draw // 5 % len(GOALS)], draw)
    return text[:1].lower() + text[1:]
