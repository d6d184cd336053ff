import {
  Accordion,
  Alert,
  Button,
  DateInput,
  DescriptionListItem,
  EmptyState,
  ErrorState,
  LoadingSpinner,
  StatisticsItem,
  StatisticsTrend,
  StatusTag,
  Tag,
  Text,
} from '@hubspot/ui-extensions';
import { CrmPropertyList } from '@hubspot/ui-extensions/crm';
import type { FetchHubSpotApiRequest, FetchHubSpotApiResponse } from '@hubspot/ui-extensions/experimental/api-client';
import { createRenderer } from '@hubspot/ui-extensions/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FIELDS } from '../src/app/cards/fields';
import { Panel, type Place } from '../src/app/cards/Panel';
import { empty, properties } from './company';
import { host, textOf } from './host';

const api = vi.fn<(request: FetchHubSpotApiRequest) => Promise<FetchHubSpotApiResponse>>();
const OK = { status: 200, headers: {}, body: {} };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-03T12:00:00Z') });
  api.mockReset().mockResolvedValue(OK);
  host({ fetchHubSpotApi: api });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The card of a company with these properties, rendered; HubSpot formats an amount in euros. */
function card(kept: Record<string, string | null>, { place = 'tab' as Place, ...state } = {}) {
  const renderer = createRenderer('crm.record.tab');
  const refetch = vi.fn(async () => {});
  renderer.mocks.context.user.locale = 'en-gb';
  renderer.mocks.context.portal.timezone = 'America/New_York';
  renderer.mocks.useCrmProperties.willCall((names: string[], options) => ({
    properties: Object.fromEntries(
      names
        .filter((name) => name in kept)
        .map((name) => {
          const value = kept[name] ?? null;
          const euros = options?.propertiesToFormat?.includes(name) && /arr/.test(name) && value !== null;
          return [name, euros ? `€${Number(value).toLocaleString('en-GB', { minimumFractionDigits: 2 })}` : value];
        }),
    ),
    error: null,
    isLoading: false,
    isRefetching: false,
    refetch,
    ...state,
  }));
  renderer.render(<Panel place={place} />);
  const text = () => textOf(renderer.getRootNode());
  const button = (label: string) => renderer.find(Button, (node) => node.text === label);
  return { ...renderer, refetch, text, button };
}

describe('a scored company', () => {
  it('shows tier, score, its change and why, and what to expect with its range', () => {
    const { find, findAll, text } = card(properties());
    expect(find(Tag).text).toBe('Very high');
    expect(findAll(StatisticsItem).map((item) => item.props.number)).toEqual([63, '€17,001']);
    expect(find(StatisticsTrend).props).toMatchObject({ direction: 'increase', value: '+8 since the last scoring' });
    expect(text()).toContain('If it expands, €11,914 to €44,388 a year');
    expect(text()).toContain('Why it moved: Usage up (+6), meetings (−2)');
  });

  it('tells health by word and by colour', () => {
    const tag = card(properties({ health: 'red' })).find(StatusTag);
    expect([tag.text, tag.props.variant]).toEqual(['Health: Red', 'danger']);
  });

  it('points a fall down', () => {
    const { find } = card(properties({ change: '-11' }));
    expect(find(StatisticsTrend).props).toMatchObject({ direction: 'decrease', value: '−11 since the last scoring' });
  });

  it('shows no change where the score did not move', () => {
    expect(card(properties({ change: '0' })).maybeFind(StatisticsTrend)).toBeNull();
  });

  it.each(['tab', 'sidebar'] as const)('has every sentence in the %s', (place) => {
    const { text, findAll } = card(properties(), { place });
    for (const key of ['reason_1', 'reason_2', 'reason_3', 'against_1', 'against_2'] as const) {
      expect(text()).toContain(properties()[FIELDS[key].name]);
    }
    expect(text()).toContain('Play Expand Product Additional Seats Second product Plan Upgrade Timing Now');
    expect(findAll(DescriptionListItem).map((item) => [item.props.label, textOf(item)])).toEqual([
      ['Accounts like this', 'Of 61 accounts scored alike, 38 expanded (62 %)'],
      ['Next milestone', 'SSO set up'],
      ['Whom to reach', 'Talk to Björn Lindqvist, Managing Director'],
    ]);
    expect(text()).toContain('Data as of 1 Nov 2026 · scored 2 Nov, 00:12');
    expect(text()).toContain('model 2026.11.02-1');
  });

  it("calls a choice what the account's admin calls it", () => {
    const renderer = card(properties());
    renderer.mocks.useCrmProperties.willCall((_, options) => ({
      properties: options === undefined ? properties() : { [FIELDS.tier.name]: 'Sehr hoch' },
      error: null,
      isLoading: false,
      isRefetching: false,
      refetch: async () => {},
    }));
    renderer.render(<Panel place="sidebar" />);
    expect(renderer.find(Tag).text).toBe('Sehr hoch');
  });

  it('leaves out what is empty', () => {
    const { findAll, text } = card(properties({ product_2: null, like_this: null, against_1: null, against_2: null }));
    expect(findAll(DescriptionListItem)).toHaveLength(2);
    expect(text()).not.toContain('Second product');
    expect(text()).not.toContain('Against');
  });
});

