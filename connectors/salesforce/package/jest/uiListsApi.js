/** Stands in for `lightning/uiListsApi`, as the kit's own modules do for others. */
import { createLdsTestWireAdapter } from '@salesforce/wire-service-jest-util';

export const getListRecordsByName = createLdsTestWireAdapter(jest.fn());
