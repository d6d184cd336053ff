import { Alert, DescriptionListItem, ErrorState, Link, LoadingSpinner, TableRow } from '@hubspot/ui-extensions';
import { createRenderer } from '@hubspot/ui-extensions/testing';
import { afterEach, expect, it, vi } from 'vitest';

import { ACCESS, FIELDS } from '../src/app/settings/fields';
import { Settings } from '../src/app/settings/Settings';
import { host, textOf } from './host';

const NAMES = Object.values(FIELDS).map((field) => field.name);

const search = vi.fn();

/** The settings page once HubSpot's search has given this. */
async function page(found: object) {
  search.mockReset().mockResolvedValue({ json: async () => found });
  host({ fetchCrmSearch: search });
  const renderer = createRenderer('settings');
  renderer.render(<Settings />);
  await renderer.waitFor(() => expect(renderer.maybeFind(LoadingSpinner)).toBeNull());
  return renderer;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

const NONE = { data: { results: [], total: 0, hasMore: false } };

const scored = (names: string[]) => {
  const properties = Object.fromEntries(names.map((name) => [name, name === FIELDS.scored_at.name ? '2 Nov 2026' : null]));
  return { data: { results: [{ objectId: 1, properties }], total: 1546, hasMore: true } };
};

it('asks for the company that was scored last', async () => {
  await page(NONE);
  expect(search.mock.calls[0]?.[0]).toMatchObject({
    objectType: 'companies',
    sorts: [{ propertyName: 'expansion_scored_at', direction: 'DESCENDING' }],
    pageLength: 1,
  });
});

it('tells the last scoring, how many companies have one, and that every property is there', async () => {
  const { findAll, maybeFind } = await page(scored(NAMES));
  const told = Object.fromEntries(findAll(DescriptionListItem).map((item) => [item.props.label, textOf(item)]));
  expect(told).toMatchObject({
    'Last scoring': '2 Nov 2026',
    'Companies scored': '1546',
    Properties: `${NAMES.length} of ${NAMES.length}`,
  });
  expect(maybeFind(Alert)).toBeNull();
});

it('names the properties that are missing, and the command that makes them', async () => {
  const { find } = await page(scored(NAMES.filter((name) => name !== FIELDS.brief.name)));
  expect(textOf(find(Alert))).toContain('Expansion Brief.');
  expect(textOf(find(Alert))).toContain('upswell install');
});

it('says that nothing is scored yet', async () => {
  expect((await page(NONE)).find(Alert).props.title).toBe('No company is scored yet');
});

it("gives HubSpot's words and a way out when the properties are not there", async () => {
  const { find } = await page({ error: 'Property "expansion_scored_at" does not exist.' });
  expect(textOf(find(ErrorState))).toContain('does not exist');
  expect(textOf(find(ErrorState))).toContain('upswell install');
});

it('says that it looks', async () => {
  host({ fetchCrmSearch: () => new Promise(() => {}) });
  const renderer = createRenderer('settings');
  renderer.render(<Settings />);
  expect(renderer.find(LoadingSpinner).props.label).toBe('Looking for scores');
});

it('tells which properties belong together, and where their access is given', async () => {
  const { findAll, find } = await page(NONE);
  const rows = findAll(TableRow).map(textOf);
  expect(rows).toHaveLength(1 + ACCESS.length);
  const reasons = rows.find((row) => row.startsWith('Read Reasons'));
  expect(reasons).toContain('View: Expansion Reason 1');
  expect(rows.at(-1)).toContain('All of them.');
  expect(find(Link).props.href).toMatch(/^\/property-settings\/\d+\/properties/);
});
