import { FIELDS, type Key } from './fields';

/** HubSpot's properties by name: text, or null where the cell is empty. */
export type Properties = Readonly<Record<string, string | null>>;

/** One company's cells: as they are kept, and as HubSpot shows them to this user. */
export interface Company {
  readonly kept: Properties;
  readonly shown: Properties;
}

/** Whether this user may read the property. HubSpot leaves out what one may not. */
export const readable = (company: Company, key: Key): boolean => FIELDS[key].name in company.kept;

/** The cell as it is kept; null when it is empty or may not be read. */
export const cell = (company: Company, key: Key): string | null =>
  company.kept[FIELDS[key].name]?.trim() || null;

/** The cell as a number; null when it holds none. */
export function numberIn(company: Company, key: Key): number | null {
  const text = cell(company, key);
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The cell as a moment. HubSpot gives ISO times, or milliseconds since 1970. */
export function momentIn(company: Company, key: Key): Date | null {
  const text = cell(company, key);
  if (text === null) return null;
  const moment = new Date(/^-?\d+$/.test(text) ? Number(text) : text);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** What a choice is called: as the admin named it, else as we did. */
export function choice(company: Company, key: Key): string | null {
  const value = cell(company, key);
  if (value === null) return null;
  const field = FIELDS[key];
  const ours: Readonly<Record<string, string>> = 'options' in field ? field.options : {};
  const named = company.shown[field.name];
  return named && named !== value ? named : (ours[value] ?? value);
}

/** An amount as HubSpot writes it in the account's currency, in whole units; null when there is none. */
export function amount(company: Company, key: Key): string | null {
  const value = cell(company, key);
  if (value === null) return null;
  const shown = company.shown[FIELDS[key].name] ?? value;
  const whole = shown.replace(/[.,]\d{1,2}(?!\d)(?=\D*$)/, '');
  const [held, rounded] = [whole.replace(/\D/g, ''), String(Math.round(Math.abs(Number(value))))];
  if (held.length !== rounded.length || Number(rounded) - Number(held) !== 1) return whole;
  let at = 0; // one more than what HubSpot's text says without its cents, its separators as they are
  return whole.replace(/\d/g, () => rounded.charAt(at++));
}
