/**
 * What the panel shows of a record, and in which state.
 *
 * A field that the user may not read is absent from the record; one without a value is null. The two are told
 * apart everywhere: absent means "ask for the permission", null means "nothing was written".
 */
import { FIELDS, OBJECT, OPTIONS } from 'c/expansionFields';
import { day, daysBetween, moment, money, signed, wholeNumber } from 'c/expansionFormat';
import { FOOTER, PLAY_HINTS, SCORE, TIMINGS } from 'c/expansionLabels';

export const CURRENCY_FIELD = 'CurrencyIsoCode'; // only orgs with several currencies have it
const STALE_AFTER_DAYS = 14;
const PEOPLE = ['feedback', 'status', 'not_before', 'csm_call', 'opt_out'];

/** The one field that whoever sees an account may read: `getRecord` wants one that is not optional. */
export const ALWAYS_READ = Object.freeze([`${OBJECT}.Name`]);

/** What to ask Salesforce for: all of it optional, so that a missing permission is no error. */
export const READ = Object.freeze([...Object.values(FIELDS), CURRENCY_FIELD].map((name) => `${OBJECT}.${name}`));

/** The view of a record as UI API gives it; `currency` is the org's, for records that don't name their own. */
export function viewOf(record, currency, today) {
    const read = readerOf(record);
    const tier = read.option('tier');
    const state = stateOf(read, tier);
    const dataAsOf = read.value('data_as_of');
    const age = dataAsOf ? daysBetween(dataAsOf, today) : 0;
    return {
        state,
        optedOut: read.value('opt_out') === true,
        stale: age > STALE_AFTER_DAYS ? { day: day(dataAsOf), days: wholeNumber(age) } : null,
        score: state === 'scored' ? read.value('score') : null,
        tier,
        change: changeOf(read),
        arr: arrOf(read, record.fields[CURRENCY_FIELD]?.value ?? currency),
        hidesArr: !read.has('expected_arr'),
        play: hinted(read.option('play')),
        product: read.value('product') ?? null,
        product2: read.value('product_2') ?? null,
        timing: timingOf(read.option('timing')),
        health: read.option('health'),
        reasons: reasonsOf(read),
        likeThis: read.value('like_this') ?? null,
        milestone: read.value('next_milestone') ?? null,
        reach: read.value('whom_to_reach') ?? null,
        brief: read.value('brief') ?? null,
        sources: sourcesOf(read),
        people: Object.fromEntries(PEOPLE.map((key) => [key, read.option(key) ?? null])),
    };
}

/** Keys of the people's fields that this user may edit, by the object info of Account: none without edit on it. */
export function editableOf(objectInfo) {
    if (!objectInfo?.updateable) {
        return [];
    }
    return PEOPLE.filter((key) => objectInfo.fields[FIELDS[key]]?.updateable === true);
}

function stateOf(read, tier) {
    if (!read.has('score')) {
        return 'no_access';
    }
    if (tier?.key === 'not_enough_data') {
        return 'not_enough_data';
    }
    return (read.value('score') ?? null) === null ? 'not_scored' : 'scored';
}

function changeOf(read) {
    const points = read.value('change') ?? null;
    const why = read.value('why_moved') ?? null;
    if (points === null) {
        return why === null ? null : { direction: 'none', text: null, why };
    }
    if (points === 0) {
        return { direction: 'none', text: SCORE.unmoved, why };
    }
    const said = signed(points);
    return { direction: points > 0 ? 'up' : 'down', text: SCORE.since(said), short: said, why };
}

function arrOf(read, currency) {
    const expected = money(read.value('expected_arr'), currency);
    if (expected === null) {
        return null;
    }
    const [low, high] = [money(read.value('arr_low'), currency), money(read.value('arr_high'), currency)];
    return { expected, range: low !== null && high !== null ? SCORE.range(low, high) : null };
}

function hinted(play) {
    return play && { ...play, hint: PLAY_HINTS[play.key] ?? null };
}

/** "30 days" alone doesn't say of what; an admin's own label is left as it is. */
function timingOf(timing) {
    if (!timing || timing.label !== OPTIONS.timing[timing.key]) {
        return timing;
    }
    return { ...timing, label: TIMINGS[timing.key] };
}

function reasonsOf(read) {
    if (!read.has('reason_1')) {
        return null;
    }
    const told = (...keys) => keys.map(read.value).filter((sentence) => sentence);
    return {
        for: told('reason_1', 'reason_2', 'reason_3'),
        against: told('against_1', 'against_2'),
    };
}

function sourcesOf(read) {
    const said = (write, value) => (value ? write(value) : null);
    return [
        said(FOOTER.dataAsOf, day(read.value('data_as_of'))),
        said(FOOTER.scoredAt, moment(read.value('scored_at'))),
        said(FOOTER.model, read.value('model_version')),
    ].filter((part) => part);
}

/** Reads by our key. Picklists give their key and the label that the org shows for it. */
function readerOf(record) {
    const cell = (key) => record.fields[FIELDS[key]];
    return {
        has: (key) => cell(key) !== undefined,
        value: (key) => cell(key)?.value,
        option: (key) => {
            const value = cell(key)?.value ?? null;
            const options = OPTIONS[key];
            if (value === null || options === undefined) {
                return value;
            }
            // RevOps may map a picklist of their own, which holds our labels in place of our keys
            const known = Object.keys(options).find((each) => each === value || options[each] === value);
            return { key: known ?? value, value, label: cell(key).displayValue ?? options[known] ?? value };
        },
    };
}
