import { LightningElement, api } from 'lwc';

/** Stands in for Salesforce's own date input. */
export default class Input extends LightningElement {
    @api label;
    @api type = 'text';
    @api value;
    @api min;

    @api
    focus() {
        this.template.querySelector('input').focus();
    }

    tell(event) {
        this.value = event.target.value; // eslint-disable-line @lwc/lwc/no-api-reassignments
        this.dispatchEvent(new CustomEvent('change', { detail: { value: this.value } }));
    }
}
