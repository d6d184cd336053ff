// The page's day is the record's, not the visitor's: a preview of last year's demo is not stale.
import { preview } from './record';
import style from './style.css?inline';

const Real = Date;
const today = new Real(`${preview.today}T12:00:00Z`).getTime();
globalThis.Date = class extends Real {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(today);
    else super(...(given as [number]));
  }
  static override now = (): number => today;
} as DateConstructor;

const sheet = document.createElement('style');
sheet.textContent = style;
document.head.append(sheet);

// each of them shows itself as it loads, as it does in HubSpot
const entries = {
  settings: () => import('../src/app/settings/Settings'),
  sidebar: () => import('../src/app/cards/ExpansionSidebar'),
  tab: () => import('../src/app/cards/ExpansionTab'),
};
const { place } = preview;
void entries[place === 'settings' || place === 'sidebar' ? place : 'tab']();
