import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Resolve } from '../../../src/infra/net/resolve.ts'
import { makeObjects, type Objects } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { connectRaw, type RawConnection } from '../live.ts'
import { countOf, isIdle, keysOf, SEND, type Send, sender } from './requests.ts'

let guddesk: TestGudDesk
let own: Objects
let send: Send
/** What asking a name server waits for. */
let names = Promise.withResolvers<void>()
names.resolve()

const lookUp: Resolve = async () => {
  await names.promise
  return ['93.184.215.14']
}

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' }, resolve: lookUp })
  send = sender(guddesk)
  own = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

const message = (body: string, conversationId = own.conversationId) => ({ conversationId, body })

describe('connections', () => {
  const REGISTER = `mutation ($url: URL!) { registerWebhookEndpoint(input: { url: $url }) {
    endpoint { id url agent { id } } secret error { code } } }`

  test('are not held while a name server is asked', async () => {
    names = Promise.withResolvers()
    const url = 'https://slow.example.com/hook'
    const before = await keysOf(guddesk)
    const registering = send(REGISTER, { url }, randomUUID())
    await until(async () => (await keysOf(guddesk)) === before + 1)
    // On the embedded database there is one connection for everybody.
    expect((await send('{ viewer { role } }', {}, null)).status).toBe(200)
    expect(isIdle(guddesk)).toBe(true)
    names.resolve()
    expect((await registering).body.data.registerWebhookEndpoint.error).toBe(null)
  })

  test('come back when a client leaves in the middle, whose request ends all the same', async () => {
    names = Promise.withResolvers()
    const [url, key, before] = ['https://left.example.com/hook', randomUUID(), await keysOf(guddesk)]
    const leaving = new AbortController()
    const left = send(REGISTER, { url }, key, { signal: leaving.signal }).catch((error: unknown) => error)
    await until(async () => (await keysOf(guddesk)) === before + 1)
    leaving.abort()
    expect(await left).toBeInstanceOf(DOMException)
    names.resolve()
    let again = await send(REGISTER, { url }, key)
    await until(async () => {
      if (again.status === 409) again = await send(REGISTER, { url }, key)
      return again.status === 200
    })
    expect([again.replayed, again.body.data.registerWebhookEndpoint.endpoint.url]).toEqual(['true', url])
    await until(() => isIdle(guddesk))
  })

  test('are enough for many mutations with keys at once', async () => {
    const bodies = Array.from({ length: 60 }, (_, i) => `many ${i}`)
    const answers = await Promise.all(bodies.map((body) => send(SEND, message(body), randomUUID())))
    expect(answers.filter(({ status, body }) => status !== 200 || body.errors || body.data.sendMessage.error)).toEqual(
      [],
    )
    expect(await guddesk.deps.db.prisma.message.count({ where: { body: { in: bodies } } })).toBe(60)
    expect(isIdle(guddesk)).toBe(true)
  })
})

describe('over a WebSocket', () => {
  interface Result {
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    readonly data?: any
    readonly errors?: { message: string; extensions: Record<string, unknown> }[]
    readonly extensions?: Record<string, unknown>
  }

  let asked = 0
  const payloadOf = (query: string, variables: object, idempotencyKey: unknown) => ({
    query,
    variables,
    extensions: { idempotencyKey },
  })

  async function ask(socket: RawConnection, payload: object): Promise<Result> {
    const id = String(++asked)
    socket.send({ id, type: 'subscribe', payload })
    const ofThis = () => socket.messages.filter((each) => each.id === id)
    await until(() => ofThis().length > 0)
    return ofThis()[0]?.payload as Result
  }

  const connect = (key = guddesk.tenant.key) => connectRaw(guddesk, { authorization: `Bearer ${key}` })

  test('extensions.idempotencyKey of a message is its key, and the answer says that it is a repeated one', async () => {
    const socket = connect()
    const [key, body] = [randomUUID(), 'over a socket']
    const first = await ask(socket, payloadOf(SEND, message(body), key))
    const second = await ask(socket, payloadOf(SEND, message(body), key))
    expect(first.extensions).not.toHaveProperty('idempotencyReplayed')
    expect(second).toEqual({ ...first, extensions: { ...first.extensions, idempotencyReplayed: true } })
    const other = await ask(socket, payloadOf(SEND, message('other'), key))
    expect(other.errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'unprocessable' }])
    const overHttp = await send(SEND, message(body), key)
    expect([overHttp.replayed, overHttp.body.data]).toEqual(['true', first.data])
    expect(await countOf(guddesk, body)).toBe(1)
    await socket.close()
  })

  test('20 at once on two sockets make one message', async () => {
    const sockets = [connect(), connect()]
    const [key, body] = [randomUUID(), 'raced on sockets']
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(sockets[i % 2] ?? connect(), payloadOf(SEND, message(body), key))),
    )
    expect(await countOf(guddesk, body)).toBe(1)
    const codes = results.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions['code']))
    expect(codes).toEqual(codes.map(() => 'conflict'))
    expect(new Set(results.flatMap(({ data }) => (data ? [data.sendMessage.message.id] : []))).size).toBe(1)
    await Promise.all(sockets.map((socket) => socket.close()))
  })

  test('a key that is none, several fields and a closed socket are as over HTTP', async () => {
    const socket = connect()
    for (const key of ['', 7, 'x'.repeat(256)]) {
      const { errors } = await ask(socket, payloadOf(SEND, message('never'), key))
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'bad_request',
        fields: [{ path: ['extensions', 'idempotencyKey'] }],
      })
    }
    const create = (alias: string) => `${alias}: upsertVisitor(input: { name: "socket" }) { visitor { id } }`
    const { errors } = await ask(socket, payloadOf(`mutation { ${create('a')} ${create('b')} }`, {}, randomUUID()))
    expect(errors?.[0]?.message).toMatch(/exactly one field/)
    const [key, body] = [randomUUID(), 'closed in the middle']
    const before = await keysOf(guddesk)
    socket.send({ id: 'last', type: 'subscribe', payload: payloadOf(SEND, message(body), key) })
    await until(async () => (await keysOf(guddesk)) === before + 1)
    await socket.close()
    await until(async () => (await countOf(guddesk, body)) === 1 && isIdle(guddesk))
    expect((await send(SEND, message(body), key)).replayed).toBe('true')
    expect(await countOf(guddesk, body)).toBe(1)
  })

  test('the header of the upgrade is not the key of what follows', async () => {
    const socket = connect()
    const plain = { query: 'mutation { upsertVisitor(input: { name: "twice" }) { visitor { id } } }' }
    const first = await ask(socket, plain)
    const second = await ask(socket, plain)
    expect(first.data.upsertVisitor.visitor.id).not.toBe(second.data.upsertVisitor.visitor.id)
    await socket.close()
  })
})
