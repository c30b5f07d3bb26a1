import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

const page = (name: string): string => fileURLToPath(new URL(`${name}.html`, import.meta.url));
// For `npm run dev`: where ./dev up serves the sockets and the bank.
const target = process.env['WW_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  appType: 'mpa',
  esbuild: { jsx: 'automatic' },
  build: {
    target: 'es2022',
    // The edges' Content-Security-Policy knows no data: URLs.
    assetsInlineLimit: 0,
    rollupOptions: { input: { index: page('index'), bank: page('bank'), ops: page('ops') } },
  },
  server: { proxy: { '/socket.io': { target, ws: true }, '/bank/api': { target } } },
});
