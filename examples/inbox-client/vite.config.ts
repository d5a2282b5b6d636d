import react from '@vitejs/plugin-react'
import { defineConfig, type ProxyOptions } from 'vite'

const url = process.env['GUDDESK_URL'] ?? 'http://localhost:3000'
const key = process.env['GUDDESK_API_KEY']
if (key === undefined && process.argv[2] !== 'build') throw new Error('Set GUDDESK_API_KEY to an API key of GudDesk')

/** The key stays in this process: the browser talks to it, and it talks to GudDesk. */
const proxy: Record<string, ProxyOptions> = {
  '/graphql': {
    target: url,
    changeOrigin: true,
    ws: true,
    headers: { authorization: `Bearer ${key}` },
    // GudDesk refuses pages of other origins; this process vouches for its own page.
    rewriteWsOrigin: true,
    configure: (server) => server.on('proxyReq', (request) => request.removeHeader('origin')),
  },
}

export default defineConfig({ plugins: [react()], server: { proxy }, preview: { proxy } })
