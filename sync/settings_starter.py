"""The first `upswell.toml` of an installation, complete and commented, for `upswell init`."""

from __future__ import annotations

from typing import Final, Literal

HEAD: Final = """\
# Upswell's settings. A line that is commented out shows the default or an example.
# Relative paths start from this file's folder. An environment variable wins over this file:
# UPSWELL_CRM__SALESFORCE__CLIENT_SECRET sets client_secret in [crm.salesforce]. Keep secrets there or in a
# file of their own (…_file), not here.

[company]
name = ""                       # as it stands in briefs and tasks
currency = "USD"                # ISO 4217
# rates = {{ EUR = 1.10 }}        # what one unit of another is worth in yours; else the CRM's rate
fiscal_year_start = 1           # month in which your fiscal year begins
timezone = "UTC"                # business dates are taken here, such as America/New_York
language = "en"                 # of briefs, tasks and reasons

[crm]
kind = "{kind}"
# account_external_id = "{external_id}"   # account field with your own account id, as in your exports
# write_batch = 0                         # records in a write call; 0: as many as the CRM takes
# timeout_seconds = 60.0                  # how long a call may take; a worker's lease is longer
# objects = ["forecasts", "feedback", "sync_runs"]   # those of our own that `upswell install` makes

"""

SALESFORCE: Final = """\
[crm.salesforce]
login_url = ""                  # your My Domain, such as https://acme.my.salesforce.com
# instance_url = ""             # only where it differs from what the login answers
auth = "jwt"                    # jwt, client_credentials or refresh_token (of an External Client App)
client_id = ""                  # the app's consumer key
# username = ""                 # jwt: the integration user
# private_key_file = ""         # jwt: PEM file, readable only by you
# client_secret = ""            # client_credentials, refresh_token; better: client_secret_file
# client_secret_file = ""
# refresh_token = ""            # better: refresh_token_file
# refresh_token_file = ""
# api_version = "68.0"
# customer_types = ["Customer", "Customer - Direct", "Customer - Channel"]   # values of Account.Type
# conditional_writes = false    # Salesforce refuses what a person changed since we read it: 25 records a call
# bulk_reads = "auto"           # more than a page of records by a Bulk 2.0 job; "never": page by page
# bulk_writes = "auto"          # by a Bulk 2.0 job where that takes fewer API calls; "never": always at once
# ca_file = ""                  # your proxy's certificate authority, where there is one

[mapping.accounts]              # our column = your field
# plan_tier = "Plan_Tier__c"
# seats = "Seats__c"
# arr = "ARR__c"
# customer_since = "Customer_Since__c"
# renewal_date = "Renewal_Date__c"

[mapping.contacts]
# role = "Role__c"

[mapping.tickets]
# csat = "CSAT__c"

[mapping.usage]                 # what a custom object of yours tells: docs/mapping.md
# object = "Usage__c"
# account_crm_id = "Account__c" # the lookup that leads to the account
# metric = "=api_calls"         # "=": the same in every row
# period_start = "Month__c"
# period_days = "=30"
# value = "Calls__c"

[mapping.fields]                # our field = a field of yours, where you don't want ours
# score = "My_Expansion_Score__c"
"""

HUBSPOT: Final = """\
[crm.hubspot]
# base_url = "https://api.hubapi.com"
# token = ""                    # of a project app or Service Key; better: token_file
# token_file = ""
# client_id = ""                # or OAuth: client_id, client_secret and refresh_token
# client_secret = ""
# client_secret_file = ""
# refresh_token = ""
# refresh_token_file = ""
# api_version = "2026-09"       # v3, 2026-03 or 2026-09
# ca_file = ""
# customer_types = ["customer", "evangelist"]   # lifecycle stages of companies that are customers

[mapping.accounts]              # our column = your property
# plan_tier = "plan_tier"
# seats = "seats"
# arr = "arr"

[mapping.fields]                # our field = a property of yours, where you don't want ours
# score = "my_expansion_score"
"""

