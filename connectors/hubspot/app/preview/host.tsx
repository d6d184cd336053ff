// What HubSpot's page around a card gives it: context, actions, search, and a place to stand.
import type { useCrmSearch as realSearch } from '@hubspot/ui-extensions';
import { StrictMode, type ReactElement, useSyncExternalStore } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';

import { FIELDS } from '../src/app/settings/fields';
import { formatted } from './crm';
import { now, preview, watch } from './record';

const root = createRoot(document.getElementById('panel') as HTMLElement);

export const hubspot = {
  extend: (component: () => ReactElement) => {
    const Card = component;
    const settings = preview.place === 'settings';
    flushSync(() =>
      root.render(
        <StrictMode>
          <section className={settings ? 'page' : `card ${preview.place}`} aria-labelledby="title">
            <h2 id="title">{settings ? 'Upswell' : 'Expansion'}</h2>
            <Card />
            <div id="alerts" role="status" />
          </section>
        </StrictMode>,
      ),
    );
    document.documentElement.dataset['ready'] = 'true';
  },
};

export const useExtensionContext = () => ({
  crm: { objectId: Number(preview.record.id), objectTypeId: '0-2' },
  user: { locale: preview.locale },
  portal: { id: 1, timezone: preview.timezone ?? 'UTC' },
});

interface Told {
  readonly title?: string;
  readonly message: string;
}

export const useExtensionActions = () => ({
  addAlert: ({ title, message }: Told) => {
    const place = document.getElementById('alerts');
    if (place !== null) place.textContent = title === undefined ? message : `${title}: ${message}`;
  },
  copyTextToClipboard: (text: string) => navigator.clipboard.writeText(text),
  refreshObjectProperties: () => {},
});

/** The company that was scored last, which in this page is the only one. */
export const useCrmSearch: typeof realSearch = (request, options) => {
  const cells = useSyncExternalStore(watch, now);
  const scored = cells[FIELDS.scored_at.name];
  const format = options?.propertiesToFormat ?? [];
  const properties = Object.fromEntries(
    (request.properties ?? [])
      .filter((name) => name in cells)
      .map((name) => {
        const value = cells[name] ?? null;
        return [name, format === 'all' || format.includes(name) ? formatted(name, value) : value];
      }),
  );
  const missing = !(FIELDS.scored_at.name in cells);
  return {
    results: scored ? [{ objectId: Number(preview.record.id), properties }] : [],
    total: preview.status?.scored ?? (scored ? 1 : 0),
    error: missing ? new Error(`Property "${FIELDS.scored_at.name}" does not exist.`) : null,
    isLoading: preview.fault === 'loading',
    isRefetching: false,
    pagination: {
      hasNextPage: false,
      hasPreviousPage: false,
      currentPage: 1,
      pageSize: 1,
      nextPage: () => {},
      previousPage: () => {},
      reset: () => {},
    },
    refetch: async () => {},
  };
};
