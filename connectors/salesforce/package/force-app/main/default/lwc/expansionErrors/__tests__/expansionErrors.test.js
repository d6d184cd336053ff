import { explain } from 'c/expansionErrors';
import { ERRORS } from 'c/expansionLabels';

const wrapped = (errors, fieldErrors = {}) => ({
    status: 400,
    body: { message: 'An error occurred while trying to update the record.', output: { errors, fieldErrors } },
});

describe('errors of Salesforce in words', () => {
    it("tells a validation rule's own words, not the sentence around them", () => {
        const told = explain(
            wrapped([{ errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'Renewal manager must be set' }])
        );
        expect(told).toEqual({ what: 'Renewal manager must be set.', fix: ERRORS.fixes.rule });
    });

    it('tells errors of single fields', () => {
        const field = [{ errorCode: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', message: 'bad value: useful' }];
        expect(explain(wrapped([], { Expansion_Feedback__c: field }))).toEqual({
            what: 'bad value: useful.',
            fix: ERRORS.fixes.picklist,
        });
    });

    it.each([
        ['INSUFFICIENT_ACCESS_OR_READONLY', ERRORS.fixes.access],
        ['ENTITY_IS_DELETED', ERRORS.fixes.gone],
        ['ENTITY_IS_LOCKED', ERRORS.fixes.locked],
        ['SOMETHING_NEW', ERRORS.fixes.other],
    ])('says what to do about %s', (errorCode, fix) => {
        expect(explain({ status: 403, body: { errorCode, message: 'No.' } })).toEqual({ what: 'No.', fix });
        expect(explain({ status: 403, body: [{ errorCode, message: 'No.' }] })).toEqual({ what: 'No.', fix });
    });

    it('says that Salesforce was not reached, by whichever sign', () => {
        [new TypeError('Failed to fetch'), { status: 0 }, { statusText: 'Failed to fetch' }].forEach((error) => {
            expect(explain(error)).toEqual(ERRORS.offline);
        });
    });

    it('says that no reason was given rather than nothing', () => {
        expect(explain({ status: 500, body: {} })).toEqual({ what: ERRORS.unknown, fix: ERRORS.fixes.other });
        expect(explain(undefined)).toEqual({ what: ERRORS.unknown, fix: ERRORS.fixes.other });
    });
});
