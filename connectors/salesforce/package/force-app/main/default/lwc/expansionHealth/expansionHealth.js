import { LightningElement, api } from 'lwc';

const SHAPES = ['green', 'yellow', 'red'];

/** The health of an account as shape, colour and word: whoever sees no colours sees a shape and reads the word. */
export default class ExpansionHealth extends LightningElement {
    @api health;

    get label() {
        return this.health?.label;
    }

    get shapeClass() {
        const key = this.health?.key;
        return `shape shape_${SHAPES.includes(key) ? key : 'unknown'}`;
    }
}
