import { LightningElement, api, wire } from 'lwc';
import CURRENCY from '@salesforce/i18n/currency';
import { NavigationMixin } from 'lightning/navigation';
import { getObjectInfo } from 'lightning/uiObjectInfoApi';
import { getListRecordsByName } from 'lightning/uiListsApi';
import { explain } from 'c/expansionErrors';
import { FIELDS, OBJECT } from 'c/expansionFields';
import { today, wholeNumber } from 'c/expansionFormat';
import { ERRORS, LIST, PANEL } from 'c/expansionLabels';
import { ALWAYS_READ, READ, viewOf } from 'c/expansionView';

const AT_MOST = 10;
const PAGE = 200; // all that one person looks after: the best of them are picked here, as a view has no order
const MISSING = '–';

/** The user's accounts that are ready to expand, the best first, from a list view that an admin may change. */
export default class ExpansionList extends NavigationMixin(LightningElement) {
    @api listView = 'Upswell_My_Accounts_To_Expand';

    labels = LIST;
    noAccessLabels = PANEL.noAccess;
    objectName = OBJECT;
    read = [...ALWAYS_READ, ...READ];
    pageSize = PAGE;
    latest;
    rows = null;
    problem = null;
    hasNoAccess = false;
    listUrl = null;

    @wire(getListRecordsByName, {
        objectApiName: '$objectName',
        listViewApiName: '$listView',
        optionalFields: '$read',
        pageSize: '$pageSize',
    })
    wiredRecords({ data, error }) {
        if (data) {
            this.problem = null;
            this.latest = data;
            this.show(data);
        } else if (error) {
            this.fail(error);
        }
    }

    /** An empty list says nothing of permissions: the object's fields do. */
    @wire(getObjectInfo, { objectApiName: '$objectName' })
    wiredObject({ data }) {
        this.hasNoAccess = data ? data.fields[FIELDS.score] === undefined : false;
    }

    connectedCallback() {
        this.urlOf({
            type: 'standard__objectPage',
            attributes: { objectApiName: OBJECT, actionName: 'list' },
            state: { filterName: this.listView },
        }).then((url) => {
            this.listUrl = url;
        });
    }

    get isLoading() {
        return this.rows === null && this.problem === null;
    }

    get hasRows() {
        return !this.hasNoAccess && this.rows?.length > 0;
    }

    get isEmpty() {
        return this.rows?.length === 0;
    }

    /** The best of the records, each with a link to it. */
    async show({ records }) {
        const best = [...records].sort((one, other) => rankOf(one) - rankOf(other)).slice(0, AT_MOST);
        const urls = await Promise.all(
            best.map(({ id }) =>
                this.urlOf({
                    type: 'standard__recordPage',
                    attributes: { recordId: id, objectApiName: OBJECT, actionName: 'view' },
                })
            )
        );
        if (this.latest.records === records) {
            this.rows = best.map((record, place) => rowOf(record, urls[place]));
        }
    }

    fail(error) {
        this.rows = null;
        this.problem = { what: explain(error).what, fix: ERRORS.fixes.view };
    }

    urlOf(page) {
        return this[NavigationMixin.GenerateUrl](page);
    }
}

/** Upswell's own rank over all accounts; what has none comes last. */
function rankOf(record) {
    return record.fields[FIELDS.priority]?.value ?? Number.MAX_SAFE_INTEGER;
}

function rowOf(record, url) {
    const view = viewOf(record, CURRENCY, today());
    return {
        id: record.id,
        url,
        name: record.fields.Name?.value ?? record.id,
        score: view.score === null ? null : wholeNumber(view.score),
        tier: view.tier?.label ?? MISSING,
        change: view.change?.short ?? MISSING,
        arr: view.arr?.expected ?? MISSING,
        product: view.product ?? MISSING,
        timing: view.timing?.label ?? MISSING,
        health: view.health,
    };
}
