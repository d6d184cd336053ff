// Builds the panel and the list into one script that needs no Salesforce and no network: the shipped
// components as they are, with stand-ins for what Salesforce gives them.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import lwc from '@lwc/rollup-plugin';
import { minify } from 'terser';

const HERE = dirname(fileURLToPath(import.meta.url));
const COMPONENTS = join(HERE, '../force-app/main/default/lwc');
const OUT = process.env.UPSWELL_PREVIEW_OUT ?? join(HERE, '../../../../worker/panels/salesforce.js');

const SHIPPED = readdirSync(COMPONENTS).map((name) => {
    const file = name === 'expansionTheme' ? `${name}.css` : `${name}.js`;
    return { name: `c/${name}`, path: join(COMPONENTS, name, file) };
});
const BASE_COMPONENTS = ['card', 'button', 'input'].map((name) => ({
    name: `lightning/${name}`,
    path: join(HERE, 'lightning', name, `${name}.js`),
}));
const GIVEN = {
    'lightning/uiRecordApi': 'salesforce/records.js',
    'lightning/uiObjectInfoApi': 'salesforce/objectInfo.js',
    'lightning/uiListsApi': 'salesforce/lists.js',
    'lightning/navigation': 'salesforce/navigation.js',
    '@salesforce/client/formFactor': 'salesforce/formFactor.js',
    '@salesforce/i18n/locale': 'salesforce/locale.js',
    '@salesforce/i18n/currency': 'salesforce/currency.js',
    '@salesforce/i18n/timeZone': 'salesforce/timeZone.js',
};

/** What the org gives, from this folder; the engine's own checks for development left out. */
const standIns = {
    name: 'stand-ins',
    resolveId(id) {
        return GIVEN[id] ? join(HERE, GIVEN[id]) : null;
    },
    transform(code, id) {
        return id.includes('node_modules') ? code.replaceAll('process.env.NODE_ENV', '"production"') : null;
    },
};

/** Salesforce's engine is in the bundle, and its licence wants to be wherever the engine is. What it bundles
 * itself is the compiler's, and not in here. */
const [LICENCE] = readFileSync(join(HERE, '../node_modules/@lwc/engine-dom/LICENSE.md'), 'utf8')
    .replace('# LWC core license', 'Lightning Web Components')
    .split('\n# ');

const small = {
    name: 'small',
    async renderChunk(code) {
        const { code: minified } = await minify(code, { ecma: 2020, format: { ascii_only: true } });
        return `/*!\nBuilt from connectors/salesforce/package by npm run build. Contains:\n\n${LICENCE.trim()}\n*/\n${minified}\n`;
    },
};

export default {
    input: join(HERE, 'main.js'),
    output: { file: OUT, format: 'iife', name: 'UpswellPanel' },
    plugins: [standIns, lwc({ rootDir: HERE, modules: [...SHIPPED, ...BASE_COMPONENTS], apiVersion: 64 }), small],
};