REST: Final = """
# One [[exports]] for each kind of file that your product, billing, support and survey systems leave:
# events, users, usage, billing, entitlements, tickets, surveys, triggers, notes. For a table of a warehouse,
# see docs/exports.md.
# [[exports]]
# kind = "events"
# format = "auto"               # or amplitude, mixpanel, segment, posthog, pendo, table
# path = "exports/events/*.parquet"
# account_key = "customer_id"   # the column that holds your own account id
# columns = { user_id = "uid", event = "event_name", at = "time" }   # ours = theirs
# timezone = "UTC"              # of timestamps that name none
# encoding = "cp1252"           # of text that is not UTF-8

[identity]                      # whose account an export's key means, beside your own id and the CRM's
# domain = true                 # a domain, web or e-mail address: the one account with that web site
# name = false                  # the name of exactly one account, without case and legal form
# shared_domains = []           # domains that name nobody, such as yours or a reseller's
# overrides = ""                # CSV of account_key,crm_id; upswell exports match --out writes one to fill in

[stores]                        # for paths such as s3://bucket/events/*.parquet; credentials: environment
# s3_endpoint = ""              # of a store that speaks S3; empty: AWS
# gcs_endpoint = ""
# anonymous = false             # true: the buckets are public

[state]
# url = "sqlite:///upswell.sqlite"     # or postgresql+psycopg://user@host/upswell
# models = "models"                    # folder of trained models
# journal_key_file = ""                # what seals the journal; empty: made beside the ledger when needed
# journal_key = ""                     # or the secret itself, from the environment: with several machines
# journal_days = 0                     # `upswell audit retain` erases what is older; 0 keeps it

[lake]
# url = "duckdb://"             # in memory; duckdb:///work.duckdb for more data than memory
# folder = "lake"               # Parquet files of everything read

[redis]
# url = ""                      # redis://localhost:6379/0; empty: one process, no Redis

[worker]                        # of `upswell worker`
# tick_seconds = 15             # between looks for schedules, runs and retries that are due
# lease_seconds = 60            # what a killed process worked on goes to another after that
# range_size = 2000             # accounts that one process scores in one go
# longest_step_minutes = 240    # a step that takes longer is taken for hung, and done again
# slot_grace_minutes = 60       # a slot that is found later than this is not run any more

[target]                        # what you call an expansion
# horizon_days = 90
# opportunity_types = []        # such as ["Upsell", "Cross-sell"]; empty: by type name
# pipelines = []                # empty: any pipeline
# stages = []                   # empty: every stage that the CRM counts as won
# min_amount = 0.0
# eligible = ""                 # such as "segment != 'Enterprise' and days_since_expansion > 60"
# count_arr_changes = true      # also an ARR increase without an opportunity
# count_seat_changes = false    # also an increase of billed seats without either

[model]                         # what training may use
# allow_suspects = []           # features that look written after the fact, and that you vouch for
# retrain_days = 28             # `run` trains anew after so many days, or when outcomes say it has slipped
# promotion = "auto"            # person: nobody but you decides which model is in use
# refresh_days = 28             # auto: a model so old gives way to a newer one that is no worse

# One [[products]] for each thing that a customer can add.
# [[products]]
# id = "seats"
# name = "Seats"
# type = "seat"                 # seat, tier, module, addon, service or commit
# price = 600.0                 # per unit and year, in your currency
# unit = "seat"
# eligible = ""                 # who can buy it; empty: everybody who lacks it
# replaces = ""                 # a tier upgrade names the tier that it replaces
# keywords = []                 # words in a ticket that ask for it, beside those of its name

[tiers]                         # cut-offs on the probability
# very_high = 0.6
# high = 0.35
# medium = 0.15

[signals]                       # when a signal is called out
# seat_utilisation = 0.85       # share of the seats in use
# limit_utilisation = 0.85      # share of any other entitlement
# overage_days = 60
# new_department_days = 90
# finance_page_views = 4        # by a finance admin within 30 days
# low_csat = 3.0
# low_nps = 5.0
# nps_promoter = 9.0
# users_growth = 0.10           # active users against 90 days earlier
# usage_decline = -0.15         # events of 90 days against the 90 before
# gap_tickets = 2               # tickets in 180 days that ask for what the plan lacks
# min_completeness = 0.35       # below this share of signal families with data: not enough data

[owners]
# expansion = "by_segment"      # who gets the tasks: csm (where this line is left out), ae, or by segment:
# by_segment = { Enterprise = "ae" }   # csm, ae, either (whoever has room) or pool; others: csm
# pool = []                     # ids or e-mail addresses of those who share the segments of the pool
# fallback = ""                 # who gets the accounts of owners that are not active
# slots_per_week = 5            # tasks for one person in a week
# slots = { "ana@example.com" = 8, "ben@example.com" = 0 }   # of those who take more, or none
# cool_off_days = 30            # between an account's tasks
# holidays = []                 # days (2026-12-25) and countries (US, DE-BY) on which nothing is due
# timezone = ""                 # of owners whose CRM tells none; empty: the company's

[noise]                         # when a score is rewritten although tier, product, timing and health stay
# probability_delta = 0.08      # its probability moved by this much, or
# refresh_days = 28             # it would stand longer than that;
# spread_days = 14              # refreshed over so many days before, each record on its own day

[forecast]                      # rows of the forecast in an object of our own: docs/forecast.md
# rows = "weekly"               # with the first plan of a week, and of a fiscal quarter; or off
# detail = "predictions"        # what is said of an account stands alone; all: its part of run rates too
# rows_from = 100.0             # ARR; smaller predictions are put together by owner, segment and tier

[guard]                         # what stops a write-back before it begins
# max_changed_share = 0.2       # of the records, in any one thing; past it, someone else approves
# max_vanished_share = 0.1      # share of the accounts scored last that are gone
# max_score_jump = 40.0         # mean move of the score, in points
# max_probability_shift = 0.05  # move of the mean probability since the last scoring
# max_closed_share = 0.5        # of our open tasks, closed because what they were made for is gone
# max_score_drift = 0.25        # population stability index of the scores against the last scoring
# max_input_age_days = 14       # of the newest usage data, and of the last pull
# max_model_age_days = 120

[budget]
# daily_share = 0.2             # of the org's daily API calls that we may use
# run_share = 1.0               # part of these that one run may use
# org_ceiling = 0.8             # used by everybody together: we stop here
# calls_at_once = 10            # to Salesforce, by all workers together

[plays]                         # kinds of conversation beside the built-in ones: docs/tasks.md
# nurture = { do = ["share a relevant story"], do_not = ["name a price"] }
# growth = { trigger = "segment = 'Enterprise'", template = "expand", price_ask = true, weight = 1.2 }

# [[triggers]]                  # what starts a play by itself, also where the tier is not ready
# kind = "funding"              # executive_hire, product_launch, m_and_a, hiring, technology_change;
# play = "expand"               # or limit, or milestone
# within_days = 90
# limit = "seats"               # kind limit: of the seats, or "plan" for the tightest metered limit
# at_least = 1.0                # kind limit or milestone: share of it

[briefs]
# provider = "template"         # or anthropic: by Claude, within the caps below (docs/briefs-by-claude.md)
# language = ""                 # en, ru, de, fr or es, also with a region (en-GB); empty: the company's
# styles = ["plain"]            # or "question-led"; with both, each account gets one by chance
# style_seed = 0                # another number deals the styles out anew
# model = "claude-sonnet-5-5"
# effort = "low"                # medium, high; empty for a model that knows none
# price = { input = 2.0, output = 10.0 }   # US dollars for a million tokens, for a model not on our list
# base_url = "https://api.anthropic.com"
# timeout_seconds = 60          # of one try, of which there are two
# max_tokens = 4000             # of one answer
# api_key = ""                  # better: api_key_file
# api_key_file = ""
# max_cost_per_run = 5.0        # US dollars
# max_cost_per_day = 20.0
# max_tokens_per_run = 2_000_000
# batch_from = 20               # briefs from which on they go as one batch, at half the price
# batch_wait_minutes = 30       # then the template goes out, and the batch serves the next plan

[alerts]
# slack_webhook = ""            # better: slack_webhook_file
# slack_webhook_file = ""
# email = []
# probability = 0.75
# per_person_per_day = 5

[schedules]                     # what `upswell worker` starts; `upswell schedule` may change them later
# run = { cron = "0 6 * * 1-5", timezone = "", quiet = ["20:00-05:00"], enabled = true }
# fresh = { job = "pull", every = "6h" }   # job: the verb; empty: the name. every: such as 15m, 6h, 1d
"""


def starter_toml(kind: Literal["salesforce", "hubspot"]) -> str:
    """A complete, commented upswell.toml for one CRM: it loads as it is, the login is left to fill in."""
    login, external_id = (SALESFORCE, "Customer_Id__c") if kind == "salesforce" else (HUBSPOT, "customer_id")
    return HEAD.format(kind=kind, external_id=external_id) + login + REST
