import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, fetchExchange } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { connectRaw } from '../live.ts'

const TEXT = 'query Viewer { viewer { actor { displayName } } }'
const TRUSTED = 'query Trusted { viewer { workspace { id } } }'
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const extensionsOf = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: hashOf(text) } })

let folder: string
let any: TestGudDesk
let trusting: TestGudDesk

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guddesk-manifest-'))
  const path = join(folder, 'manifest.json')
  await writeFile(path, JSON.stringify({ [hashOf(TRUSTED)]: TRUSTED }))
  any = await startGudDesk()
  trusting = await startGudDesk({ env: { GRAPHQL_DOCUMENTS: path } })
})

afterAll(async () => {
  await any?.stop()
  await trusting?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** urql, and what it sent. */
function urql(guddesk: TestGudDesk, preferGetForPersistedQueries: boolean) {
  const sent: { method: string; hasText: boolean }[] = []
  const client = new Client({
    url: `${guddesk.origin}/graphql`,
    preferGetMethod: false,
    exchanges: [persistedExchange({ preferGetForPersistedQueries }), fetchExchange],
    fetchOptions: { headers: { authorization: `Bearer ${guddesk.tenant.key}` } },
    fetch: (input, init) => {
      const { method = 'GET', body } = init ?? {}
      sent.push({
        method,
        hasText: String(body ?? new URL(String(input)).searchParams.get('query') ?? '').includes('viewer'),
      })
      return fetch(input, init)
    },
  })
  return { client, sent }
}

describe.each([
  ['POST', false],
  ['GET', true],
])('urql with persisted queries by %s', (method, byGet) => {
  test('sends the text when it is told to, and from then on no hash alone', async () => {
    const { client, sent } = urql(any, byGet)
    const first = await client.query(TEXT, {})
    expect(first.error).toBeUndefined()
    expect(first.data).toMatchObject({ viewer: { actor: { displayName: 'First key' } } })
    expect(sent).toMatchObject([{ method, hasText: false }, { hasText: true }])
    const second = await client.query('query Other { viewer { role } }', {})
    expect(second.error).toBeUndefined()
    expect(sent.slice(2)).toMatchObject([{ hasText: true }])
  })
})

/** As Apollo Client's PersistedQueryLink sends them, and the words that it goes by. */
describe.each(['application/json', 'application/graphql-response+json,application/json;q=0.9'])(
  'Apollo’s protocol, for %s',
  (accept) => {
    const post = (guddesk: TestGudDesk, body: object) => guddesk.call('POST', '/graphql', body, { headers: { accept } })
    const get = (guddesk: TestGudDesk, extensions: object) => {
      const search = new URLSearchParams({
        operationName: 'Viewer',
        variables: '{}',
        extensions: JSON.stringify(extensions),
      })
      return guddesk.call('GET', `/graphql?${search}`, undefined, { headers: { accept } })
    }
    const NOT_SUPPORTED = {
      errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
    }
    const NOT_FOUND = {
      errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    }

    test('is not supported, by POST and GET, and a text is what runs', async () => {
      const extensions = extensionsOf(TEXT)
      const alone = { operationName: 'Viewer', variables: {}, extensions }
      for (const answer of [
        await post(any, alone),
        await get(any, extensions),
        await post(any, { ...alone, query: '' }),
      ]) {
        expect([answer.status, answer.body]).toEqual([200, NOT_SUPPORTED])
        expect(answer.headers.get('cache-control')).toBe('private, no-cache, must-revalidate')
      }
      const both = await post(any, { ...alone, query: TEXT })
      expect(both.data).toEqual({ viewer: { actor: { displayName: 'First key' } } })
    })

    test('finds trusted documents, and says what is none', async () => {
      const found = { viewer: { workspace: { id: trusting.tenant.workspaceId } } }
      expect((await post(trusting, { extensions: extensionsOf(TRUSTED) })).data).toEqual(found)
      const extensions = extensionsOf(TEXT)
      for (const answer of [await post(trusting, { extensions }), await get(trusting, extensions)]) {
        expect([answer.status, answer.body]).toEqual([200, NOT_FOUND])
      }
      // What the client does then.
      const { status, body } = await post(trusting, { query: TEXT, extensions })
      expect([status, body.errors[0].extensions.code]).toEqual([400, 'untrusted_document'])
      // And it goes on asking for the others by their hash.
      expect((await post(trusting, { extensions: extensionsOf(TRUSTED) })).data).toEqual(found)
    })
  },
)

test('over a WebSocket, too', async () => {
  for (const [guddesk, message] of [
    [any, 'PersistedQueryNotSupported'],
    [trusting, 'PersistedQueryNotFound'],
  ] as const) {
    const socket = connectRaw(guddesk, { authorization: `Bearer ${guddesk.tenant.key}` })
    socket.send({ id: '1', type: 'subscribe', payload: { query: '', extensions: extensionsOf(TEXT) } })
    await until(() => socket.messages.length > 0)
    expect(socket.messages[0]).toMatchObject({ type: 'error', payload: [{ message }] })
    expect(socket.closedWith()).toBeNull()
    await socket.close()
  }
})
