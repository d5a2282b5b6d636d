import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { census, makeObjects, type Objects } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { documentOf, INPUTS, newWorld, type World } from './every-mutation.ts'
import { codeOf, countOf, isIdle, keysOf, SEND, type Send, sender, whileFull } from './requests.ts'

let guddesk: TestGudDesk
let own: Objects
let send: Send

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  send = sender(guddesk)
  own = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

const message = (body: string, conversationId = own.conversationId) => ({ conversationId, body })

/** Rows of every table that a second effect would change. */
async function everything(): Promise<object> {
  const [row] = await guddesk.deps.db.sql<{ audits: number }>('SELECT count(*)::int AS audits FROM audit_entries')
  return { ...(await census(guddesk)), ...row }
}

const MUTATIONS = Object.keys(schema.getMutationType()?.getFields() ?? {})

test('there is an input of every mutation', () => {
  expect(Object.keys(INPUTS).sort()).toEqual(MUTATIONS.sort())
})

describe('every mutation', () => {
  const ask = ({ session: key, tenant }: World, name: string, input: object, idempotencyKey: string) =>
    send(documentOf(name), { input }, idempotencyKey, { key, headers: { 'x-workspace-id': tenant.workspaceId } })

  test.each(MUTATIONS)('%s happens once, and a repeated one gets the first answer, byte by byte', async (name) => {
    const world = await newWorld(guddesk)
    const [input, key] = [INPUTS[name]?.(world) ?? {}, randomUUID()]
    const first = await ask(world, name, input, key)
    const after = await everything()
    expect([first.body.errors, first.body.data[name].error, first.status, first.replayed]).toEqual([
      undefined,
      null,
      200,
      null,
    ])
    const second = await ask(world, name, input, key)
    if (name === 'deleteWorkspace') {
      // There is nobody left who may ask.
      expect([codeOf(second), second.replayed]).toEqual(['forbidden', null])
      return
    }
    expect([second.text, second.status, second.replayed]).toEqual([first.text, 200, 'true'])
    expect(await everything()).toEqual(after)
    expect(isIdle(guddesk)).toBe(true)
  })

  test.each(MUTATIONS)('%s leaves nothing when its answer cannot be stored, and works the next time', async (name) => {
    const world = await newWorld(guddesk)
    const [input, key] = [INPUTS[name]?.(world) ?? {}, randomUUID()]
    const before = await everything()
    await whileFull(guddesk, async () => {
      const failed = await ask(world, name, input, key)
      expect([codeOf(failed), failed.body.data]).toEqual(['internal_error', undefined])
    })
    expect(await everything()).toEqual(before)
    const again = await ask(world, name, input, key)
    expect([again.body.errors, again.body.data[name].error, again.replayed]).toEqual([undefined, null, null])
  })
})

