import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPages } from '../../../src/http/pages/dashboard.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

let guddesk: TestGudDesk
beforeAll(async () => {
  guddesk = await startGudDesk({ pages: readPages() })
})
afterAll(() => guddesk.stop())

interface Got {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

/** Not fetch, which decompresses by itself. */
function get(path: string, headers: Record<string, string> = HTML, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    request(guddesk.origin + path, { method, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      )
    })
      .once('error', reject)
      .end()
  })
}

async function scriptPath(): Promise<string> {
  const { body } = await get('/')
  const path = /src="(\/assets\/[^"]+\.js)"/.exec(body.toString())?.[1]
  if (path === undefined) throw new Error(`no script in ${body}`)
  return path
}

describe('the page', () => {
  test.each(['/', '/w/acme/inbox/mine/conv_1', '/sign-in?next=%2F', '/invitations/abc', '/index.html'])(
    '%s is answered to who asks for HTML',
    async (path) => {
      const { status, headers, body } = await get(path)
      expect(status).toBe(200)
      expect(headers['content-type']).toBe('text/html; charset=utf-8')
      expect(headers['cache-control']).toBe('no-cache')
      expect(body.toString()).toContain('<div id="root">')
    },
  )

  test.each(['/api', '/api/v1/nothing', '/api/auth/nothing', '/assets/gone.js', '/assets/'])(
    '%s stays a JSON 404',
    async (path) => {
      const { status, headers, body } = await get(path)
      expect(status).toBe(404)
      expect(headers['content-type']).toMatch(/^application\/json/)
      expect(JSON.parse(body.toString()).error.code).toBe('not_found')
    },
  )

  test('programs, which do not ask for HTML by name, get the JSON 404', async () => {
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
      expect((await get('/w/acme', headers)).status).toBe(404)
    }
    expect((await get('/w/acme', HTML, 'POST')).status).toBe(404)
  })

  test('allows nothing inline, nothing from elsewhere, and no frame', async () => {
    const { headers, body } = await get('/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|nonce/)
    expect(body.toString()).not.toMatch(/<style|style=|<script>|\son\w+="/)
  })

  test('is 304 for who has it, and HEAD has no body', async () => {
    const { headers } = await get('/')
    const again = await get('/w/acme/live', { ...HTML, 'if-none-match': String(headers['etag']) })
    expect(again.status).toBe(304)
    expect(again.body).toHaveLength(0)
    const head = await get('/', HTML, 'HEAD')
    expect(head.status).toBe(200)
    expect(head.body).toHaveLength(0)
  })
})

describe('files', () => {
  test('with a hash in their name are kept for ever', async () => {
    const { status, headers } = await get(await scriptPath(), {})
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test('come compressed as the client likes, each form with its own ETag', async () => {
    const path = await scriptPath()
    const plain = await get(path, { 'accept-encoding': 'identity' })
    const gzip = await get(path, { 'accept-encoding': 'gzip' })
    const brotli = await get(path, { 'accept-encoding': 'gzip, deflate, br' })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(brotli.headers['content-encoding']).toBe('br')
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true)
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true)
    expect(new Set([plain, gzip, brotli].map(({ headers }) => headers['etag'])).size).toBe(3)
    for (const { headers } of [plain, gzip, brotli]) expect(headers['vary']).toContain('Accept-Encoding')
  })

  test('without a hash are asked for again each time', async () => {
    const { status, headers } = await get('/color-scheme.js', {})
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-cache')
  })

  test.each(['/.sources', '/.vite/manifest.json', '/../package.json', '/%2e%2e/package.json'])(
    '%s is not served',
    async (path) => {
      expect((await get(path, {})).status).toBe(404)
    },
  )
})

describe('a process without the dashboard', () => {
  test('says how to build it, and the API works', async () => {
    const bare = await startGudDesk()
    try {
      const page = await fetch(bare.origin, { headers: HTML })
      expect(page.status).toBe(503)
      expect(await page.text()).toContain('npm run build')
      expect((await bare.call('GET', '/api/v1/conversations')).status).toBe(200)
    } finally {
      await bare.stop()
    }
  })

  test('without the role api serves none', async () => {
    const dispatcher = await startGudDesk({ env: { GUDDESK_ROLES: 'dispatcher' }, pages: readPages() })
    try {
      expect((await fetch(dispatcher.origin, { headers: HTML })).status).toBe(404)
    } finally {
      await dispatcher.stop()
    }
  })
})
