import { defineConfig } from 'vite';

// A node's address for `npm run dev`; the built page talks to the node that served it.
const node = process.env['SKETCH_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // The content security policy allows no data: addresses.
    modulePreload: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': node,
      '/hubs': { target: node, ws: true },
    },
  },
});
