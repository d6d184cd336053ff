// Written by `python -m connectors.hubspot.app_source` from fields.toml, not by hand.

export const FIELDS = {
  score: { name: "expansion_score", label: "Expansion Score" },
  tier: { name: "expansion_tier", label: "Expansion Tier", options: { very_high: "Very high", high: "High", medium: "Medium", low: "Low", not_enough_data: "Not enough data" } },
  expected_arr: { name: "expansion_expected_arr", label: "Expected Expansion ARR" },
  arr_low: { name: "expansion_arr_low", label: "Expansion ARR, Low" },
  arr_high: { name: "expansion_arr_high", label: "Expansion ARR, High" },
  play: { name: "expansion_play", label: "Expansion Play", options: { expand: "Expand", prepare: "Prepare", nurture: "Nurture", retain: "Retain first", none: "None" } },
  product: { name: "expansion_product", label: "Expansion Product" },
  product_2: { name: "expansion_product_2", label: "Expansion Product, Second" },
  timing: { name: "expansion_timing", label: "Expansion Timing", options: { now: "Now", d30: "30 days", d90: "90 days", hold: "Hold" } },
  health: { name: "expansion_health", label: "Account Health", options: { green: "Green", yellow: "Yellow", red: "Red", unknown: "Unknown" } },
  reason_1: { name: "expansion_reason_1", label: "Expansion Reason 1" },
  reason_2: { name: "expansion_reason_2", label: "Expansion Reason 2" },
  reason_3: { name: "expansion_reason_3", label: "Expansion Reason 3" },
  against_1: { name: "expansion_against_1", label: "Expansion, Reason Against 1" },
  against_2: { name: "expansion_against_2", label: "Expansion, Reason Against 2" },
  change: { name: "expansion_change", label: "Expansion Score, Change" },
  why_moved: { name: "expansion_why_moved", label: "Expansion, Why It Moved" },
  like_this: { name: "expansion_accounts_like_this", label: "Expansion, Accounts Like This" },
  next_milestone: { name: "expansion_next_milestone", label: "Expansion, Next Milestone" },
  whom_to_reach: { name: "expansion_whom_to_reach", label: "Expansion, Whom To Reach" },
  brief: { name: "expansion_brief", label: "Expansion Brief" },
  scored_at: { name: "expansion_scored_at", label: "Expansion Scored At" },
  data_as_of: { name: "expansion_data_as_of", label: "Expansion Data As Of" },
  model_version: { name: "expansion_model_version", label: "Expansion Model Version" },
  status: { name: "expansion_status", label: "Expansion Status", options: { open: "Open", in_talks: "Already in talks", not_now: "Not now", done: "Done" } },
  not_before: { name: "expansion_not_before", label: "Expansion Not Before" },
  csm_call: { name: "expansion_csm_call", label: "Expansion, CSM's Call", options: { agree: "Agree", higher: "Should be higher", lower: "Should be lower" } },
  opt_out: { name: "expansion_opt_out", label: "Expansion Opt-Out" },
  feedback: { name: "expansion_feedback", label: "Expansion Feedback", options: { useful: "Useful", not_useful: "Not useful", in_talks: "Already in talks", not_now: "Not now", wrong_data: "Wrong data" } },
} as const;

export type Key = keyof typeof FIELDS;

export const COMPANIES = "/crm/objects/2026-03/companies";
