"""People: champions, sponsors, senior and finance contacts, who came, who left, who went quiet (S7)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.days import day_table
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.partials import BILLING_PAGES
from model.timeline import by_person, first_lines, in_windows
from model.workspace import Workspace

NEEDS = {
    "contacts": ("account_id", "crm_id", "created_at", "title", "role", "left_at"),
    "activities": ("account_id", "contact_crm_id", "occurred_at"),
    "users": ("account_id", "user_id", "role", "title"),
    "events": ("account_id", "user_id", "event", "feature", "at", "known_from"),
}
SENIOR = r"\b(chief|c[efiot]o|coo|vp|vice president|svp|evp|president|founder|partner|director|head)\b"
SPONSORS = ("executive_sponsor", "decision_maker")

FEATURES = (
    Feature(
        "champion_days_30",
        "count",
        "events",
        "Days in the last 30 on which a champion used the product",
        (good("CHAMPION_ACTIVE", "Champion active on {champion_days_30} of the last 30 days", at_least=8),),
    ),
    Feature(
        "champion_days_change",
        "count",
        "events",
        "Champion's active days of 30 days, less those of the 30 days that ended 60 days earlier",
        (
            bad(
                "CHAMPION_QUIET",
                "Champion active {champion_days_change:size} days a month less than before",
                at_most=-4,
            ),
        ),
    ),
    Feature("champion_last_seen", "days", "events", "Days since a champion last used the product"),
    Feature(
        "sponsor_days_30",
        "count",
        "events",
        "Days in the last 30 on which an executive sponsor or decision maker used the product",
        (
            good(
                "SPONSOR_ACTIVE",
                "Executive sponsor active on {sponsor_days_30} of the last 30 days",
                at_least=3,
            ),
        ),
    ),
    Feature("sponsor_days_90", "count", "events", "The same in the last 90 days"),
    Feature(
        "finance_billing_views_30",
        "count",
        "events",
        "Views of billing pages by a finance admin in the last 30 days",
        (
            good(
                "FINANCE_ON_BILLING",
                "Finance admin opened billing pages {finance_billing_views_30} times in 30 days",
                at_least=4,
            ),
        ),
    ),
    Feature(
        "billing_views_30",
        "count",
        "events",
        "Views of billing and plan pages by anyone in the last 30 days",
        (
            good(
                "PLANS_VIEWED",
                "Billing and plan pages opened {billing_views_30} times in 30 days",
                at_least=6,
            ),
        ),
    ),
    Feature("billing_views_change", "count", "events", "Billing page views of 30 days less the 30 before"),
    Feature("champions", "count", "contacts", "Champions at the account"),
    Feature("sponsors", "count", "contacts", "Executive sponsors and decision makers at the account"),
    Feature("senior_contacts", "count", "contacts", "Contacts with a senior title"),
    Feature(
        "senior_new_90",
        "count",
        "contacts",
        "Senior contacts that joined in the last 90 days",
        (good("NEW_SENIOR_CONTACT", "{senior_new_90} new senior contact(s) in 90 days", at_least=1),),
    ),
    Feature("contacts_new_90", "count", "contacts", "Contacts added in the last 90 days"),
    Feature(
        "champion_left_180",
        "count",
        "contacts",
        "Champions and sponsors that left in the last 180 days",
        (bad("CHAMPION_LEFT", "{champion_left_180} champion(s) or sponsor(s) left in 180 days", at_least=1),),
    ),
    Feature("days_since_champion_left", "days", "contacts", "Days since a champion or sponsor left"),
    Feature(
        "influential_dormant",
        "count",
        "contacts",
        "Sponsors and senior contacts without an activity in 90 days",
    ),
    Feature("contacts_known", "count", "contacts", "Contacts at the account"),
)

TRACES = {
    "champion_days_30": (Trace(table="events", days=30, roles=("champion",)),),
    "champion_days_change": (Trace(table="events", days=90, roles=("champion",)),),
    "champion_last_seen": (Trace(table="events", roles=("champion",)),),
    "sponsor_days_30": (Trace(table="events", days=30, roles=SPONSORS),),
    "sponsor_days_90": (Trace(table="events", days=90, roles=SPONSORS),),
    "finance_billing_views_30": (
        Trace(table="events", days=30, roles=("finance_admin",), pages=BILLING_PAGES),
    ),
    "billing_views_30": (Trace(table="events", days=30, pages=BILLING_PAGES),),
    "billing_views_change": (Trace(table="events", days=60, pages=BILLING_PAGES),),
    "influential_dormant": (Trace(table="contacts"), Trace(table="activities", days=90)),
}


def build(inputs: Inputs) -> ir.Table:
    """People features of every row with a contact, or with a user in a named role who was active."""
    parts = (_contacts(inputs), _dormant(inputs), _product_use(inputs), _billing_pages(inputs))
    figures = inputs.rows.select("row")
    for part in parts:
        figures = figures.left_join(part, "row").drop("row_right")
    # whoever has contacts and no dormant one among them has none, which is not unknown
    dormant = ibis.coalesce(figures.influential_dormant, 0)
    figures = figures.mutate(
        influential_dormant=figures.contacts_known.notnull().ifelse(dormant, ibis.null("int64"))
    )
    return figures.filter(figures.contacts_known.notnull() | figures.champion_last_seen.notnull())


def _contacts(inputs: Inputs) -> ir.Table:
    people = inputs.space.keep(_typed(inputs.sources["contacts"]))
    seen = inputs.known(people)
    gone = ibis.coalesce(seen.left_at <= seen.day, False)
    left = seen.day - seen.left_at
    lead = seen.champion | seen.sponsor
    return seen.group_by("row").agg(
        champions=(seen.champion & ~gone).sum(),
        sponsors=(seen.sponsor & ~gone).sum(),
        senior_contacts=(seen.senior & ~gone).sum(),
        senior_new_90=(seen.senior & ~gone & (seen.age < 90)).sum(),
        contacts_new_90=(seen.age < 90).sum(),
        champion_left_180=(lead & gone & (left < 180)).sum(),
        days_since_champion_left=left.min(where=lead & gone),
        contacts_known=(~gone).sum(),
    )


def _dormant(inputs: Inputs) -> ir.Table:
    """Sponsors and senior contacts of each row without any logged activity in its last 90 days."""
    people = _typed(inputs.sources["contacts"])
    seen = inputs.known(people.filter(people.senior | people.sponsor))
    seen = seen.filter(~ibis.coalesce(seen.left_at <= seen.day, False)).select("row", "crm_id")
    acts = inputs.sources["activities"].filter(lambda t: t.contact_crm_id.notnull())
    touched = inputs.known(acts.select("account_id", "contact_crm_id", "at", "known"))
    touched = touched.filter(touched.age < 90).select("row", crm_id="contact_crm_id").distinct()
    return seen.anti_join(touched, ["row", "crm_id"]).group_by("row").agg(influential_dormant=ibis._.count())


def _product_use(inputs: Inputs) -> ir.Table:
    users = _typed(inputs.sources["users"])
    users = users.filter(users.champion | users.sponsor).join(
        inputs.timeline.people, ["account_id", "user_id"]
    )
    leads = inputs.space.keep(users.select("account", "user", "account_id", "user_id", "champion", "sponsor"))
    days = first_lines(by_person(inputs.timeline.all_days, leads))
    days = days.join(leads.select("user", "champion", "sponsor"), "user")
    daily = inputs.space.keep(
        days.group_by("account", "at", "known").agg(champion=days.champion.max(), sponsor=days.sponsor.max())
    )
    seen = in_windows(daily, inputs.days, {0: 90}, inputs.space)
    figures = seen.group_by("account", "day").agg(
        champion_days_30=seen["at"].nunique(where=seen.champion & (seen.age < 30)),
        before=seen["at"].nunique(where=seen.champion & (seen.age >= 60)),
        sponsor_days_30=seen["at"].nunique(where=seen.sponsor & (seen.age < 30)),
        sponsor_days_90=seen["at"].nunique(where=seen.sponsor),
    )
    rows = inputs.rows.select("row", "account", "day")
    ever = rows.join(_last_seen(daily, inputs.days, inputs.space), ["account", "day"])
    figures = ever.left_join(figures, ["account", "day"])
    now = ibis.coalesce(figures.champion_days_30, 0)
    return figures.select(
        "row",
        "champion_last_seen",
        champion_days_30=now,
        champion_days_change=now - ibis.coalesce(figures.before, 0),
        sponsor_days_30=ibis.coalesce(figures.sponsor_days_30, 0),
        sponsor_days_90=ibis.coalesce(figures.sponsor_days_90, 0),
    )


def _last_seen(daily: ir.Table, days: tuple[int, ...], space: Workspace) -> ir.Table:
    """account, day and days since a champion's last use, for accounts where champion or sponsor had any.

    The last use by each as-of day is the latest of what became known between one and the next.
    """
    calendar = day_table(days, space)
    order = ibis.window(order_by="day")
    spans = calendar.mutate(after=ibis.coalesce(calendar.day.lag().over(order), -1))
    news = daily.join(spans, [daily.known > spans.after, daily.known <= spans.day])
    news = news.group_by("account", "day").agg(last=news["at"].max(where=news.champion))
    dense = daily.select("account").distinct().cross_join(calendar)
    dense = dense.left_join(news.mutate(any_use=ibis.literal(1)), ["account", "day"])
    so_far = ibis.cumulative_window(group_by="account", order_by="day")
    dense = dense.select(
        "account", "day", last=dense["last"].max().over(so_far), any_use=dense.any_use.max().over(so_far)
    )
    return dense.filter(dense.any_use.notnull()).select(
        "account", "day", champion_last_seen=dense.day - dense["last"]
    )


def _billing_pages(inputs: Inputs) -> ir.Table:
    users = inputs.sources["users"]
    admins = users.filter(users.role == "finance_admin").select("account_id", "user_id").distinct()
    admins = admins.join(inputs.timeline.people, ["account_id", "user_id"])
    admins = admins.select(admin="user", is_finance=ibis.literal(value=True))
    views = inputs.timeline.all_days.filter(lambda t: t.billing_views > 0)
    views = by_person(views, inputs.timeline.everybody).select(
        "account", "user", "at", "known", events="billing_views"
    )
    views = views.left_join(admins, views.user == admins.admin)
    pages = views.group_by("account", "at", "known").agg(
        events=views.events.sum(), finance=ibis.coalesce(views.events.sum(where=views.is_finance), 0)
    )
    pages = inputs.space.keep(pages)
    seen = in_windows(pages, inputs.days, {0: 60}, inputs.space)
    recent = seen.group_by("account", "day").agg(
        finance=ibis.coalesce(seen.finance.sum(where=seen.age < 30), 0),
        month=ibis.coalesce(seen.events.sum(where=seen.age < 30), 0),
        before=ibis.coalesce(seen.events.sum(where=seen.age >= 30), 0),
    )
    first = pages.group_by("account").agg(first=pages.known.min())
    rows = inputs.rows.select("row", "account", "day").join(first, "account")
    ever = rows.filter(rows.first <= rows.day).left_join(recent, ["account", "day"])
    month = ibis.coalesce(ever.month, 0)
    return ever.select(
        "row",
        finance_billing_views_30=ibis.coalesce(ever.finance, 0),
        billing_views_30=month,
        billing_views_change=month - ibis.coalesce(ever.before, 0),
    )


def _typed(people: ir.Table) -> ir.Table:
    """People with the flags champion, sponsor and senior, from their role and title."""
    role = ibis.coalesce(people.role, "").lower().replace(" ", "_")
    return people.mutate(
        champion=role == "champion",
        sponsor=role.isin(list(SPONSORS)),
        senior=ibis.coalesce(people.title, "").lower().re_search(SENIOR),
    )


FAMILY = Family(
    name="people",
    title="People",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "sponsor_days_90",
            "billing_views_change",
            "champions",
            "sponsors",
            "senior_contacts",
            "contacts_new_90",
            "days_since_champion_left",
            "contacts_known",
        ),
        down=(
            "champion_last_seen",
            "influential_dormant",
        ),
    ),
    build=build,
    traces=TRACES,
    origins={"finance_billing_views_30": "4 or more in 30 days is what teams act on"},
)
