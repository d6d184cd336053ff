// Written by `python -m connectors.hubspot.app_source` from fields.toml, not by hand.

export const FIELDS = {
  score: { name: "expansion_score", label: "Expansion Score" },
  tier: { name: "expansion_tier", label: "Expansion Tier" },
  probability: { name: "expansion_probability", label: "Expansion Probability" },
  expected_arr: { name: "expansion_expected_arr", label: "Expected Expansion ARR" },
  arr_low: { name: "expansion_arr_low", label: "Expansion ARR, Low" },
  arr_high: { name: "expansion_arr_high", label: "Expansion ARR, High" },
  arr_quarter_1: { name: "expansion_arr_quarter_1", label: "Expansion ARR, This Fiscal Quarter" },
  arr_quarter_2: { name: "expansion_arr_quarter_2", label: "Expansion ARR, Next Fiscal Quarter" },
  arr_quarter_3: { name: "expansion_arr_quarter_3", label: "Expansion ARR, Third Fiscal Quarter" },
  arr_quarter_4: { name: "expansion_arr_quarter_4", label: "Expansion ARR, Fourth Fiscal Quarter" },
  play: { name: "expansion_play", label: "Expansion Play" },
  product: { name: "expansion_product", label: "Expansion Product" },
  product_2: { name: "expansion_product_2", label: "Expansion Product, Second" },
  timing: { name: "expansion_timing", label: "Expansion Timing" },
  health: { name: "expansion_health", label: "Account Health" },
  priority: { name: "expansion_priority", label: "Expansion Priority" },
  reason_1: { name: "expansion_reason_1", label: "Expansion Reason 1" },
  reason_2: { name: "expansion_reason_2", label: "Expansion Reason 2" },
  reason_3: { name: "expansion_reason_3", label: "Expansion Reason 3" },
  against_1: { name: "expansion_against_1", label: "Expansion, Reason Against 1" },
  against_2: { name: "expansion_against_2", label: "Expansion, Reason Against 2" },
  reason_codes: { name: "expansion_reason_codes", label: "Expansion Reason Codes" },
  change: { name: "expansion_change", label: "Expansion Score, Change" },
  why_moved: { name: "expansion_why_moved", label: "Expansion, Why It Moved" },
  like_this: { name: "expansion_accounts_like_this", label: "Expansion, Accounts Like This" },
  next_milestone: { name: "expansion_next_milestone", label: "Expansion, Next Milestone" },
  whom_to_reach: { name: "expansion_whom_to_reach", label: "Expansion, Whom To Reach" },
  brief: { name: "expansion_brief", label: "Expansion Brief" },
  scored_at: { name: "expansion_scored_at", label: "Expansion Scored At" },
  data_as_of: { name: "expansion_data_as_of", label: "Expansion Data As Of" },
  model_version: { name: "expansion_model_version", label: "Expansion Model Version" },
  status: { name: "expansion_status", label: "Expansion Status" },
  not_before: { name: "expansion_not_before", label: "Expansion Not Before" },
  csm_call: { name: "expansion_csm_call", label: "Expansion, CSM's Call" },
  opt_out: { name: "expansion_opt_out", label: "Expansion Opt-Out" },
  feedback: { name: "expansion_feedback", label: "Expansion Feedback" },
} as const;

export type Key = keyof typeof FIELDS;

export const ACCESS = [
  { name: "Read Scores", text: "Sees how likely an account expands, what to offer and when. For whoever owns accounts.", view: ["score", "change", "like_this", "tier", "probability", "play", "product", "product_2", "timing", "health", "priority", "scored_at", "data_as_of", "status", "not_before", "opt_out"], edit: [] },
  { name: "Read Reasons", text: "Sees the reasons for and against, what moved the score, the brief and whom to reach. They name people and figures of their usage.", view: ["reason_1", "reason_2", "reason_3", "against_1", "against_2", "reason_codes", "why_moved", "next_milestone", "whom_to_reach", "brief"], edit: [] },
  { name: "Read Amounts", text: "Sees the ARR that an expansion would add, account by account. For whoever weighs accounts against each other.", view: ["expected_arr", "arr_low", "arr_high"], edit: [] },
  { name: "Give Feedback", text: "Says where the conversation stands, what the score is worth, and which accounts to leave alone.", view: [], edit: ["status", "not_before", "csm_call", "opt_out", "feedback"] },
  { name: "Read Forecast", text: "Sees what ARR to expect of expansions in which quarter, of every account. For forecasts.", view: ["probability", "expected_arr", "arr_low", "arr_high", "arr_quarter_1", "arr_quarter_2", "arr_quarter_3", "arr_quarter_4", "timing", "data_as_of"], edit: [] },
  { name: "Configure", text: "Sees everything that Upswell writes, and fills in what people fill in. For RevOps.", view: ["score", "tier", "probability", "expected_arr", "arr_low", "arr_high", "arr_quarter_1", "arr_quarter_2", "arr_quarter_3", "arr_quarter_4", "play", "product", "product_2", "timing", "health", "priority", "reason_1", "reason_2", "reason_3", "against_1", "against_2", "reason_codes", "change", "why_moved", "like_this", "next_milestone", "whom_to_reach", "brief", "scored_at", "data_as_of", "model_version"], edit: ["status", "not_before", "csm_call", "opt_out", "feedback"] },
] as const satisfies readonly Access[];

export interface Access {
  readonly name: string;
  readonly text: string;
  readonly view: readonly Key[];
  readonly edit: readonly Key[];
}
