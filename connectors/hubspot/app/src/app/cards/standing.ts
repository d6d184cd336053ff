import { cell, type Company, momentIn, numberIn, readable } from './company';

/** What there is to show of a company. */
export type Standing = 'hidden' | 'optedOut' | 'unscored' | 'littleData' | 'scored';

/** After so many days without newer data the card warns. */
export const STALE_DAYS = 14;
const DAY = 86_400_000;

/** What there is to show of this company to this user. */
export function standing(company: Company): Standing {
  if (!readable(company, 'score')) return 'hidden';
  if (cell(company, 'opt_out') === 'true') return 'optedOut';
  if (cell(company, 'tier') === 'not_enough_data') return 'littleData';
  return numberIn(company, 'score') === null ? 'unscored' : 'scored';
}

/** How many whole days old the data is, when that is too old; null when it is not, or the day is unknown. */
export function staleDays(company: Company, now: Date): number | null {
  const day = momentIn(company, 'data_as_of');
  const days = day === null ? 0 : Math.floor((now.getTime() - day.getTime()) / DAY);
  return days > STALE_DAYS ? days : null;
}
