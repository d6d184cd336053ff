/** `lightning/uiListsApi` over the page's accounts. */
import { adapter } from './adapter.js';
import { asRecord } from './records.js';
import { GIVEN } from '../given.js';

export const getListRecordsByName = adapter(({ optionalFields }) => ({
    data: { records: GIVEN.accounts.map((account) => asRecord(account, optionalFields)), nextPageToken: null },
}));
