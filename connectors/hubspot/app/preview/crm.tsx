import type { CrmPropertyListProps, useCrmProperties as real } from '@hubspot/ui-extensions/crm';
import { useSyncExternalStore } from 'react';

import { FIELDS } from '../src/app/settings/fields';
import { FIELDS as SHOWN } from '../src/app/cards/fields';
import { change, now, preview, watch } from './record';

const FIELDS_BY_NAME = new Map<string, { readonly label: string; readonly options?: Readonly<Record<string, string>> }>([
  ...Object.values(FIELDS).map((field) => [field.name, field] as const),
  ...Object.values(SHOWN).map((field) => [field.name, field] as const),
]);
const AMOUNTS = new Set<string>([FIELDS.expected_arr.name, FIELDS.arr_low.name, FIELDS.arr_high.name]);

/** A cell as HubSpot formats it for its user. */
export function formatted(name: string, value: string | null): string | null {
  if (value === null || value === '') return value;
  if (AMOUNTS.has(name)) {
    return new Intl.NumberFormat(preview.locale, { style: 'currency', currency: preview.currency }).format(Number(value));
  }
  if (name === FIELDS.scored_at.name || name === FIELDS.data_as_of.name) {
    const moment = new Date(/^\d+$/.test(value) ? Number(value) : value);
    return new Intl.DateTimeFormat(preview.locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(moment);
  }
  return FIELDS_BY_NAME.get(name)?.options?.[value] ?? value;
}

/** The record's properties in this page, those that are readable. */
export const useCrmProperties: typeof real = (names, options) => {
  const cells = useSyncExternalStore(watch, now);
  const wanted = names.filter((name) => name in cells);
  const format = options?.propertiesToFormat ?? [];
  return {
    properties: Object.fromEntries(
      wanted.map((name) => {
        const value = cells[name] ?? null;
        return [name, format === 'all' || format.includes(name) ? formatted(name, value) : value];
      }),
    ),
    error: preview.fault === 'network' ? new Error('Failed to fetch') : null,
    isLoading: preview.fault === 'loading',
    isRefetching: false,
    refetch: async () => {},
  };
};

/** Properties that are edited in place, as on the record itself. */
export function CrmPropertyList({ properties }: CrmPropertyListProps) {
  const cells = useSyncExternalStore(watch, now);
  return (
    <div className="propertylist">
      {properties
        .filter((name) => name in cells)
        .map((name) => (
          <label key={name}>
            <span>{FIELDS_BY_NAME.get(name)?.label ?? name}</span>
            <Cell name={name} value={cells[name] ?? ''} />
          </label>
        ))}
    </div>
  );
}

function Cell({ name, value }: { name: string; value: string }) {
  const options = FIELDS_BY_NAME.get(name)?.options ?? (name === FIELDS.opt_out.name ? { true: 'Yes', false: 'No' } : undefined);
  const rest = { value, disabled: !preview.editable.includes(name) };
  if (options === undefined) {
    return <input type="date" {...rest} onChange={(event) => change({ [name]: event.target.value })} />;
  }
  return (
    <select {...rest} onChange={(event) => change({ [name]: event.target.value })}>
      <option value="">--</option>
      {Object.entries(options).map(([key, label]) => (
        <option key={key} value={key}>
          {label}
        </option>
      ))}
    </select>
  );
}
