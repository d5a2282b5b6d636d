import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/infra/config.ts'
import { openDatabase } from '../../src/infra/database/db.ts'
import { createLog } from '../../src/infra/log.ts'
import { overSse, overWebSocket } from '../graphql/live.ts'
import { type Installation, newInstallation } from '../support/child.ts'
import { createPostgres } from '../support/database.ts'
import { startGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { REDIS_URL } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { startPgBouncer } from './servers.ts'

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
const documented = /```ini\n([\s\S]*?)\n```/.exec(page)?.[1] ?? ''

let installation: Installation
let receiver: Receiver
let cleanup: (() => Promise<void>)[]
/** PostgreSQL itself. */
let url: string

beforeEach(async () => {
  cleanup = []
  installation = await newInstallation({ isNew: true })
  receiver = await startReceiver()
  const postgres = await createPostgres()
  url = postgres.url
  cleanup.push(postgres.drop)
})
afterEach(async () => {
  await receiver?.close()
  for (const step of cleanup.reverse()) await step()
  await installation?.remove()
})

/** The documented PgBouncer with other settings where they are given; the URL of the database behind it. */
async function pooler(settings: Record<string, string> = {}): Promise<string> {
  const { hostname, port: behind, username, password, pathname } = new URL(url)
  const name = pathname.slice(1)
  const place = [`host=${hostname}`, `port=${behind || 5432}`, `dbname=${name}`, `user=${username || 'postgres'}`]
  if (password !== '') place.push(`password=${decodeURIComponent(password)}`)
  const bouncer = await startPgBouncer((port) => {
    const all = { ...settings, listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '', auth_type: 'any' }
    const ini = documented.replace(/^guddesk = .*$/m, `${name} = ${place.join(' ')}`).replace(/^auth_.*\n/gm, '')
    return `${ini}\n${Object.entries(all)
      .map((setting) => `${setting.join(' = ')}\n`)
      .join('')}`
  })
  cleanup.push(() => bouncer.remove())
  return `postgresql://postgres@127.0.0.1:${bouncer.port}/${name}`
}

/** What the server and `npm run migrate` say, which is the same; neither starts. */
async function refusal(env: Record<string, string>): Promise<string> {
  const [server, migrate] = [
    await installation.runWith({ ...env, PORT: '0' }, 'main'),
    await installation.runWith(env, 'migrate'),
  ]
  expect([server.code, migrate.code]).toEqual([1, 1])
  expect(migrate.output).toBe(server.output)
  expect(server.output).not.toMatch(/^ +at /m)
  return server.output
}

const IGNORING = { ignore_startup_parameters: 'options' }

describe('without DIRECT_DATABASE_URL', () => {
  test.each([
    ['as documented', {}],
    ['that ignores options', IGNORING],
    ['that ignores options and has one session', { ...IGNORING, default_pool_size: '1' }],
    ['that ignores options and takes sessions in turn', { ...IGNORING, server_round_robin: '1' }],
  ])('a node behind a PgBouncer %s says what to set', async (_name, settings) => {
    expect(await refusal({ DATABASE_URL: await pooler(settings) })).toMatch(
      /^DATABASE_URL connects through a connection pooler (that reports|in transaction mode).*Set DIRECT_DATABASE_URL to the same database without the pooler/,
    )
  })

  test('a PgBouncer that works by session is like PostgreSQL', async () => {
    const env = { DATABASE_URL: await pooler({ ...IGNORING, pool_mode: 'session' }) }
    expect(await installation.runWith(env, 'migrate')).toEqual({
      code: 0,
      output: expect.stringMatching(/^Applied: /m),
    })
  })
})

describe('with DIRECT_DATABASE_URL', () => {
  test('everything works, and nothing fails under many requests at a time', async () => {
    const env = { DATABASE_URL: await pooler(), DIRECT_DATABASE_URL: url, REDIS_URL }
    const db = await openDatabase(readConfig(env), createLog('silent'))
    const guddesk = await startGudDesk({ db })
    cleanup.push(() => guddesk.stop())
    const live = [overSse(guddesk), overWebSocket(guddesk)]
    await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url })
    const conversationId = await guddesk.newConversation()
    await receiver.waitFor(1)
    await until(async () => {
      await guddesk.newConversation()
      return live.every(({ events }) => events.length > 0)
    }, 10_000)

    const requests: (() => Promise<{ status: number; body: unknown }>)[] = [
      () => guddesk.call('GET', '/api/v1/conversations'),
      () => guddesk.call('GET', `/api/v1/conversations/${conversationId}`),
      () =>
        guddesk.graphql(
          '{ conversations(first: 5) { edges { node { id visitor { name } messages(first: 2) { edges { node { id } } } } } } }',
        ),
      () => guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { body: 'Hello', type: 'AGENT' }),
    ]
    const before = receiver.received.length
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => requests[i % requests.length]?.()))
    const faults = answers.filter(
      (answer) => answer === undefined || answer.status >= 300 || /"errors"/.test(JSON.stringify(answer.body)),
    )
    expect(faults).toEqual([])
    expect(await db.sql('SELECT FROM pg_prepared_statements')).toEqual([])
    await receiver.waitFor(before + 50, 20_000)
    expect(await (await fetch(`${guddesk.origin}/healthz`)).json()).toEqual({ data: { status: 'ok' } })
    for (const { errors, stop } of live) {
      expect(errors).toEqual([])
      await stop()
    }
    expect(guddesk.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })

  test('migrations, commands and a node without Redis run, and the node lets go of the database', async () => {
    const env = { DATABASE_URL: await pooler(), DIRECT_DATABASE_URL: url, REDIS_URL: '' }
    expect((await installation.runWith(env, 'migrate')).output).toMatch(/^Applied: /m)
    expect((await installation.runWith(env, 'migrate')).output).toBe('No migrations to apply.\n')
    for (let starts = 0; starts < 2; starts++) {
      const child = await installation.start(env)
      child.signal('SIGTERM')
      expect(await child.exited()).toBe(0)
    }
    expect((await installation.runWith(env, 'sign-in-link', 'owner@localhost')).code).toBe(0)
  })

  test.each([
    [
      'works by statement',
      async () => ({ DATABASE_URL: await pooler({ pool_mode: 'statement' }), DIRECT_DATABASE_URL: url }),
      /^DATABASE_URL .*by transaction or by session/,
    ],
    [
      'is in DIRECT_DATABASE_URL, too',
      async () => ({ DATABASE_URL: await pooler(), DIRECT_DATABASE_URL: await pooler(IGNORING) }),
      /^DIRECT_DATABASE_URL .*PostgreSQL itself/,
    ],
    [
      'leads to another database',
      async () => {
        const other = await createPostgres()
        cleanup.push(other.drop)
        return { DATABASE_URL: await pooler(), DIRECT_DATABASE_URL: other.url }
      },
      /^DATABASE_URL and DIRECT_DATABASE_URL lead to different databases/,
    ],
  ])('a pooler that %s is refused', async (_name, env, sentence) => {
    expect(await refusal(await env())).toMatch(sentence)
  })

  test('settings that the pooler cannot be given are named with the statements that make them', async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const name = new URL(url).pathname.slice(1)
    await client.query(`ALTER DATABASE ${name} SET timezone = 'Asia/Kolkata'`)
    await client.query(`ALTER DATABASE ${name} SET datestyle = 'German'`)
    await client.query(`ALTER DATABASE ${name} SET search_path = other`)
    const said = await refusal({
      DATABASE_URL: await pooler(),
      DIRECT_DATABASE_URL: `${url}?options=-csearch_path%3Dpublic`,
    })
    const statements = said.match(/^ {2}ALTER ROLE .*;$/gm) ?? []
    expect(statements).toHaveLength(3)
    await client.query(statements.join('\n'))
    await client.end()
    const env = { DATABASE_URL: await pooler(), DIRECT_DATABASE_URL: url }
    expect((await installation.runWith(env, 'migrate')).output).toMatch(/^Applied: /m)
  })
})
