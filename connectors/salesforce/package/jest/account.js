/** An account as UI API gives it, and the object info of a user who may edit what people fill in. */
import { FIELDS, OPTIONS } from 'c/expansionFields';

export const VALUES = Object.freeze({
    score: 63,
    tier: 'very_high',
    change: 8,
    why_moved: 'Up 8 points since 2 Nov: more of the seats in use (+5)',
    expected_arr: 17001,
    arr_low: 11914,
    arr_high: 44388,
    play: 'expand',
    product: 'Additional Seats',
    product_2: 'Plan Upgrade',
    timing: 'd30',
    health: 'green',
    priority: 1,
    reason_1: 'Seats 96 % used (usage, 25 Nov)',
    reason_2: 'The team alone fills 91 % of the seats (events, 25 Nov)',
    reason_3: 'Usage up 83 % on the three months before (events, 25 Nov)',
    against_1: 'No meeting for 5 months (activities, 1 Jun)',
    against_2: null,
    like_this: '31 of 52 accounts scored 60–70 % expanded within 90 days',
    next_milestone: 'Departments that use the product: 4 or more (now 3)',
    whom_to_reach: 'Talk to Björn Lindqvist, Managing Director',
    brief: ['Open with:', 'The seats are nearly full.', '', 'What to propose:', 'Seats.', 'Your ask:', 'A date.'].join('\n'),
    scored_at: '2026-11-26T04:10:00.000Z',
    data_as_of: '2026-11-25',
    model_version: '2026.11.02-1',
    status: null,
    not_before: null,
    csm_call: null,
    opt_out: false,
    feedback: null,
});

/** What each permission set of Upswell shows beside the score. */
export const OF_REASONS = [
    ...['reason_1', 'reason_2', 'reason_3', 'against_1', 'against_2'],
    ...['why_moved', 'next_milestone', 'whom_to_reach', 'brief'],
];
export const OF_FORECAST = ['expected_arr', 'arr_low', 'arr_high'];
export const OF_PEOPLE = ['feedback', 'status', 'not_before', 'csm_call', 'opt_out'];

/** A record of these values by our key; keys in `hidden` are fields that the user may not read. */
export function account(values = {}, hidden = []) {
    const all = { ...VALUES, ...values };
    const shown = Object.keys(all).filter((key) => !hidden.includes(key));
    return {
        id: '001000000000001AAA',
        apiName: 'Account',
        fields: Object.fromEntries(
            shown.map((key) => [
                FIELDS[key] ?? key,
                { value: all[key], displayValue: OPTIONS[key]?.[all[key]] ?? null },
            ])
        ),
    };
}

/** An account whose every field is readable, and empty. */
export function emptyAccount(values = {}) {
    return account({ ...Object.fromEntries(Object.keys(VALUES).map((key) => [key, null])), opt_out: false, ...values });
}

export function objectInfo(editable = OF_PEOPLE, readable = Object.keys(FIELDS)) {
    const cells = readable.map((key) => [FIELDS[key], { updateable: editable.includes(key) }]);
    return { apiName: 'Account', updateable: true, fields: Object.fromEntries(cells) };
}

/** All that a reader of the page reads, shadow roots included, in order. */
export function wordsOf(node) {
    if (node.nodeType === Node.TEXT_NODE) {
        return node.textContent;
    }
    return insideOf(node).map(wordsOf).join(' ').replace(/\s+/g, ' ');
}

function insideOf(node) {
    if (node.tagName === 'SLOT') {
        return node.assignedNodes();
    }
    return [...(node.shadowRoot ?? node).childNodes];
}

/** The first element that fits, wherever in the shadow trees below. */
export function find(node, selector) {
    return findAll(node, selector)[0] ?? null;
}

export function findAll(node, selector) {
    const root = node.shadowRoot ?? node;
    const here = [...root.querySelectorAll(selector)];
    const below = [...root.querySelectorAll('*')].filter((each) => each.shadowRoot);
    return [...here, ...below.flatMap((each) => findAll(each, selector))];
}

/** Wires, promises and what they render. */
export async function settled() {
    for (let turn = 0; turn < 6; turn += 1) {
        await Promise.resolve(); // eslint-disable-line no-await-in-loop
    }
}
