import { day, daysBetween, moment, money, plusDays, signed, today, wholeNumber } from 'c/expansionFormat';

describe('numbers and dates as the locale writes them', () => {
    it('writes amounts in whole units of their currency', () => {
        expect(money(17001.4, 'USD')).toBe('$17,001');
        expect(money(17001.5, 'EUR')).toBe('€17,002');
        expect(money(0, 'JPY')).toBe('¥0');
    });

    it('writes a change with its sign, a true minus, and none on zero', () => {
        expect(signed(8)).toBe('+8');
        expect(signed(-1100)).toBe('−1,100');
        expect(signed(0)).toBe('0');
        expect(signed(-0.4)).toBe('0');
    });

    it('writes a calendar day as the same day in every time zone', () => {
        expect(day('2026-01-01')).toBe('Jan 1, 2026');
        expect(day('2026-12-31')).toBe('Dec 31, 2026');
    });

    it("writes a moment in the user's time zone, which is Los Angeles in the kit", () => {
        expect(moment('2026-11-26T04:10:00.000Z').replace(/\s/g, ' ')).toBe('Nov 25, 2026, 8:10 PM');
    });

    it("knows today in the user's time zone", () => {
        Date.now.mockReturnValue(Date.parse('2026-11-27T03:00:00Z'));
        expect(today()).toBe('2026-11-26');
    });

    it('writes nothing of nothing', () => {
        [wholeNumber, signed, (each) => money(each, 'USD'), day, moment].forEach((write) => {
            expect(write(null)).toBeNull();
            expect(write(undefined)).toBeNull();
        });
    });

    it.each(['2026-01-31', '2024-02-28', '2026-03-28', '2026-10-24', '2026-12-31'])(
        'adds days to %s that it counts again, over ends of months and changes of clocks',
        (start) => {
            [0, 1, 2, 30, 365].forEach((days) => {
                expect(daysBetween(start, plusDays(start, days))).toBe(days);
            });
        }
    );
});
