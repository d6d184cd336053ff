/** The user's language as Intl takes it, British English where HubSpot names none that it knows. */
export function language(named: string | undefined): string {
  try {
    return Intl.getCanonicalLocales(named?.replace('_', '-') ?? 'en-GB')[0] ?? 'en-GB';
  } catch {
    return 'en-GB';
  }
}

/** A day as "1 Nov 2026"; days have no zone. */
export const day = (date: Date, locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(date);

/** A moment in the account's own zone, the zone beside it. */
export function moment(date: Date, locale: string, zone: string): string {
  const style = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const;
  try {
    return new Intl.DateTimeFormat(locale, { ...style, timeZone: zone }).format(date);
  } catch {
    return new Intl.DateTimeFormat(locale, { ...style, timeZone: 'UTC' }).format(date);
  }
}

/** "+8 since the last scoring"; null when it did not move. */
export const moved = (points: number | null): string | null =>
  points === null || points === 0 ? null : `${points > 0 ? '+' : '−'}${Math.abs(points)} since the last scoring`;
