import { LightningElement, api } from 'lwc';

/** Stands in for Salesforce's own card. */
export default class Card extends LightningElement {
    @api title;
    @api iconName;
}
