import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getOperationAST, parse, validate } from 'graphql'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { readManifest } from '../../../src/graphql/trusted-documents.ts'
import { ConfigError } from '../../../src/infra/config.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

const VIEWER = 'query Viewer { viewer { actor { displayName } } }'
const NODE = 'query Node($id: ID!) { node(id: $id) { id } }'
const CREATE = 'mutation Create($input: UpsertVisitorInput!) { upsertVisitor(input: $input) { __typename } }'
const FOLLOW = 'subscription Follow { events(filter: { types: CONVERSATION_CREATED }) { event { type } } }'
const UNKNOWN = 'mutation { upsertVisitor(input: { name: "x" }) { __typename } }'

const idOf = (text: string) => createHash('sha256').update(text).digest('hex')
const persisted = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: idOf(text) } })

let folder: string
let guddesk: TestGudDesk

/** A manifest's path. */
async function manifest(content: unknown): Promise<string> {
  const path = join(folder, `${Math.random()}.json`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const all = (texts: string[]) => Object.fromEntries(texts.map((text) => [idOf(text), text]))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guddesk-manifest-'))
  const path = await manifest(all([VIEWER, NODE, CREATE, FOLLOW]))
  guddesk = await startGudDesk({ env: { GRAPHQL_DOCUMENTS: path } })
})

afterAll(async () => {
  await guddesk?.stop()
  await rm(folder, { recursive: true, force: true })
})

const post = (body: object, headers: Record<string, string> = {}) => guddesk.call('POST', '/graphql', body, { headers })

function expectRefused({ status, body }: { status: number; body: unknown }): void {
  expect(status).toBe(400)
  expect(body).toEqual({
    errors: [{ message: expect.stringContaining('SHA-256'), extensions: { code: 'untrusted_document' } }],
  })
}

describe('a trusted document', () => {
  test.each([
    ['its documentId', { documentId: idOf(VIEWER) }],
    ['its documentId with the name of the hash', { documentId: `sha256:${idOf(VIEWER)}` }],
    ['the extension of persisted queries', { extensions: persisted(VIEWER) }],
    ['an id beside its text', { query: VIEWER, extensions: persisted(VIEWER) }],
    ['an id beside another text', { query: UNKNOWN, documentId: idOf(VIEWER) }],
    ['an id beside what is no text', { query: '{{{', documentId: idOf(VIEWER) }],
  ])('runs by %s', async (_name, body) => {
    // The second accept header takes the way through Yoga's own HTTP layer.
    for (const accept of ['application/json', 'application/json;q=1']) {
      const { status, data } = await post(body, { accept })
      expect([status, data]).toEqual([200, { viewer: { actor: { displayName: 'First key' } } }])
    }
    expect(await guddesk.deps.db.prisma.visitor.count()).toBe(0)
  })

  test('has variables, and may be asked for by GET', async () => {
    const id = guddesk.tenant.memberId
    expect((await post({ documentId: idOf(NODE), variables: { id } })).data).toEqual({ node: { id } })
    const search = new URLSearchParams({
      extensions: JSON.stringify(persisted(NODE)),
      variables: JSON.stringify({ id }),
    })
    expect((await guddesk.call('GET', `/graphql?${search}`)).data).toEqual({ node: { id } })
    const mutation = new URLSearchParams({ extensions: JSON.stringify(persisted(CREATE)) })
    expect((await guddesk.call('GET', `/graphql?${mutation}`)).status).toBe(405)
  })

  test('that is a mutation, changes', async () => {
    const { data } = await post({ documentId: idOf(CREATE), variables: { input: { name: 'Vera' } } })
    expect(data.upsertVisitor.__typename).toBe('UpsertVisitorPayload')
    await guddesk.deps.db.prisma.visitor.deleteMany()
  })

  test('that is a subscription, is no query in disguise', async () => {
    const gone = new AbortController()
    const response = await fetch(`${guddesk.origin}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${guddesk.tenant.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }', documentId: idOf(FOLLOW) }),
      signal: gone.signal,
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    gone.abort()
  })
})

describe('anything else', () => {
  const REQUESTS: [string, object][] = [
    ['a text', { query: UNKNOWN }],
    ['a trusted text without its id', { query: VIEWER }],
    ['an unknown id', { documentId: idOf(UNKNOWN) }],
    ['an unknown id beside its text', { query: UNKNOWN, extensions: persisted(UNKNOWN) }],
    ['an id beside a property of every object', { documentId: 'constructor', query: UNKNOWN }],
    ['an id that is no text', { documentId: 1, query: UNKNOWN }],
    ['the schema', { query: '{ __schema { types { name } } }' }],
    ['nothing', {}],
  ]

  test.each(REQUESTS)('is refused: %s', async (_name, body) => {
    for (const accept of ['application/json', 'application/json;q=1']) expectRefused(await post(body, { accept }))
    expect(await guddesk.deps.db.prisma.visitor.count()).toBe(0)
  })

  test('is refused by GET and in event streams too', async () => {
    expectRefused(await guddesk.call('GET', `/graphql?${new URLSearchParams({ query: VIEWER })}`))
    const response = await fetch(`${guddesk.origin}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${guddesk.tenant.key}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
      },
      body: JSON.stringify({ query: 'subscription { events { cursor } }' }),
    })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('untrusted_document')
  })
})

