import { FIELDS, type Key } from '../src/app/cards/fields';

/** The cells of a company that is worth a talk, as HubSpot's API gives them. */
const CELLS: Readonly<Record<Key, string | null>> = {
  score: '63',
  tier: 'very_high',
  expected_arr: '17001.4',
  arr_low: '11914',
  arr_high: '44388',
  play: 'expand',
  product: 'Additional Seats',
  product_2: 'Plan Upgrade',
  timing: 'now',
  health: 'green',
  reason_1: 'Seats 96 % used (usage, 1 Nov)',
  reason_2: 'The team alone fills 91 % of the seats (events, 1 Nov)',
  reason_3: 'Usage up 83 % on the three months before (events, 1 Nov)',
  against_1: 'No meeting for 154 days (activities, 1 Jun)',
  against_2: 'Tickets rated 2.9 of 5 (tickets, 28 Oct)',
  change: '8',
  why_moved: 'Usage up (+6), meetings (−2)',
  like_this: 'Of 61 accounts scored alike, 38 expanded (62 %)',
  next_milestone: 'SSO set up',
  whom_to_reach: 'Talk to Björn Lindqvist, Managing Director',
  brief: 'Open with:\nYour plan has 76 seats.\n\nWhy now:\n- 96 % used\n- usage is up\n\nYour ask:\nOffer a date.',
  scored_at: '2026-11-02T05:12:00.000Z',
  data_as_of: '1793491200000',
  model_version: '2026.11.02-1',
  status: null,
  not_before: null,
  csm_call: 'agree',
  opt_out: 'false',
  feedback: 'useful',
};

/** Those cells by HubSpot's names, with some changed by our key; `undefined` is a property that may not be read. */
export function properties(changed: Partial<Record<Key, string | null | undefined>> = {}): Record<string, string | null> {
  const cells = { ...CELLS, ...changed };
  const named = (Object.keys(cells) as Key[]).map((key) => [FIELDS[key].name, cells[key]] as const);
  return Object.fromEntries(named.filter((pair): pair is [(typeof pair)[0], string | null] => pair[1] !== undefined));
}

/** Every property is readable, and every cell empty. */
export const empty = (): Record<string, string | null> =>
  Object.fromEntries(Object.values(FIELDS).map((field) => [field.name, null]));
