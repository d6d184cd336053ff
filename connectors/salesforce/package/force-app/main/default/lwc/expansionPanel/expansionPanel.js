import { LightningElement, api, wire } from 'lwc';
import FORM_FACTOR from '@salesforce/client/formFactor';
import CURRENCY from '@salesforce/i18n/currency';
import { getObjectInfo } from 'lightning/uiObjectInfoApi';
import { getRecord } from 'lightning/uiRecordApi';
import { explain } from 'c/expansionErrors';
import { OBJECT } from 'c/expansionFields';
import { today } from 'c/expansionFormat';
import { FACTS, PANEL, REASONS, SCORE } from 'c/expansionLabels';
import { ALWAYS_READ, READ, editableOf, viewOf } from 'c/expansionView';

/** Whether an account is ready to expand, how much, with what and when, why, and what to say: the record page's panel. */
export default class ExpansionPanel extends LightningElement {
    labels = PANEL;
    facts = FACTS;
    reasonLabels = REASONS;
    scoreLabels = SCORE;
    view = null;
    problem = null;
    editable = [];
    required = ALWAYS_READ;
    read = READ;
    objectName = OBJECT;
    asked;
    shownId;

    @api
    get recordId() {
        return this.shownId;
    }

    set recordId(id) {
        if (id !== this.shownId) {
            this.view = null; // never one account's score under another one's name
            this.problem = null;
        }
        this.shownId = id;
        this.asked = id;
    }

    @wire(getRecord, { recordId: '$asked', fields: '$required', optionalFields: '$read' })
    wiredRecord({ data, error }) {
        if (data) {
            this.view = viewOf(data, CURRENCY, today());
            this.problem = null;
        } else if (error) {
            this.view = null;
            this.problem = explain(error);
        }
    }

    @wire(getObjectInfo, { objectApiName: '$objectName' })
    wiredObject({ data }) {
        this.editable = editableOf(data);
    }

    get isLoading() {
        return this.view === null && this.problem === null;
    }

    get bodyClass() {
        return FORM_FACTOR === 'Small' ? 'body body_small' : 'body';
    }

    get isOptedOut() {
        return this.hasAccess && this.view.optedOut;
    }

    get hasNoAccess() {
        return this.view?.state === 'no_access';
    }

    get hasAccess() {
        return Boolean(this.view) && this.view.state !== 'no_access';
    }

    get isScored() {
        return this.view?.state === 'scored';
    }

    get isNotEnough() {
        return this.view?.state === 'not_enough_data';
    }

    /** An account that is opted out has no score, and says why already. */
    get isNotScored() {
        return this.view?.state === 'not_scored' && !this.view.optedOut;
    }

    /** Of an account that is left alone, and of which nothing is said, nothing is asked. */
    get takesFeedback() {
        return this.hasAccess && (this.isScored || !this.view.optedOut);
    }

    get stale() {
        const age = this.isScored || this.isNotEnough ? this.view.stale : null;
        return age && PANEL.stale(age.day, age.days);
    }

    get hasProduct() {
        return Boolean(this.view.product);
    }

    get second() {
        return this.view.product2 ? FACTS.second(this.view.product2) : null;
    }

    get details() {
        const { likeThis, milestone, reach } = this.view;
        return [
            { key: 'like', term: FACTS.likeThis, text: likeThis },
            { key: 'milestone', term: FACTS.milestone, text: milestone },
            { key: 'reach', term: FACTS.reach, text: reach },
        ].filter((each) => each.text);
    }

    get hasDetails() {
        return this.details.length > 0;
    }

    get sources() {
        return this.view.sources.join(' · ');
    }

    /** Asks anew: a wire asks again when what it is given changes. */
    retry() {
        this.problem = null;
        this.asked = undefined;
        Promise.resolve().then(() => {
            this.asked = this.shownId;
        });
    }
}
