import { READ, editableOf, viewOf } from 'c/expansionView';
import { account, emptyAccount, objectInfo } from '../../../../../../jest/account';

const view = (record) => viewOf(record, 'USD', '2026-11-27');

describe('what the panel shows of a record', () => {
    it('asks for every field by the name of its object, and for the currency', () => {
        expect(READ).toContain('Account.Expansion_Score__c');
        expect(READ).toContain('Account.CurrencyIsoCode');
        expect(READ.every((name) => name.startsWith('Account.'))).toBe(true);
    });

    it.each([
        ['scored', account()],
        ['scored', account({ score: 0 })],
        ['not_scored', emptyAccount()],
        ['not_enough_data', account({ tier: 'not_enough_data' })],
        ['no_access', account({}, ['score'])],
    ])('is %s', (state, record) => {
        expect(view(record).state).toBe(state);
    });

    it('gives no number where the data are not enough for one', () => {
        expect(view(account({ tier: 'not_enough_data', score: 12 })).score).toBeNull();
    });

    it('turns stale after 14 days, not on the 14th', () => {
        expect(view(account({ data_as_of: '2026-11-13' })).stale).toBeNull();
        expect(view(account({ data_as_of: '2026-11-12' })).stale).toEqual({ day: 'Nov 12, 2026', days: '15' });
    });

    it("takes the record's own currency before the org's", () => {
        expect(view(account({ CurrencyIsoCode: 'EUR' })).arr.expected).toBe('€17,001');
        expect(view(account()).arr.expected).toBe('$17,001');
    });

    it('tells a field that may not be read from one without a value', () => {
        expect(view(account({}, ['reason_1'])).reasons).toBeNull();
        expect(view(emptyAccount()).reasons).toEqual({ for: [], against: [] });
    });

    it("knows an option by key and by label, and shows the org's own label", () => {
        expect(view(account({ tier: 'Very high' })).tier.key).toBe('very_high');
        const record = account();
        record.fields.Expansion_Timing__c = { value: 'd30', displayValue: 'This month' };
        expect(view(record).timing).toMatchObject({ key: 'd30', label: 'This month' });
        expect(view(account()).timing.label).toBe('Within 30 days');
    });

    it('shows a value that it does not know as it is', () => {
        expect(view(account({ play: 'renew_early' })).play).toMatchObject({ label: 'renew_early', hint: null });
    });

    it.each([
        [8, 'up', '+8 since the last scoring'],
        [-3, 'down', '−3 since the last scoring'],
        [0, 'none', 'No change since the last scoring'],
    ])('says a change of %d points', (change, direction, text) => {
        expect(view(account({ change })).change).toMatchObject({ direction, text });
    });

    it('lets a user edit what the object info says, and nothing before it is there', () => {
        expect(editableOf(objectInfo(['feedback', 'status']))).toEqual(['feedback', 'status']);
        expect(editableOf(undefined)).toEqual([]);
        expect(editableOf({ ...objectInfo(), updateable: false })).toEqual([]);
    });
});