describe('one key', () => {
  test('20 requests at once make one message; the others get its answer or are told to wait', async () => {
    const [key, body] = [randomUUID(), `raced ${randomUUID()}`]
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(SEND, message(body), key)))
    expect(await countOf(guddesk, body)).toBe(1)
    const answered = answers.filter(({ status }) => status === 200)
    expect(new Set(answered.map(({ text }) => text)).size).toBe(1)
    expect(answered.filter(({ replayed }) => replayed === null)).toHaveLength(1)
    for (const each of answers.filter(({ status }) => status !== 200)) {
      expect([each.status, codeOf(each), each.body.data]).toEqual([409, 'conflict', undefined])
    }
    expect((await send(SEND, message(body), key)).text).toBe(answered[0]?.text)
  })

  test('the selection sees the change that is not committed yet, by its lists, loaders and handwritten statements', async () => {
    const query = `mutation ($input: StartConversationInput!) { startConversation(input: $input) { conversation {
      id messageCount lastMessagePreview messages(last: 3) { totalCount edges { node { body sender { __typename } } } }
      visitor { id conversations(first: 5) { totalCount edges { node { id visitor { id } assignee { id } } } } } } } }`
    const visitorId = await guddesk.newVisitor()
    const { body } = await send(query, { input: { visitorId, message: 'Seen' } }, randomUUID())
    const { conversation } = body.data.startConversation
    const { id } = conversation
    expect(conversation).toEqual({
      id,
      messageCount: 1,
      lastMessagePreview: 'Seen',
      messages: { totalCount: 1, edges: [{ node: { body: 'Seen', sender: { __typename: 'Visitor' } } }] },
      visitor: {
        id: visitorId,
        conversations: { totalCount: 1, edges: [{ node: { id, visitor: { id: visitorId }, assignee: null } }] },
      },
    })
  })

  test('another document, other variables, another operation or workspace with it are refused', async () => {
    const key = randomUUID()
    const everywhere = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS', 'all')
    const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
    const two = `${SEND} mutation Other { __typename }`
    const as = { key: everywhere, headers }
    const first = await send(two, message('one'), key, { ...as, extra: { operationName: 'Send' } })
    expect([first.status, codeOf(first)]).toEqual([200, undefined])
    for (const answer of [
      await send(two, message('two'), key, { ...as, extra: { operationName: 'Send' } }),
      await send(SEND, message('one'), key, { ...as, extra: { operationName: 'Send' } }),
      await send(two, message('one'), key, {
        key: everywhere,
        headers: { 'x-workspace-id': newId('workspace') },
        extra: { operationName: 'Send' },
      }),
      await guddesk.call(
        'POST',
        `/api/v1/customers?workspaceId=${guddesk.tenant.workspaceId}`,
        { name: 'Vera' },
        { key: everywhere, headers: { ...headers, 'idempotency-key': key } },
      ),
    ]) {
      expect([answer.status, answer.body.errors?.[0].extensions.code ?? answer.body.error.code]).toEqual([
        422,
        'unprocessable',
      ])
    }
    expect([await countOf(guddesk, 'one'), await countOf(guddesk, 'two')]).toEqual([1, 0])
  })

  test('blanks in the JSON make no other request', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const raw = JSON.stringify({ query: SEND, variables: message('spaced') })
    const first = await guddesk.call('POST', '/graphql', undefined, { headers, raw })
    const second = await guddesk.call('POST', '/graphql', undefined, { headers, raw: raw.replaceAll('":', '" : ') })
    expect([second.headers.get('idempotency-replayed'), second.body]).toEqual(['true', first.body])
  })

  test('belongs to one credential: that of somebody else, or another one of the same person, is another', async () => {
    const key = randomUUID()
    const again = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS')
    const session = await guddesk.newSession(guddesk.tenant)
    const theirs = await guddesk.newTenant()
    const create = 'mutation { upsertVisitor(input: { name: "Each" }) { visitor { id } error { code } } }'
    const ids = []
    for (const credential of [guddesk.tenant.key, again, session, theirs.key]) {
      const first = await send(create, {}, key, { key: credential })
      const second = await send(create, {}, key, { key: credential })
      expect([first.replayed, second.replayed, second.text]).toEqual([null, 'true', first.text])
      ids.push(first.body.data.upsertVisitor.visitor.id)
    }
    expect(new Set(ids).size).toBe(4)
  })

  test('works through the usual HTTP layer and as an event stream, too', async () => {
    for (const accept of ['application/json;q=1', 'application/graphql-response+json', 'text/event-stream']) {
      const [key, body] = [randomUUID(), `as ${accept}`]
      const first = await send(SEND, message(body), key, { headers: { accept } })
      const second = await send(SEND, message(body), key, { headers: { accept } })
      expect([first.status, first.replayed, second.replayed, second.text]).toEqual([200, null, 'true', first.text])
      expect([first.body.data.sendMessage.error, await countOf(guddesk, body)]).toEqual([null, 1])
    }
  })

  test('may be in extensions over HTTP, where the header has precedence', async () => {
    const [key, body] = [randomUUID(), 'in extensions']
    const extra = { extensions: { idempotencyKey: key } }
    const first = await send(SEND, message(body), null, { extra })
    expect((await send(SEND, message(body), null, { extra })).text).toBe(first.text)
    expect((await send(SEND, message(body), randomUUID(), { extra })).replayed).toBe(null)
    expect(await countOf(guddesk, body)).toBe(2)
  })

  test('is for one mutation in a request', async () => {
    const [a, b] = ['a', 'b'].map((name) => `${name}: upsertVisitor(input: { name: "${name}" }) { visitor { id } }`)
    for (const query of [`mutation { ${a} ${b} }`, `mutation { ...F } fragment F on Mutation { ${a} ... { ${b} } }`]) {
      const answer = await send(query, {}, randomUUID())
      expect([answer.status, codeOf(answer)]).toEqual([400, 'bad_request'])
      expect(answer.body.errors[0].message).toMatch(/exactly one field/)
    }
    expect(await guddesk.deps.db.prisma.visitor.count({ where: { name: { in: ['a', 'b'] } } })).toBe(0)
    const { body } = await send(`mutation { __typename ${a} ...F } fragment F on Mutation { ${a} }`, {}, randomUUID())
    expect(body.data).toMatchObject({ __typename: 'Mutation', a: { visitor: { id: expect.any(String) } } })
  })

  test.each(['', 'x'.repeat(256), 'tab\there'])('%j is not one', async (key) => {
    const before = await keysOf(guddesk)
    const answer = await send(SEND, message('never'), key)
    expect([answer.status, answer.body.errors[0].extensions]).toMatchObject([
      400,
      { code: 'bad_request', fields: [{ path: ['Idempotency-Key'] }] },
    ])
    expect([await countOf(guddesk, 'never'), await keysOf(guddesk)]).toEqual([0, before])
  })

  test('255 printable characters are', async () => {
    const answer = await send(SEND, message('long key'), '~'.repeat(255))
    expect([answer.status, answer.body.data.sendMessage.error]).toEqual([200, null])
  })

  test('queries ignore it, whatever it is', async () => {
    const before = await keysOf(guddesk)
    for (const key of ['x', 'x'.repeat(300)]) {
      for (const query of ['{ viewer { role } }', '{ workspace { id } }']) {
        expect(await send(query, {}, key)).toMatchObject({ status: 200, replayed: null })
      }
    }
    expect(await keysOf(guddesk)).toBe(before)
  })

  test('after 24 hours it is new again', async () => {
    const [key, body] = [randomUUID(), 'daily']
    await send(SEND, message(body), key)
    guddesk.clock.advance(86_400_001)
    expect((await send(SEND, message(body), key)).replayed).toBe(null)
    expect(await countOf(guddesk, body)).toBe(2)
  })
})
