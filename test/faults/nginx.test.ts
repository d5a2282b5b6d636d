import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { overSse, overWebSocket } from '../graphql/live.ts'
import { freePort } from '../support/child.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { isListening } from '../support/servers.ts'
import { until } from '../support/until.ts'

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find((path) => existsSync(path))
const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
const documented = /```nginx\n([\s\S]*?)\n```/.exec(page)?.[1] ?? ''

/** What stands in `http { … }`. */
const CONFIGURATIONS: [string, (port: number, upstream: string) => string][] = [
  [
    'that does nothing but pass on',
    (port, upstream) => `server { listen 127.0.0.1:${port}; location / { proxy_pass http://${upstream}; } }`,
  ],
  [
    'as the documentation configures it, but for TLS',
    (port, upstream) =>
      documented
        .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
        .replace(/^ *ssl_.*\n/gm, '')
        .replace('127.0.0.1:3000', upstream),
  ],
]

describe.each(CONFIGURATIONS)('behind an nginx %s', (name, configure) => {
  let folder: string
  let guddesk: TestGudDesk
  let nginx: ChildProcess
  let behind: TestGudDesk

  beforeAll(async () => {
    if (NGINX === undefined) throw new Error('nginx is not installed: apt-get install nginx-light')
    folder = await mkdtemp(join(tmpdir(), 'guddesk-nginx-'))
    await chmod(folder, 0o777)
    guddesk = await startGudDesk({ env: { TRUST_PROXY: '1' } })
    const port = await freePort()
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (what) => `${what}_temp_path ${folder}/${what};`,
    )
    const http = `access_log off; ${paths.join(' ')}\n${configure(port, new URL(guddesk.origin).host)}`
    const config = `daemon off; pid ${folder}/pid; error_log stderr; events {}\nhttp { ${http} }`
    await writeFile(join(folder, 'nginx.conf'), config)
    nginx = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')])
    const origin = `http://127.0.0.1:${port}`
    await until(() => isListening(origin))
    behind = { ...guddesk, origin }
  })

  afterAll(async () => {
    nginx?.kill('SIGTERM')
    await guddesk?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('an event stream begins at once, and each event comes as it happens', async () => {
    const asked = performance.now()
    const gone = new AbortController()
    const response = await fetch(`${behind.origin}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${guddesk.tenant.key}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
      },
      body: JSON.stringify({ query: 'subscription { events { event { type } } }' }),
      signal: gone.signal,
    })
    const first = await response.body?.getReader().read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe(':\n\n')
    expect(performance.now() - asked).toBeLessThan(2000)
    gone.abort()
    const live = overSse(behind)
    await until(async () => {
      await guddesk.newConversation()
      return live.events.length > 0
    }, 5000)
    expect(live.errors).toEqual([])
    await live.stop()
  })

  if (!name.startsWith('as the documentation')) return

  test('a WebSocket opens, and each event comes as it happens', async () => {
    const live = overWebSocket(behind)
    await until(async () => {
      await guddesk.newConversation()
      return live.events.length > 0
    }, 5000)
    expect(live.errors).toEqual([])
    await live.stop()
  })
})
