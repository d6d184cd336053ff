/** `lightning/uiRecordApi` over the page's one record, which is kept in memory. */
import { adapter, tellAll } from './adapter.js';
import { GIVEN } from '../given.js';

const held = { ...GIVEN.fields };
let hasFailed = false;

/** A record as UI API gives it; fields that are not asked for, or that the user may not read, are absent. */
export function asRecord({ id, name, fields }, asked) {
    const cells = { Name: name, ...fields };
    const readable = asked.map((each) => each.split('.')[1]).filter((each) => cells[each] !== undefined);
    return {
        id,
        apiName: 'Account',
        fields: Object.fromEntries(readable.map((each) => [each, { value: cells[each], displayValue: null }])),
    };
}

export const getRecord = adapter(({ optionalFields }) => {
    if (GIVEN.state === 'loading') {
        return null;
    }
    if (GIVEN.state === 'failed' && !hasFailed) {
        hasFailed = true; // what is asked again is answered
        return { error: { status: 0, statusText: 'Failed to fetch' } };
    }
    return { data: asRecord({ ...GIVEN.record, fields: held }, optionalFields) };
});

export function updateRecord({ fields }) {
    if (GIVEN.refuse) {
        return Promise.reject({ status: 400, body: GIVEN.refuse });
    }
    const { Id: ignored, ...values } = fields; // eslint-disable-line no-unused-vars
    Object.assign(held, values);
    tellAll();
    return Promise.resolve({});
}
