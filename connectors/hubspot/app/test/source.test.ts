import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { amount, momentIn } from '../src/app/cards/company';
import { language, moment } from '../src/app/cards/wording';
import { properties } from './company';

const APP = fileURLToPath(new URL('../src/app', import.meta.url));

it('imports nothing from outside its folder, which HubSpot packages alone', () => {
  for (const folder of ['cards', 'settings']) {
    const files = readdirSync(join(APP, folder)).filter((name) => /\.tsx?$/.test(name));
    expect(files).not.toHaveLength(0);
    for (const name of files) {
      const file = join(APP, folder, name);
      for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
        const inside = !from.startsWith('.') || !relative(join(APP, folder), resolve(dirname(file), from)).startsWith('..');
        expect(inside, `${folder}/${name} imports ${from}`).toBe(true);
      }
    }
  }
});

it.each([
  ['$17,001.40', '$17,001'],
  ['17.001,40 €', '17.001 €'],
  ['€17,001', '€17,001'],
  ['¥17,001', '¥17,001'],
  ['CHF 1’250.5', 'CHF 1’250'],
  ['R$ 950', 'R$ 950'],
])('leaves the cents of %s out', (shown, expected) => {
  const kept = properties();
  expect(amount({ kept, shown: { expansion_expected_arr: shown } }, 'expected_arr')).toBe(expected);
});

it.each([
  ['17001.6', '$17,001.60', '$17,002'],
  ['19565.98', '19.565,98 €', '19.566 €'],
  ['999.6', '$999.60', '$999'], // a digit more would need HubSpot's own separators
  ['17001.4', 'R$ 950', 'R$ 950'],
])('rounds %s, shown as %s', (expected_arr, shown, expected) => {
  const kept = properties({ expected_arr });
  expect(amount({ kept, shown: { expansion_expected_arr: shown } }, 'expected_arr')).toBe(expected);
});

it.each(['1793491200000', '2026-11-01', '2026-11-01T00:00:00Z'])('reads the day %s', (text) => {
  const kept = properties({ data_as_of: text });
  expect(momentIn({ kept, shown: {} }, 'data_as_of')?.toISOString()).toBe('2026-11-01T00:00:00.000Z');
});

it("speaks the user's language, and British English where HubSpot names none", () => {
  expect(['de', 'pt_BR', 'en-us', undefined, 'no such tongue'].map(language)).toEqual(['de', 'pt-BR', 'en-US', 'en-GB', 'en-GB']);
});

it("tells times in the account's zone, and in UTC where that is unknown", () => {
  const at = new Date('2026-11-02T05:12:00Z');
  expect(moment(at, 'en-GB', 'America/New_York')).toContain('00:12');
  expect(moment(at, 'en-GB', 'Nowhere/Land')).toContain('05:12 UTC');
});
