import { LightningElement, api } from 'lwc';
import { updateRecord } from 'lightning/uiRecordApi';
import { explain } from 'c/expansionErrors';
import { FIELDS, OPTIONS } from 'c/expansionFields';
import { day, plusDays, today } from 'c/expansionFormat';
import { ANSWERS, CALLS, FEEDBACK } from 'c/expansionLabels';

const DAYS_TO_WAIT = 30; // what "not now" proposes

/** What can be said of an account without a score. */
const OF_NO_SCORE = ['in_talks', 'not_now', 'wrong_data'];

/** What an answer writes beside itself, so that whoever plans tasks need not read feedback. */
const ALSO_SETS = Object.freeze({ in_talks: 'in_talks', not_now: 'not_now' });

/**
 * What people answer to a score, written into their own fields at once.
 *
 * What is pressed is read from the record, never from the click: a refused write leaves no button pressed.
 * `people` is what the record holds, `editable` the keys of the fields that this user may edit. Without a score
 * nothing is asked about one.
 */
export default class ExpansionFeedback extends LightningElement {
    @api recordId;
    @api people;
    @api editable = [];
    @api hasScore = false;

    labels = ANSWERS;
    isAsking = false;
    isSaving = false;
    until = null;
    told = '';
    problem = null;

    get mayAnswer() {
        return this.editable.includes('feedback');
    }

    get mayCall() {
        return this.hasScore && this.editable.includes('csm_call');
    }

    get mayNothing() {
        return !this.mayAnswer && !this.mayCall;
    }

    get choices() {
        const asked = this.hasScore ? Object.keys(FEEDBACK) : OF_NO_SCORE;
        return asked.map((key) => {
            const isPressed = this.people.feedback?.key === key;
            return {
                ...this.button(key, isPressed),
                label: key === 'not_now' && isPressed ? this.notNowLabel : FEEDBACK[key],
                expanded: key === 'not_now' ? String(this.isAsking) : null,
            };
        });
    }

    get calls() {
        return Object.keys(CALLS).map((key) => ({
            ...this.button(key, this.people.csm_call?.key === key),
            label: CALLS[key],
        }));
    }

    /** What others have said, where this user has no button that would show it. */
    get said() {
        const { feedback, csm_call: call, status } = this.people;
        return [
            !this.mayAnswer && feedback ? ANSWERS.given(feedback.label) : null,
            !this.mayCall && call ? ANSWERS.called(call.label) : null,
            status && !this.isSaidBy(feedback, status) ? ANSWERS.status(this.statusLabel(status)) : null,
        ].filter((part) => part);
    }

    get isNotNow() {
        return this.people.feedback?.key === 'not_now';
    }

    get tomorrow() {
        return plusDays(today(), 1);
    }

    get busy() {
        return String(this.isSaving);
    }

    get notNowLabel() {
        const until = this.people.not_before;
        return until ? ANSWERS.notNowUntil(day(until)) : OPTIONS.feedback.not_now;
    }

    /** A status that is as ever, or that a pressed button tells already, needs no line of its own. */
    isSaidBy(feedback, status) {
        return status.key === 'open' || (this.mayAnswer && ALSO_SETS[feedback?.key] === status.key);
    }

    statusLabel(status) {
        return status.key === 'not_now' && this.people.not_before ? this.notNowLabel : status.label;
    }

    button(key, isPressed) {
        return { key, pressed: String(isPressed), className: isPressed ? 'choice choice_pressed' : 'choice' };
    }

    answer(event) {
        const { key } = event.currentTarget.dataset;
        if (this.isSaving) {
            return;
        }
        if (key === 'not_now') {
            this.isAsking = !this.isAsking;
            this.until = this.people.not_before ?? plusDays(today(), DAYS_TO_WAIT);
            this.told = '';
            this.problem = null;
            this.moveFocus('lightning-input');
            return;
        }
        this.isAsking = false;
        if (this.people.feedback?.key === key) {
            this.takeBack();
            return;
        }
        this.write({ feedback: key, ...this.statusFor(key) }, ANSWERS.saved);
    }

    choose(event) {
        this.until = event.detail.value;
    }

    saveNotNow() {
        if (this.isSaving) {
            return;
        }
        if (!this.until || this.until < this.tomorrow) {
            this.problem = { what: ANSWERS.noDate, fix: null };
            return;
        }
        this.write(
            { feedback: 'not_now', ...this.statusFor('not_now'), not_before: this.until },
            ANSWERS.saved
        );
    }

    stopAsking() {
        this.isAsking = false;
        this.problem = null;
        this.moveFocus('[data-key="not_now"]');
    }

    /** Once it is rendered: what had the focus goes with the question, and the keyboard would be lost. */
    moveFocus(selector) {
        Promise.resolve().then(() => this.template.querySelector(selector)?.focus());
    }

    /** Empties the answer and what it had written beside itself, unless somebody has changed that since. */
    takeBack() {
        const key = this.people.feedback?.key;
        const values = { feedback: null };
        if (ALSO_SETS[key] && this.people.status?.key === ALSO_SETS[key]) {
            values.status = 'open';
        }
        if (key === 'not_now') {
            values.not_before = null;
        }
        this.write(values, ANSWERS.takenBack);
    }

    call(event) {
        const { key } = event.currentTarget.dataset;
        if (this.isSaving) {
            return;
        }
        const isPressed = this.people.csm_call?.key === key;
        this.write({ csm_call: isPressed ? null : key }, isPressed ? ANSWERS.takenBack : ANSWERS.saved);
    }

    statusFor(key) {
        return ALSO_SETS[key] ? { status: ALSO_SETS[key] } : {};
    }

    async write(values, told) {
        const allowed = Object.keys(values).filter((key) => this.editable.includes(key));
        const fields = Object.fromEntries(allowed.map((key) => [FIELDS[key], values[key]]));
        this.isSaving = true;
        this.problem = null;
        this.told = ANSWERS.saving;
        try {
            await updateRecord({ fields: { Id: this.recordId, ...fields } });
            this.told = told;
            if (this.isAsking) {
                this.stopAsking();
            }
        } catch (error) {
            this.told = '';
            this.problem = explain(error);
        } finally {
            this.isSaving = false;
        }
    }
}
