import { createElement } from 'lwc';
import { getObjectInfo } from 'lightning/uiObjectInfoApi';
import { getRecord } from 'lightning/uiRecordApi';
import ExpansionPanel from 'c/expansionPanel';
import { PERMISSION_SETS } from 'c/expansionFields';
import { PANEL, REASONS, SCORE } from 'c/expansionLabels';
import {
    OF_FORECAST,
    OF_PEOPLE,
    OF_REASONS,
    VALUES,
    account,
    emptyAccount,
    find,
    findAll,
    objectInfo,
    settled,
    wordsOf,
} from '../../../../../../jest/account';

const REASON_WORDS = OF_REASONS.map((key) => VALUES[key]).filter((value) => value);

function mount() {
    const panel = createElement('c-expansion-panel', { is: ExpansionPanel });
    panel.recordId = '001000000000001AAA';
    document.body.appendChild(panel);
    return panel;
}

async function shown(record, { editable = OF_PEOPLE } = {}) {
    const panel = mount();
    getObjectInfo.emit(objectInfo(editable));
    getRecord.emit(record);
    await settled();
    return panel;
}

async function failing() {
    const panel = mount();
    getRecord.error({ message: 'The requested resource does not exist', errorCode: 'NOT_FOUND' }, 404, 'Not Found');
    await settled();
    return panel;
}

describe('the panel of a scored account', () => {
    it('tells all that was written, in the order in which a CSM decides', async () => {
        const words = wordsOf(await shown(account()));
        const places = [
            ...['63', 'Very high', '+8 since the last scoring', VALUES.why_moved],
            ...['$17,001', '$11,914 to $44,388 if it expands', 'Expand', 'Additional Seats', 'Plan Upgrade'],
            ...['Within 30 days', 'Green', VALUES.reason_1, VALUES.reason_2, VALUES.reason_3, VALUES.against_1],
            ...[VALUES.like_this, VALUES.next_milestone, VALUES.whom_to_reach, 'Open with:'],
            ...['Your feedback', 'Data as of Nov 25, 2026', 'scored Nov 25, 2026', 'model 2026.11.02-1'],
        ].map((part) => words.indexOf(part));
        expect(places).not.toContain(-1);
        expect([...places].sort((one, other) => one - other)).toEqual(places);
    });

    it('speaks the score as a sentence and leaves no health to colour alone', async () => {
        const panel = await shown(account({ health: 'red' }));
        expect(find(panel, '[role="img"]').getAttribute('aria-label')).toBe('Score 63 of 100');
        expect(find(panel, '.shape_red').getAttribute('aria-hidden')).toBe('true');
        expect(wordsOf(panel)).toContain('Red');
    });

    it('fills the ring by the score', async () => {
        const panel = await shown(account());
        expect(find(panel, '.arc').getAttribute('stroke-dasharray')).toBe('63 37');
    });

    it('is asked for by optional fields but for the name, so that a missing permission is no error', async () => {
        await shown(account());
        const { fields, optionalFields, recordId } = getRecord.getLastConfig();
        expect(recordId).toBe('001000000000001AAA');
        expect(fields).toEqual(['Account.Name']);
        expect(optionalFields).toContain('Account.Expansion_Score__c');
    });
});

describe('what the user may not see', () => {
    it('is told politely where it is everything', async () => {
        const words = wordsOf(await shown({ ...account(), fields: {} }, { editable: [] }));
        expect(words).toContain(PANEL.noAccess.title);
        expect(words).toContain(PERMISSION_SETS.scores);
        expect(words).not.toContain('Your feedback');
    });

    it('leaves the score and no word of the reasons without Read Reasons', async () => {
        const words = wordsOf(await shown(account({}, OF_REASONS)));
        expect(words).toContain('63');
        expect(words).toContain(REASONS.noAccess);
        REASON_WORDS.forEach((reason) => expect(words).not.toContain(reason));
        expect(words).not.toContain('Brief ');
    });

    it('leaves no amount without Read Amounts, and says so', async () => {
        expect(wordsOf(await shown(account()))).not.toContain(SCORE.noAccess);
        const words = wordsOf(await shown(account({}, OF_FORECAST)));
        expect(words).toContain('63');
        expect(words).toContain(SCORE.noAccess);
        expect(words).not.toContain('$');
        expect(words).not.toContain('Expected ARR');
    });

    it('leaves no button without Give Feedback, and says which permission set has them', async () => {
        const panel = await shown(account(), { editable: [] });
        expect(findAll(panel, '.choice')).toHaveLength(0);
        expect(wordsOf(panel)).toContain(PERMISSION_SETS.feedback);
    });
});

