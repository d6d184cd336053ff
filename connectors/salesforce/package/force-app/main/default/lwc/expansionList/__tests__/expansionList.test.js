import { createElement } from 'lwc';
import { getListRecordsByName } from 'lightning/uiListsApi';
import { getObjectInfo } from 'lightning/uiObjectInfoApi';
import ExpansionList from 'c/expansionList';
import { ERRORS, LIST, PANEL } from 'c/expansionLabels';
import { OF_PEOPLE, account, find, findAll, objectInfo, settled, wordsOf } from '../../../../../../jest/account';

async function mount(records, { readable, nextPageToken = null } = {}) {
    const list = createElement('c-expansion-list', { is: ExpansionList });
    document.body.appendChild(list);
    getObjectInfo.emit(objectInfo(OF_PEOPLE, readable));
    if (records) {
        getListRecordsByName.emit({ records, nextPageToken });
    }
    await settled();
    return list;
}

function ranked(priority, values = {}) {
    return {
        ...account({ priority, Name: `Account ${priority}`, ...values }),
        id: `0010000000000${priority}`,
    };
}

const names = (list) => findAll(list, '.name a').map((link) => link.textContent);

describe('my accounts to expand', () => {
    it('asks for the list view that is installed, by optional fields', async () => {
        await mount([]);
        expect(getListRecordsByName.getLastConfig()).toMatchObject({
            objectApiName: 'Account',
            listViewApiName: 'Upswell_My_Accounts_To_Expand',
        });
        expect(getListRecordsByName.getLastConfig().fields).toBeUndefined();
    });

    it('shows the best first, ten at most, each with a link to its record', async () => {
        const list = await mount([...Array(13).keys()].map((place) => ranked(13 - place)));
        expect(names(list)).toEqual([...Array(10).keys()].map((place) => `Account ${place + 1}`));
        expect(find(list, '.name a').href).toContain('https://');
        expect(find(list, 'a.all').textContent).toBe(LIST.viewAll);
    });

    it('puts an account without a rank last', async () => {
        expect(names(await mount([ranked(null), ranked(2)]))).toEqual(['Account 2', 'Account null']);
    });

    it('tells score, tier, change, amount, product, timing and health of each', async () => {
        const words = wordsOf(await mount([ranked(1)]));
        ['63', 'Very high', '+8', '$17,001', 'Additional Seats', 'Within 30 days', 'Green'].forEach((part) =>
            expect(words).toContain(part)
        );
    });

    it('shows a dash for an amount that the user may not see', async () => {
        const record = { ...account({ priority: 1, Name: 'Kite' }, ['expected_arr']), id: '001' };
        expect(find(await mount([record]), '.row:not(.row_head) .arr').textContent).toBe('–');
    });

    it('says that there is nothing to expand', async () => {
        const list = await mount([]);
        expect(wordsOf(list)).toContain(LIST.empty.title);
        expect(find(list, 'a.all')).toBeNull();
        await expect(list).toBeAccessible();
    });

    it('says which permission set is missing rather than that the list is empty or broken', async () => {
        const list = await mount([], { readable: [] });
        expect(wordsOf(list)).toContain(PANEL.noAccess.title);
        expect(wordsOf(list)).not.toContain(LIST.empty.title);
        await expect(list).toBeAccessible();
    });

    it('says what is wrong where the list view is missing', async () => {
        const list = await mount(null);
        getListRecordsByName.error({ errorCode: 'NOT_FOUND', message: 'No such list view' });
        await settled();
        expect(wordsOf(list)).toContain(ERRORS.fixes.view);
        await expect(list).toBeAccessible();
    });

    it('is accessible while it loads and with accounts in it', async () => {
        const list = await mount(null);
        expect(wordsOf(list)).toContain(LIST.loading);
        await expect(list).toBeAccessible();
        await expect(await mount([ranked(1), ranked(2)])).toBeAccessible();
    });
});
