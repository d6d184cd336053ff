// Builds worker/panels/hubspot.js: the cards and the settings page as they ship, on stand-ins of HubSpot's components.
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  root: here('.'),
  configFile: false,
  logLevel: 'warn',
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: {
    alias: [
      { find: /^@hubspot\/ui-extensions$/, replacement: here('components.tsx') },
      { find: /^@hubspot\/ui-extensions\/crm$/, replacement: here('crm.tsx') },
      { find: /^@hubspot\/ui-extensions\/experimental\/api-client$/, replacement: here('api.ts') },
    ],
  },
  build: {
    // a folder of one's own to compare with what is committed, else the committed one
    outDir: process.env.PANEL_FOLDER ?? here('../../../../worker/panels'),
    emptyOutDir: false,
    copyPublicDir: false,
    sourcemap: false,
    target: 'es2022',
    lib: { entry: here('main.tsx'), formats: ['iife'], name: 'upswell', fileName: () => 'hubspot.js' },
  },
});
