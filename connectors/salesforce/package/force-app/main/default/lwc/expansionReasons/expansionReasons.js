import { LightningElement, api } from 'lwc';
import { REASONS } from 'c/expansionLabels';

/** What speaks for an expansion, and what against it: sentences with number, date and source. */
export default class ExpansionReasons extends LightningElement {
    @api reasons;

    labels = REASONS;

    get reasonsFor() {
        return withKeys(this.reasons.for);
    }

    get against() {
        return withKeys(this.reasons.against);
    }

    get hasFor() {
        return this.reasons.for.length > 0;
    }

    get hasAgainst() {
        return this.reasons.against.length > 0;
    }

    get hasNone() {
        return !this.hasFor && !this.hasAgainst;
    }
}

function withKeys(sentences) {
    return sentences.map((sentence, place) => ({ key: place, sentence }));
}
