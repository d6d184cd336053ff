const lwc = require('@salesforce/eslint-config-lwc');

const NODE = { require: 'readonly', module: 'writable', __dirname: 'readonly' };
const TESTS = Object.fromEntries(
    ['jest', 'describe', 'it', 'expect', 'beforeEach', 'afterEach', 'beforeAll'].map((name) => [name, 'readonly'])
);

module.exports = [
    { ignores: ['node_modules/', 'coverage/', '.sf/', '.sfdx/'] },
    ...lwc.configs.recommended,
    { files: ['*.config.js', 'jest/**'], languageOptions: { globals: NODE } },
    { files: ['preview/*.mjs'], languageOptions: { globals: { process: 'readonly' } } },
    {
        // the page around the components, where no component's rules hold
        files: ['preview/*.js'],
        rules: { '@lwc/lwc/no-document-query': 'off', '@lwc/lwc/no-async-operation': 'off' },
    },
    {
        files: ['**/__tests__/**', 'jest/**'],
        languageOptions: { globals: { ...TESTS, ...NODE } },
        rules: { '@lwc/lwc/no-unexpected-wire-adapter-usages': 'off' }, // a test emits through them
    },
];
