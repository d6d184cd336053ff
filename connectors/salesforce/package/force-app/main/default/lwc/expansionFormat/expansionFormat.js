/** Numbers, amounts and dates as the user's locale writes them; null where there is nothing to write. */
import LOCALE from '@salesforce/i18n/locale';
import TIME_ZONE from '@salesforce/i18n/timeZone';

const MINUS = '−';
const MS_A_DAY = 24 * 60 * 60 * 1000;

export function wholeNumber(value) {
    return isEmpty(value) ? null : new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 }).format(value);
}

/** +8, −3 or 0: with a true minus, which a screen reader says and a narrow hyphen doesn't look like. */
export function signed(points) {
    if (isEmpty(points)) {
        return null;
    }
    const size = wholeNumber(Math.abs(points));
    if (size === wholeNumber(0)) {
        return size;
    }
    return `${points > 0 ? '+' : MINUS}${size}`;
}

/** An amount in whole units: cents of an ARR to come are no news. */
export function money(amount, currency) {
    if (isEmpty(amount)) {
        return null;
    }
    const style = { style: 'currency', currency, maximumFractionDigits: 0, minimumFractionDigits: 0 };
    return new Intl.NumberFormat(LOCALE, style).format(amount);
}

/** A calendar day (2026-11-20): the same day in every time zone. */
export function day(isoDate) {
    if (isEmpty(isoDate)) {
        return null;
    }
    return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' }).format(dayOf(isoDate));
}

/** A moment (2026-11-20T04:10:00Z) in the user's time zone. */
export function moment(isoMoment) {
    if (isEmpty(isoMoment)) {
        return null;
    }
    const style = { dateStyle: 'medium', timeStyle: 'short', timeZone: TIME_ZONE };
    return new Intl.DateTimeFormat(LOCALE, style).format(new Date(isoMoment));
}

/** Today in the user's time zone, as 2026-11-20. */
export function today() {
    // sv writes dates as ISO does
    return new Intl.DateTimeFormat('sv', { timeZone: TIME_ZONE }).format(new Date(Date.now()));
}

/** Whole days from one calendar day to another. */
export function daysBetween(from, to) {
    return Math.round((dayOf(to) - dayOf(from)) / MS_A_DAY);
}

/** The calendar day so many days after another one. */
export function plusDays(isoDate, days) {
    return new Date(dayOf(isoDate).getTime() + days * MS_A_DAY).toISOString().slice(0, 10);
}

function dayOf(isoDate) {
    return new Date(`${isoDate.slice(0, 10)}T00:00:00Z`);
}

function isEmpty(value) {
    return value === null || value === undefined || value === '';
}
