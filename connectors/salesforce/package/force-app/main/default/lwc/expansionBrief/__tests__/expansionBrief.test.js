import { createElement } from 'lwc';
import ExpansionBrief from 'c/expansionBrief';
import { BRIEF } from 'c/expansionLabels';
import { VALUES, find, settled } from '../../../../../../jest/account';

async function mount(text = VALUES.brief) {
    const brief = createElement('c-expansion-brief', { is: ExpansionBrief });
    brief.text = text;
    document.body.appendChild(brief);
    await settled();
    return brief;
}

async function press(brief, selector) {
    find(brief, selector).click();
    await settled();
}

const told = (brief) => find(brief, '[role="status"]').textContent;

describe('the brief', () => {
    afterEach(() => {
        delete navigator.clipboard;
        delete document.execCommand;
    });

    it('is shown with its line breaks, some lines first and all on demand', async () => {
        const brief = await mount();
        const text = find(brief, 'p.text');
        expect(text.textContent).toBe(VALUES.brief);
        expect(text.classList).toContain('text_short');
        expect(find(brief, '.toggle').getAttribute('aria-expanded')).toBe('false');
        await press(brief, '.toggle');
        expect(text.classList).not.toContain('text_short');
        expect(find(brief, '.toggle').textContent).toBe(BRIEF.less);
    });

    it('is shown whole where it is short', async () => {
        const brief = await mount('Ask for a meeting.');
        expect(find(brief, '.toggle')).toBeNull();
        expect(find(brief, 'p.text').classList).not.toContain('text_short');
    });

    it('is copied as it is by the clipboard', async () => {
        navigator.clipboard = { writeText: jest.fn().mockResolvedValue() };
        const brief = await mount();
        await press(brief, 'lightning-button');
        expect(navigator.clipboard.writeText).toHaveBeenCalledWith(VALUES.brief);
        expect(told(brief)).toBe(BRIEF.copied);
    });

    it('is copied by a selection where the frame is given no clipboard', async () => {
        navigator.clipboard = { writeText: jest.fn().mockRejectedValue(new Error('NotAllowedError')) };
        document.execCommand = jest.fn().mockReturnValue(true);
        const brief = await mount();
        const area = find(brief, 'textarea');
        const select = jest.spyOn(area, 'select');
        await press(brief, 'lightning-button');
        expect(area.value).toBe(VALUES.brief);
        expect(select).toHaveBeenCalled();
        expect(document.execCommand).toHaveBeenCalledWith('copy');
        expect(told(brief)).toBe(BRIEF.copied);
    });

    it('says so where nothing can be copied', async () => {
        const brief = await mount();
        await press(brief, 'lightning-button');
        expect(told(brief)).toBe(BRIEF.notCopied);
        await expect(brief).toBeAccessible();
    });
});