describe('the brief', () => {
  it('begins with whole paragraphs of few lines, and shows all on demand', () => {
    const { text, button } = card(properties());
    expect(text()).toContain('Your plan has 76 seats.');
    expect(text()).not.toContain('Offer a date.');
    button('Show all').trigger('onClick');
    expect(text()).toContain('Offer a date.');
    button('Show less').trigger('onClick');
    expect(text()).not.toContain('Offer a date.');
  });

  it('is copied as it is kept, its line breaks too', async () => {
    const { button, mocks } = card(properties());
    button('Copy brief').trigger('onClick');
    await vi.waitUntil(() => mocks.actions.addAlert.calls.length);
    expect(mocks.actions.copyTextToClipboard.calls).toEqual([[properties()[FIELDS.brief.name]]]);
    expect(mocks.actions.addAlert.calls[0]?.[0]).toMatchObject({ type: 'success' });
  });

  it('says so when the browser does not let it be copied', async () => {
    const { button, mocks } = card(properties());
    mocks.actions.copyTextToClipboard.willCall(async () => Promise.reject(new Error('denied')));
    button('Copy brief').trigger('onClick');
    await vi.waitUntil(() => mocks.actions.addAlert.calls.length);
    expect(mocks.actions.addAlert.calls[0]?.[0]).toMatchObject({ type: 'danger' });
  });
});

describe('other states', () => {
  it('says that it loads', () => {
    expect(card({}, { isLoading: true } as object).find(LoadingSpinner).props.label).toContain('Loading');
  });

  it('offers another try when the properties could not be read', () => {
    const { find, button, refetch } = card({}, { error: new Error('Failed to fetch') } as object);
    expect(find(ErrorState).props.title).toContain('could not be loaded');
    button('Try again').trigger('onClick');
    expect(refetch).toHaveBeenCalledOnce();
  });

  it('is a polite empty card for who may read no score', () => {
    const { find, maybeFind, text } = card(properties({ score: undefined }));
    expect(find(ErrorState).props).toMatchObject({ type: 'lock', title: "You don't have access to expansion scores" });
    expect(text()).toContain('Read Scores');
    expect(text()).not.toContain('Additional Seats');
    expect(maybeFind(Button)).toBeNull();
  });

  it('says that a company is not scored yet', () => {
    const { find, maybeFind } = card(empty());
    expect(find(EmptyState).props.title).toBe('Not scored yet');
    expect(maybeFind(StatisticsItem)).toBeNull();
    const { findAll } = card(empty());
    expect(findAll(Button).map((button) => button.text)).toEqual(['Already in talks', 'Not now until …', 'Wrong data']);
  });

  it('shows no number where there is not enough data', () => {
    const { find, maybeFind, text } = card(properties({ tier: 'not_enough_data', score: '31' }));
    expect(find(Alert).props.title).toBe('Not enough data');
    expect(maybeFind(StatisticsItem)).toBeNull();
    expect(text()).not.toContain('31');
    expect(text()).toContain('What do you know of it?');
    expect(text()).not.toContain('Should be higher');
  });

  it('says who opted out, shows no number, and lets it be taken back where HubSpot can edit', () => {
    const tab = card(properties({ opt_out: 'true' }));
    expect(tab.find(Alert).props.title).toBe('Opted out');
    expect(tab.maybeFind(StatisticsItem)).toBeNull();
    expect(tab.find(CrmPropertyList).props.properties).toEqual([FIELDS.opt_out.name]);
    expect(card(properties({ opt_out: 'true' }), { place: 'sidebar' }).maybeFind(CrmPropertyList)).toBeNull();
  });

  it.each([
    ['2026-10-20', null],
    ['2026-10-19', 'This is 15 days old'],
    ['1790812800000', 'This is 33 days old'],
  ])('warns of data of %s: %s', (day, title) => {
    const { maybeFind } = card(properties({ data_as_of: day }));
    expect(maybeFind(Alert)?.props.title ?? null).toBe(title);
  });

  it('names what it takes to see the reasons, and shows the score without them', () => {
    const { findAll, text } = card(properties({ reason_1: undefined, reason_2: undefined, brief: undefined }));
    expect(findAll(StatisticsItem)).toHaveLength(2);
    expect(text()).toContain('Read Reasons');
    expect(text()).not.toContain('Against');
  });

  it('names what it takes to see the ARR, and shows none', () => {
    const { findAll, text } = card(properties({ expected_arr: undefined, arr_low: undefined, arr_high: undefined }));
    expect(findAll(StatisticsItem)).toHaveLength(1);
    expect(text()).toContain('Read Amounts');
    expect(text()).not.toContain('€');
  });

  it('names what it takes to give feedback, and has no buttons for it', () => {
    const { text, maybeFind } = card(properties({ feedback: undefined, csm_call: undefined }));
    expect(text()).toContain('Give Feedback');
    expect(maybeFind(Button, (node) => node.text === 'Useful')).toBeNull();
    expect(maybeFind(Accordion)).toBeNull();
  });
});

