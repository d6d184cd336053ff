import { LightningElement, api } from 'lwc';

/** A message about a state: what is so, and what to do about it. Tone is info, warning or error. */
export default class ExpansionNotice extends LightningElement {
    @api heading;
    @api text;
    @api tone = 'info';

    get boxClass() {
        return `notice notice_${this.tone}`;
    }

    /** An error interrupts a screen reader; a state is read in its turn. */
    get role() {
        return this.tone === 'error' ? 'alert' : null;
    }
}
