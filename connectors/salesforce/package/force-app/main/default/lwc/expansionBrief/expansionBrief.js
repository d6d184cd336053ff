import { LightningElement, api } from 'lwc';
import { BRIEF } from 'c/expansionLabels';

const SHOWN_LINES = 6; // as many as .text_short in the style sheet shows
const A_LINE = 48; // characters of a line in a narrow column

/** The brief for the conversation: its first lines, all of it on demand, and a button that copies it. */
export default class ExpansionBrief extends LightningElement {
    @api text;

    labels = BRIEF;
    isOpen = false;
    told = '';
    failed = false;

    get isLong() {
        const lines = this.text.split('\n').map((line) => Math.max(1, Math.ceil(line.length / A_LINE)));
        return lines.reduce((sum, each) => sum + each, 0) > SHOWN_LINES;
    }

    get textClass() {
        return this.isLong && !this.isOpen ? 'text text_short' : 'text';
    }

    get toggleLabel() {
        return this.isOpen ? BRIEF.less : BRIEF.more;
    }

    get toggleState() {
        return String(this.isOpen);
    }

    get toldClass() {
        return this.failed ? 'told told_failed' : 'told';
    }

    toggle() {
        this.isOpen = !this.isOpen;
    }

    async copy() {
        this.failed = !((await this.copyByClipboard()) || this.copyBySelection());
        this.told = this.failed ? BRIEF.notCopied : BRIEF.copied;
    }

    /** False where the browser, or the frame that the page is shown in, gives no clipboard. */
    async copyByClipboard() {
        try {
            await navigator.clipboard.writeText(this.text);
            return true;
        } catch {
            return false;
        }
    }

    /** The old way, from a text area of our own: Lightning Web Security lets a component select only its own. */
    copyBySelection() {
        const area = this.refs.copied;
        area.value = this.text;
        area.select();
        try {
            return document.execCommand('copy');
        } catch {
            return false;
        }
    }
}