describe('feedback', () => {
  it('shows as pressed what the record holds, by a check mark too', () => {
    const { findAll, button } = card(properties());
    expect(button('✓ Useful').props.variant).toBe('primary');
    expect(findAll(Button, { variant: 'primary' }).map((node) => node.text)).toEqual(['✓ Useful', '✓ Agree']);
  });

  it.each([
    ['Not useful', { feedback: 'not_useful' }],
    ['Already in talks', { feedback: 'in_talks', status: 'in_talks' }],
    ['Wrong data', { feedback: 'wrong_data' }],
    ['Should be higher', { csm_call: 'higher' }],
  ])('writes the properties of people at once: %s', async (label, answer) => {
    const { button, mocks, waitFor, find, refetch } = card(properties());
    mocks.context.crm.objectId = 9001;
    button(label).trigger('onClick');
    await waitFor(() => expect(find(StatusTag, (node) => node.text === 'Saved')).toBeTruthy());
    const named = Object.fromEntries(Object.entries(answer).map(([key, value]) => [`expansion_${key}`, value]));
    expect(api.mock.calls).toMatchObject([[{ method: 'PATCH', body: { properties: named } }]]);
    expect(api.mock.calls[0]?.[0].path).toMatch(/^\/crm\/objects\/2026-03\/companies\/\d+$/);
    expect(mocks.actions.refreshObjectProperties.calls).toHaveLength(1);
    expect(refetch).toHaveBeenCalled();
    expect(mocks.actions.addAlert.calls[0]?.[0]).toEqual({ type: 'success', message: 'Saved' });
  });

  it('asks until when, and writes the day with it', async () => {
    const { button, find, waitFor, maybeFind } = card(properties());
    button('Not now until …').trigger('onClick');
    expect(api).not.toHaveBeenCalled();
    expect(find(DateInput).props.min).toEqual({ year: 2026, month: 10, date: 4 });
    expect(button('Save').props.disabled).toBe(true);
    find(DateInput).props.onChange?.({ year: 2027, month: 2, date: 1 });
    button('Save').trigger('onClick');
    await waitFor(() => expect(maybeFind(DateInput)).toBeNull());
    const body = { properties: { expansion_feedback: 'not_now', expansion_status: 'not_now', expansion_not_before: '2027-03-01' } };
    expect(api.mock.calls).toMatchObject([[{ body }]]);
  });

  it('takes no day that is over', () => {
    const { button, find } = card(properties());
    button('Not now until …').trigger('onClick');
    find(DateInput).props.onChange?.({ year: 2026, month: 10, date: 3 });
    expect(find(DateInput).props).toMatchObject({ error: true, validationMessage: 'Choose a day after today.' });
    expect(button('Save').props.disabled).toBe(true);
  });

  it('tells the day that was chosen', () => {
    const held = properties({ feedback: 'not_now', not_before: '2027-03-01' });
    expect(card(held).button('✓ Not now until 1 Mar 2027').props.variant).toBe('primary');
  });

  it.each([
    [403, null, 'You may not edit these properties'],
    [404, null, 'no longer there'],
    [429, null, 'Wait a moment'],
    [502, null, 'in a minute'],
    [400, { message: 'Property values were not valid' }, 'HubSpot refused the change: Property values were not valid.'],
    [400, 'no JSON', 'HubSpot refused the change.'],
  ])('says in words what HubSpot answered: %s', async (status, body, words) => {
    api.mockResolvedValue({ status, headers: {}, body });
    const { button, find, waitFor, mocks, refetch } = card(properties());
    button('Wrong data').trigger('onClick');
    await waitFor(() => expect(textOf(find(Alert, { title: 'Not saved' }))).toContain(words));
    expect(mocks.actions.addAlert.calls[0]?.[0]).toMatchObject({ type: 'danger' });
    expect(refetch).not.toHaveBeenCalled();
    expect(button('Wrong data').props.disabled).toBe(status === 403);
  });

  it('says what to do where HubSpot does not know the call', async () => {
    host({});
    const { button, find, waitFor } = card(properties());
    button('Wrong data').trigger('onClick');
    await waitFor(() => expect(textOf(find(Alert))).toContain('edit the property on the record itself'));
  });

  it('takes no second press while the first is on its way', async () => {
    let answer = (_: typeof OK): void => {};
    api.mockReturnValue(new Promise((resolve) => (answer = resolve)));
    const { button, findAll, waitFor, find } = card(properties());
    button('Wrong data').trigger('onClick');
    await waitFor(() => expect(find(Text, (node) => node.text === 'Saving…')).toBeTruthy());
    expect(findAll(Button, { disabled: true })).toHaveLength(8);
    answer(OK);
    await waitFor(() => expect(findAll(Button, { disabled: true })).toHaveLength(0));
  });

  it('lets HubSpot edit the properties in place where it can', () => {
    expect(card(properties()).find(CrmPropertyList).props.properties).toContain(FIELDS.not_before.name);
    expect(card(properties(), { place: 'sidebar' }).maybeFind(CrmPropertyList)).toBeNull();
  });
});
