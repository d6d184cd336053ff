import { createElement } from 'lwc';
import { updateRecord } from 'lightning/uiRecordApi';
import ExpansionFeedback from 'c/expansionFeedback';
import { ANSWERS } from 'c/expansionLabels';
import { viewOf } from 'c/expansionView';
import { OF_PEOPLE, account, find, settled, wordsOf } from '../../../../../../jest/account';

const ID = '001000000000001AAA';

async function mount(values = {}, editable = OF_PEOPLE) {
    const asked = createElement('c-expansion-feedback', { is: ExpansionFeedback });
    const { people } = viewOf(account(values), 'USD', '2026-11-27');
    Object.assign(asked, { recordId: ID, people, editable, hasScore: true });
    document.body.appendChild(asked);
    await settled();
    return asked;
}

async function press(asked, selector) {
    find(asked, selector).click();
    await settled();
}

function written() {
    return updateRecord.mock.calls.map(([{ fields }]) => fields);
}

const pressed = (asked) =>
    [...asked.shadowRoot.querySelectorAll('[aria-pressed="true"]')].map((each) => each.dataset.key);

describe('feedback', () => {
    it.each(['useful', 'not_useful', 'wrong_data'])('writes %s and nothing else', async (key) => {
        await press(await mount(), `[data-key="${key}"]`);
        expect(written()).toEqual([{ Id: ID, Expansion_Feedback__c: key }]);
    });

    it('writes the status beside already in talks', async () => {
        await press(await mount(), '[data-key="in_talks"]');
        expect(written()).toEqual([
            { Id: ID, Expansion_Feedback__c: 'in_talks', Expansion_Status__c: 'in_talks' },
        ]);
    });

    it('asks for a day on not now, proposes one 30 days off, and writes it with the status', async () => {
        const asked = await mount();
        await press(asked, '[data-key="not_now"]');
        expect(written()).toEqual([]);
        const input = find(asked, 'lightning-input');
        expect(input.value).toBe('2026-12-27');
        input.dispatchEvent(new CustomEvent('change', { detail: { value: '2027-01-15' } }));
        await press(asked, '[data-id="save"]');
        expect(written()).toEqual([
            {
                Id: ID,
                Expansion_Feedback__c: 'not_now',
                Expansion_Status__c: 'not_now',
                Expansion_Not_Before__c: '2027-01-15',
            },
        ]);
    });

    it.each(['2026-11-27', '2020-01-01', '', null])('refuses %s as a day to wait for', async (value) => {
        const asked = await mount();
        await press(asked, '[data-key="not_now"]');
        find(asked, 'lightning-input').dispatchEvent(new CustomEvent('change', { detail: { value } }));
        await press(asked, '[data-id="save"]');
        expect(written()).toEqual([]);
        expect(wordsOf(asked)).toContain(ANSWERS.noDate);
    });

    it('is pressed by what the record holds, not by the click', async () => {
        expect(pressed(await mount({ feedback: 'useful', csm_call: 'higher' }))).toEqual(['useful', 'higher']);
        const asked = await mount();
        await press(asked, '[data-key="useful"]');
        expect(pressed(asked)).toEqual([]);
    });

    it('shows the day of a not now that stands', async () => {
        const asked = await mount({ feedback: 'not_now', status: 'not_now', not_before: '2027-01-15' });
        expect(find(asked, '[data-key="not_now"]').textContent).toBe('Not now until Jan 15, 2027');
    });

    it('takes an answer back with what it had written', async () => {
        await press(await mount({ feedback: 'in_talks', status: 'in_talks' }), '[data-key="in_talks"]');
        const notNow = await mount({ feedback: 'not_now', status: 'not_now', not_before: '2027-01-15' });
        await press(notNow, '[data-key="not_now"]');
        await press(notNow, '[data-id="take-back"]');
        expect(written()).toEqual([
            { Id: ID, Expansion_Feedback__c: null, Expansion_Status__c: 'open' },
            { Id: ID, Expansion_Feedback__c: null, Expansion_Status__c: 'open', Expansion_Not_Before__c: null },
        ]);
    });

    it('leaves a status that somebody has changed since', async () => {
        await press(await mount({ feedback: 'in_talks', status: 'done' }), '[data-key="in_talks"]');
        expect(written()).toEqual([{ Id: ID, Expansion_Feedback__c: null }]);
    });

    it('writes no field that this user may not edit', async () => {
        await press(await mount({}, ['feedback']), '[data-key="in_talks"]');
        expect(written()).toEqual([{ Id: ID, Expansion_Feedback__c: 'in_talks' }]);
    });

    it.each(['agree', 'higher', 'lower'])("writes the CSM's call %s, and takes it back", async (key) => {
        await press(await mount(), `[data-call="${key}"]`);
        await press(await mount({ csm_call: key }), `[data-call="${key}"]`);
        expect(written()).toEqual([
            { Id: ID, Expansion_CSM_Call__c: key },
            { Id: ID, Expansion_CSM_Call__c: null },
        ]);
    });

    it('tells in a live region that it was saved', async () => {
        const asked = await mount();
        await press(asked, '[data-key="useful"]');
        expect(find(asked, '[role="status"]').textContent).toBe(ANSWERS.saved);
    });

    it('writes once however often it is pressed while it saves', async () => {
        let done;
        updateRecord.mockReturnValueOnce(new Promise((resolve) => (done = resolve)));
        const asked = await mount();
        await press(asked, '[data-key="useful"]');
        await press(asked, '[data-key="useful"]');
        await press(asked, '[data-call="agree"]');
        expect(written()).toHaveLength(1);
        expect(find(asked, '[role="status"]').textContent).toBe(ANSWERS.saving);
        done({});
        await settled();
        expect(find(asked, '[role="status"]').textContent).toBe(ANSWERS.saved);
    });

    it('tells why it was refused and what to do, and says nothing of saved', async () => {
        updateRecord.mockRejectedValueOnce({
            status: 400,
            body: { output: { errors: [{ errorCode: 'ENTITY_IS_LOCKED', message: 'The record is locked' }] } },
        });
        const asked = await mount();
        await press(asked, '[data-key="useful"]');
        expect(find(asked, '[role="alert"]').textContent).toContain('The record is locked.');
        expect(wordsOf(asked)).not.toContain(ANSWERS.saved);
        await expect(asked).toBeAccessible();
    });

    it('shows what others said to whom may not answer', async () => {
        const words = wordsOf(await mount({ feedback: 'useful', status: 'done', csm_call: 'agree' }, []));
        ['Feedback: Useful', "CSM's call: Agree", 'Status: Done'].forEach((line) => expect(words).toContain(line));
    });

    it('keeps the keyboard where the question was', async () => {
        const asked = await mount();
        const focus = jest.spyOn(HTMLElement.prototype, 'focus');
        await press(asked, '[data-key="not_now"]');
        expect(focus.mock.contexts).toEqual([find(asked, 'lightning-input')]);
        await press(asked, '[data-id="save"]');
        expect(focus.mock.contexts[1]).toBe(find(asked, '[data-key="not_now"]'));
    });

    it('is accessible while it asks for a day', async () => {
        const asked = await mount();
        await press(asked, '[data-key="not_now"]');
        expect(find(asked, '[data-key="not_now"]').getAttribute('aria-expanded')).toBe('true');
        await expect(asked).toBeAccessible();
    });
});
