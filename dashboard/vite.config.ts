import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { documentIds } from './document-ids.ts'
import { fontPreload } from './font-preload.ts'

/** Where `npm run dev:dashboard` finds the server: the one that `npm run dev` started. */
const SERVER = process.env['GUDDESK_SERVER'] ?? 'http://localhost:3000'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), documentIds(), fontPreload()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The page's Content-Security-Policy allows scripts and styles from files only, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
    // A test measures what the first load weighs.
    chunkSizeWarningLimit: 1000,
  },
  server: {
    // As if the page came from that server: it accepts cookies from its own pages only.
    proxy: {
      '/api': { target: SERVER, changeOrigin: true, headers: { origin: SERVER } },
      '/graphql': { target: SERVER, changeOrigin: true, headers: { origin: SERVER }, ws: true },
    },
  },
})