describe('states without a score to show', () => {
    it('says that the account was not scored yet, and asks nothing about a score', async () => {
        const panel = await shown(emptyAccount());
        expect(wordsOf(panel)).toContain(PANEL.notScored.title);
        expect(find(panel, '[data-key="useful"]')).toBeNull();
        expect(find(panel, '[data-call]')).toBeNull();
        expect(find(panel, '[data-key="not_now"]')).not.toBeNull();
    });

    it('says what not enough data means, and shows no number', async () => {
        const panel = await shown(account({ tier: 'not_enough_data', score: 12, change: 3 }));
        expect(wordsOf(panel)).toContain(PANEL.notEnoughData.text);
        expect(wordsOf(panel)).not.toContain('12');
        expect(find(panel, '.ring')).toBeNull();
    });

    it('says that the account is opted out rather than not scored', async () => {
        const words = wordsOf(await shown(emptyAccount({ opt_out: true })));
        expect(words).toContain(PANEL.optedOut.title);
        expect(words).not.toContain(PANEL.notScored.title);
    });

    it('says opted out above a score of the time before', async () => {
        const words = wordsOf(await shown(account({ opt_out: true })));
        expect(words.indexOf(PANEL.optedOut.title)).toBeLessThan(words.indexOf('63'));
        expect(words).toContain(PANEL.optedOut.title);
    });

    it('warns of old data with their day', async () => {
        const words = wordsOf(await shown(account({ data_as_of: '2026-11-02' })));
        expect(words).toContain('Data as of Nov 2, 2026 That is 25 days ago');
    });
});

describe('loading', () => {
    it('is told to a screen reader until the record is there', async () => {
        const panel = mount();
        await settled();
        expect(find(panel, '[role="status"]').textContent).toContain(PANEL.loading);
        getRecord.emit(account());
        await settled();
        expect(wordsOf(panel)).not.toContain(PANEL.loading);
    });

    it('says why it failed, and asks again on demand', async () => {
        const panel = await failing();
        expect(wordsOf(panel)).toContain('The requested resource does not exist.');
        expect(find(panel, '[role="alert"]')).not.toBeNull();
        find(panel, '.retry').click();
        await settled();
        expect(wordsOf(panel)).toContain(PANEL.loading);
        getRecord.emit(account());
        await settled();
        expect(wordsOf(panel)).toContain('63');
    });

    it("never shows one account's score on another one's page", async () => {
        const panel = await shown(account());
        panel.recordId = '001000000000002AAA';
        await settled();
        expect(wordsOf(panel)).not.toContain('63');
    });
});

describe('accessibility', () => {
    it.each([
        ['scored', account()],
        ['answered', account({ feedback: 'not_now', status: 'not_now', not_before: '2027-01-15', csm_call: 'lower' })],
        ['stale, red and falling', account({ data_as_of: '2026-10-01', health: 'red', change: -9 })],
        ['without reasons', account({}, OF_REASONS)],
        ['not scored', emptyAccount()],
        ['not enough data', account({ tier: 'not_enough_data' })],
        ['opted out', emptyAccount({ opt_out: true })],
        ['without access', { ...account(), fields: {} }],
    ])('holds when %s', async (name, record) => {
        await expect(await shown(record)).toBeAccessible();
    });

    it('holds while loading, after a failure and where nothing may be edited', async () => {
        await expect(mount()).toBeAccessible();
        await expect(await failing()).toBeAccessible();
        await expect(await shown(account(), { editable: [] })).toBeAccessible();
    });
});