test('event streams follow a trusted subscription', async () => {
  const gone = new AbortController()
  const response = await fetch(`${guddesk.origin}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${guddesk.tenant.key}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: JSON.stringify({ documentId: idOf(FOLLOW) }),
    signal: gone.signal,
  })
  expect(response.status).toBe(200)
  await guddesk.newConversation()
  let seen = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    seen += decoder.decode(chunk, { stream: true })
    if (seen.includes('CONVERSATION_CREATED')) break
  }
  expect(seen).toContain('CONVERSATION_CREATED')
  gone.abort()
})

test('WebSockets run trusted documents by id, and refuse each other operation alone', async () => {
  const client = createClient({
    url: `${guddesk.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${guddesk.tenant.key}` },
    retryAttempts: 0,
  })
  const events: unknown[] = []
  const stop = client.subscribe(
    { query: '', extensions: persisted(FOLLOW) },
    { next: ({ data }) => void events.push(data), error: () => undefined, complete: () => undefined },
  )
  const first = async (payload: { query: string; extensions?: Record<string, unknown> }) => {
    try {
      for await (const result of client.iterate(payload)) return result
    } catch (error) {
      return { errors: error }
    }
    return null
  }
  expect(await first({ query: UNKNOWN, extensions: persisted(VIEWER) })).toMatchObject({
    data: { viewer: { actor: { displayName: 'First key' } } },
  })
  for (const payload of [{ query: VIEWER }, { query: UNKNOWN, extensions: persisted(UNKNOWN) }, { query: '' }]) {
    expect(await first(payload)).toMatchObject({ errors: [{ extensions: { code: 'untrusted_document' } }] })
  }
  await until(async () => {
    if (events.length === 0) await guddesk.newConversation()
    return events.length > 0
  })
  expect(events[0]).toEqual({ events: { event: { type: 'CONVERSATION_CREATED' } } })
  stop()
  await client.dispose()
})

test('ids are kept for what they stand for: another text under it is never found afterwards', async () => {
  await post({ query: UNKNOWN, documentId: idOf(VIEWER) })
  await post({ query: '', documentId: idOf(VIEWER) })
  for (const query of [UNKNOWN, '']) expectRefused(await post({ query }))
})

describe('a manifest', () => {
  test.each([
    ['is not there', () => join(folder, 'nothing.json'), 'cannot be read'],
    ['is no JSON', () => manifest('{'), 'cannot be read as JSON'],
    ['is a list', () => manifest([VIEWER]), 'must be an object'],
    ['has what is no text', () => manifest({ [idOf(VIEWER)]: 1 }), 'must be an object'],
    ['is empty', () => manifest({}), 'no document'],
    ['has a text under another’s hash', () => manifest({ [idOf(NODE)]: VIEWER }), 'is not its key'],
  ] as const)('that %s stops the start with a sentence', async (_name, path, message) => {
    const given = await path()
    expect(() => readManifest(given)).toThrow(ConfigError)
    expect(() => readManifest(given)).toThrow(message)
    expect(() => readManifest(given)).toThrow('GRAPHQL_DOCUMENTS')
  })
})

describe('the dashboard’s manifest', () => {
  test('has documents that are valid, and may be run as they are', async () => {
    const documents = [...readManifest('dashboard/documents.json').values()]
    expect(documents.length).toBeGreaterThan(5)
    const desk = await startGudDesk({ env: { GRAPHQL_DOCUMENTS: 'dashboard/documents.json' } })
    try {
      for (const text of documents) {
        const document = parse(text)
        expect([text, validate(schema, document)]).toEqual([text, []])
        const operation = getOperationAST(document)
        expect(operation?.name?.value).toMatch(/^[A-Z]/)
        if (operation?.operation === 'subscription') continue
        // Without their variables most of them fail, for that reason: neither as unknown nor as too large.
        const { body } = await desk.call('POST', '/graphql', { documentId: idOf(text), variables: { first: 12 } })
        const codes = (body.errors ?? []).map(({ extensions }: { extensions: { code: string } }) => extensions.code)
        expect([text, ...codes]).not.toContain('untrusted_document')
        expect(body.errors?.some(({ extensions }: { extensions: object }) => 'limit' in extensions) ?? false).toBe(
          false,
        )
      }
    } finally {
      await desk.stop()
    }
  })

  test('is written for people to read: one document a line', async () => {
    const text = await readFile('dashboard/documents.json', 'utf8')
    expect(text.split('\n').filter((line) => line.startsWith('  "')).length).toBe(Object.keys(JSON.parse(text)).length)
  })
})
