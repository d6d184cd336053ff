import { LightningElement, api } from 'lwc';
import { wholeNumber } from 'c/expansionFormat';
import { SCORE } from 'c/expansionLabels';

/** Tier and score of an account, what moved it, and the ARR to expect where the user may see it. */
export default class ExpansionScore extends LightningElement {
    @api score;
    @api tier;
    @api change;
    @api arr;

    labels = SCORE;

    get points() {
        return wholeNumber(this.score);
    }

    get spoken() {
        return SCORE.spoken(this.points);
    }

    /** The ring's circumference is 100, so that its dash is the score. */
    get dash() {
        const filled = Math.min(Math.max(this.score, 0), 100);
        return `${filled} ${100 - filled}`;
    }

    get tierClass() {
        return `tier tier_${this.tier.key}`;
    }

    get changeClass() {
        return `change change_${this.change.direction}`;
    }

    get isUp() {
        return this.change?.direction === 'up';
    }

    get isDown() {
        return this.change?.direction === 'down';
    }
}
