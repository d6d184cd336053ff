/** What every test has: `toBeAccessible`, a clock that stands, an empty page; a warning fails it. */
const { setup } = require('@sa11y/jest');

setup();

let warned;

beforeEach(() => {
    warned = [];
    ['error', 'warn'].forEach((level) =>
        jest.spyOn(console, level).mockImplementation((...words) => warned.push(words.map(String).join(' ')))
    );
    jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-11-27T12:00:00Z'));
});

afterEach(() => {
    document.body.replaceChildren();
    jest.restoreAllMocks();
    jest.clearAllMocks();
    expect(warned).toEqual([]); // eslint-disable-line jest/no-standalone-expect
});
