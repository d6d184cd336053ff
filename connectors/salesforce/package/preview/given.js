/** What the page says of the account, the user and the place: `window.UPSWELL_PREVIEW`. */
export const GIVEN = Object.freeze({
    record: { id: '001000000000001AAA', name: 'Account', object: 'Account' },
    fields: {},
    editable: [],
    accounts: [],
    locale: 'en-US',
    currency: 'USD',
    formFactor: 'Large',
    place: 'record',
    ...window.UPSWELL_PREVIEW,
});
