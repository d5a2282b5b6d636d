import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { connectRaw } from '../live.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

interface Fault {
  readonly message: string
  readonly extensions: Record<string, unknown>
}
type Ask = (body: { query: string; variables?: object; operationName?: string }, key?: string) => Promise<Fault[]>

const overHttp =
  (accept: string): Ask =>
  async (body, key = guddesk.tenant.key) => {
    const response = await fetch(`${guddesk.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    return JSON.parse(/^(?:data: )?({.+})$/m.exec(text)?.[1] ?? '').errors
  }

const overWebSocket: Ask = async (payload, key = guddesk.tenant.key) => {
  const socket = connectRaw(guddesk, { authorization: `Bearer ${key}` })
  socket.send({ id: '1', type: 'subscribe', payload })
  await until(() => socket.messages.length > 0)
  expect(socket.closedWith()).toBeNull()
  const [first] = socket.messages
  await socket.close()
  // Before anything ran it is a message of its own, afterwards a result.
  const got = first?.payload as Fault[] | { errors: Fault[] }
  return Array.isArray(got) ? got : got.errors
}

const TRANSPORTS: [string, Ask][] = [
  ['HTTP', overHttp('application/json')],
  ['HTTP by its newer media type', overHttp('application/graphql-response+json')],
  ['event streams', overHttp('text/event-stream')],
  ['WebSockets', overWebSocket],
]

const SUBSCRIPTION = 'subscription ($id: ID!) { conversation(id: $id) { __typename } }'
const FAULTS: [string, string, Parameters<Ask>][] = [
  ['a missing variable of a subscription', 'bad_request', [{ query: SUBSCRIPTION }]],
  ['a wrong variable of a subscription', 'bad_request', [{ query: SUBSCRIPTION, variables: { id: {} } }]],
  ['a missing variable', 'bad_request', [{ query: 'query ($id: ID!) { node(id: $id) { id } }' }]],
  ['an unknown operation name', 'bad_request', [{ query: 'query A { __typename }', operationName: 'B' }]],
  ['several operations without a name', 'bad_request', [{ query: 'query A { __typename } query B { __typename }' }]],
  ['a wrong key', 'unauthorized', [{ query: '{ viewer { role } }' }, 'gd_bad']],
  ['a wrong key of a subscription', 'unauthorized', [{ query: 'subscription { inbox { cursor } }' }, 'gd_bad']],
  ['what is not there', 'not_found', [{ query: SUBSCRIPTION, variables: { id: 'conv_01jy0000000000000000000000' } }]],
  ['a malformed cursor', 'bad_request', [{ query: 'subscription { events(after: "x") { cursor } }' }]],
  ['a field that is not there', 'GRAPHQL_VALIDATION_FAILED', [{ query: '{ nothing }' }]],
]

describe.each(FAULTS)('%s', (_what, code, asked) => {
  test.each(TRANSPORTS)(`is ${code} over %s, without what is meant for HTTP`, async (_transport, ask) => {
    const faults = await ask(...asked)
    expect(faults.map(({ extensions }) => extensions['code'])).toEqual([code])
    expect(faults[0]?.extensions).not.toHaveProperty('http')
    const [asInHttp] = await overHttp('application/json')(...asked)
    expect(faults[0]?.message).toBe(asInHttp?.message)
  })
})

test('an id that is still running is a conflict over WebSockets, and ends nothing else there', async () => {
  const { db } = guddesk.deps
  const gate = Promise.withResolvers<void>()
  const look = db.prepared
  const spy = vi.spyOn(db, 'prepared').mockImplementationOnce(async (...asked) => {
    await gate.promise
    return look(...asked)
  })
  const socket = connectRaw(guddesk, { authorization: `Bearer ${guddesk.tenant.key}` })
  const ask = (id: string) => socket.send({ id, type: 'subscribe', payload: { query: '{ viewer { role } }' } })
  ask('1')
  await until(() => spy.mock.calls.length > 0)
  // For its client it is over, and its id free.
  socket.send({ id: '1', type: 'complete' })
  ask('1')
  await until(() => socket.messages.length > 0)
  const message = 'An operation with this id is still running: use another id, or wait until it has finished'
  expect(socket.messages).toEqual([
    { id: '1', type: 'error', payload: [{ message, extensions: { code: 'conflict' } }] },
  ])
  ask('2')
  await until(() => socket.messages.some(({ id, type }) => id === '2' && type === 'next'))
  gate.resolve()
  spy.mockRestore()
  // Once it has ended, the id may be used again.
  await until(async () => {
    const before = socket.messages.length
    ask('1')
    await until(() => socket.messages.length > before)
    return socket.messages.slice(before).some(({ id, type }) => id === '1' && type === 'next')
  })
  expect(socket.closedWith()).toBeNull()
  await socket.close()
})

describe('an operation name that is empty', () => {
  test.each(TRANSPORTS)('is none, over %s', async (_transport, ask) => {
    expect(await ask({ query: '{ __typename nothing }', operationName: '' })).toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ])
    const query = 'query A { __typename } query B { __typename }'
    expect(await ask({ query, operationName: '' })).toMatchObject([{ extensions: { code: 'bad_request' } }])
  })

  test('runs the only operation', async () => {
    for (const query of ['{ __typename }', 'query Named { __typename }']) {
      for (const accept of ['application/json', 'application/json;q=1']) {
        const { data } = await guddesk.call('POST', '/graphql', { query, operationName: '' }, { headers: { accept } })
        expect(data).toEqual({ __typename: 'Query' })
      }
      const search = new URLSearchParams({ query, operationName: '' })
      expect((await guddesk.call('GET', `/graphql?${search}`)).data).toEqual({ __typename: 'Query' })
      const socket = connectRaw(guddesk, {})
      socket.send({ id: '1', type: 'subscribe', payload: { query, operationName: '' } })
      await until(() => socket.messages.length > 0)
      expect(socket.messages[0]).toMatchObject({ type: 'next', payload: { data: { __typename: 'Query' } } })
      await socket.close()
    }
  })
})

describe('a malformed cursor names its argument', () => {
  test.each(['', 'x', 'WzFd'])('%j', async (cursor) => {
    const faultOf = async (text: string) => (await guddesk.graphql(text)).body.errors[0].extensions.fields
    const given = JSON.stringify(cursor)
    for (const list of ['conversations', 'visitors', 'events', 'deliveries']) {
      const [after] = await faultOf(`{ ${list}(after: ${given}) { totalCount } }`)
      expect(after).toEqual({
        path: ['after'],
        code: 'invalid',
        message: expect.stringMatching(/^is invalid: pass a cursor/),
      })
      const [before] = await faultOf(`{ ${list}(before: ${given}) { totalCount } }`)
      expect(before).toMatchObject({ path: ['before'] })
    }
    const id = await guddesk.newConversation()
    for (const field of ['events { cursor }', 'inbox { cursor }', 'conversation { __typename }']) {
      const [name = '', rest = ''] = field.split(/ (.+)/)
      const own = name === 'conversation' ? `, id: "${id}"` : ''
      const query = `subscription { ${name}(after: ${given}${own}) ${rest} }`
      const [fault] = await overWebSocket({ query })
      expect(fault?.extensions['fields']).toMatchObject([{ path: ['after'] }])
    }
  })

  test('which is `cursor` in REST', async () => {
    const { error } = await guddesk.call('GET', '/api/v1/customers?cursor=x')
    expect(error.fields).toMatchObject([{ path: 'cursor' }])
  })
})

describe('what cannot be answered as asked', () => {
  async function ask(query: string, accept: string) {
    const response = await fetch(`${guddesk.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${guddesk.tenant.key}` },
      body: JSON.stringify({ query }),
    })
    return { status: response.status, type: response.headers.get('content-type'), body: await response.json() }
  }

  test.each([
    'application/json',
    'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json',
    'text/html',
  ])('a subscription for %s is 406, and says what to accept', async (accept) => {
    const { status, type, body } = await ask('subscription { deliveries { created } }', accept)
    expect([status, type]).toEqual([406, 'application/json; charset=utf-8'])
    const message = 'A subscription is a stream: send Accept: text/event-stream, or use a WebSocket with graphql-ws'
    expect(body).toEqual({ errors: [{ message, extensions: { code: 'not_acceptable' } }] })
  })

  test('many of them leave nothing behind', async () => {
    const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    const query = 'subscription { deliveries { created } }'
    const headers = { accept: 'application/json' }
    const ask = () => guddesk.call('POST', '/graphql', { query }, { key, headers })
    // One credential has 2,000 subscriptions at most.
    for (let asked = 0; asked < 2100; asked += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, ask))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([406]))
    }
  }, 120_000)

  test('a query for another media type, too', async () => {
    const { status, body } = await ask('{ __typename }', 'application/xml')
    expect(status).toBe(406)
    const message = 'Send Accept: application/json or application/graphql-response+json'
    expect(body).toEqual({ errors: [{ message, extensions: { code: 'not_acceptable' } }] })
  })

  test('a method that GraphQL does not have is 405', async () => {
    const mutation = new URLSearchParams({ query: 'mutation { upsertVisitor(input: {}) { __typename } }' })
    for (const answer of [
      await guddesk.call('PUT', '/graphql', {}),
      await guddesk.call('DELETE', '/graphql'),
      await guddesk.call('GET', `/graphql?${mutation}`),
    ]) {
      expect(answer.status).toBe(405)
      expect(answer.body.errors).toMatchObject([{ extensions: { code: 'method_not_allowed' } }])
    }
  })
})
