import { LightningElement, api } from 'lwc';

/** Stands in for Salesforce's own button. */
export default class Button extends LightningElement {
    @api label;
    @api variant = 'neutral';
    @api iconName;

    get className() {
        return `button button_${this.variant}`;
    }

    get canCopy() {
        return this.iconName === 'utility:copy_to_clipboard';
    }
}
