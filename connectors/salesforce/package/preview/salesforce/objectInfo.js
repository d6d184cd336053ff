/** `lightning/uiObjectInfoApi`: which of the page's fields the user may read, and which edit. */
import { adapter } from './adapter.js';
import { GIVEN } from '../given.js';

export const getObjectInfo = adapter(() => {
    const seen = [GIVEN.fields, ...GIVEN.accounts.map((account) => account.fields)].flatMap(Object.keys);
    const fields = [...new Set([...seen, ...GIVEN.editable])].map((name) => [
        name,
        { apiName: name, updateable: GIVEN.editable.includes(name) },
    ]);
    return { data: { apiName: 'Account', updateable: true, fields: Object.fromEntries(fields) } };
});
