import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { purgeExpired } from '../../../src/domain/maintenance/purge-expired.ts'
import {
  MAX_UNREGISTERED_PER_WORKSPACE,
  removeExpiredUnregistered,
  skipStaleBacklogs,
  waitingBefore,
} from '../../../src/domain/webhooks/unregistered-endpoints.ts'
import { Prisma } from '../../../src/infra/database/db.ts'
import { type Call, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { quietPeriod, until } from '../../support/until.ts'
import { nextUrl, ok } from '../objects.ts'

const PATH = '/api/agent/webhooks'
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let guddesk: TestGudDesk
let receiver: Receiver

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

beforeEach(async () => {
  receiver = await startReceiver()
})

afterEach(async () => {
  await receiver.close()
  // A later receiver may get the same port.
  await remove({ url: receiver.url, forget: true })
})

const register = (body: unknown, call?: Call) => guddesk.call('POST', PATH, body, call)
const remove = (body: unknown, call?: Call) => guddesk.call('DELETE', PATH, body, call)
const urls = async (call?: Call): Promise<string[]> =>
  (await guddesk.call('GET', `${PATH}?limit=100`, undefined, call)).data.map(({ url }: { url: string }) => url)

/** Of the endpoint with that id, as it stands in its row. */
const row = (id: string) => guddesk.deps.db.prisma.webhookEndpoint.findUnique({ where: { id } })

/** An agent, and its key. */
async function anAgent(url = nextUrl()): Promise<{ agentId: string; key: string }> {
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', { name: 'Agent', webhookUrl: url }))
  return { agentId: data.id, key: data.credentials.apiKey }
}

async function say(conversationId: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    await ok(guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { body, type: 'VISITOR' }))
  }
}

/** What messages arrived, in order. */
const heard = () => receiver.received.filter(({ event }) => event === 'message.created').map(({ data }) => data['body'])

/** Nothing is on its way to it. */
async function settled(endpointId: string): Promise<void> {
  const where = { endpointId, due: { not: null } }
  await until(
    async () => (await guddesk.deps.db.prisma.delivery.count({ where })) === 0,
    5000,
    () => 'deliveries are waiting',
  )
}

describe('unregistering', () => {
  test('is gone on every transport, and a second time is 404', async () => {
    const { key, agentId } = await anAgent(receiver.url)
    const { data } = await register({ url: receiver.url }, { key })
    const { id } = data.endpoint
    guddesk.clock.advance(11 * MINUTE)
    await guddesk.newConversation(guddesk.tenant, 'Before')
    await settled(id)
    const answered = await remove({ url: receiver.url }, { key })
    expect([answered.status, answered.data]).toEqual([200, { deleted: true }])
    for (const call of [{}, { key }]) {
      expect(await urls(call)).not.toContain(receiver.url)
      expect((await guddesk.call('GET', `/api/v1/agents/${agentId}`, undefined, call)).data.webhookEndpoint).toBeNull()
      const listed = await guddesk.call('GET', '/api/v1/agents', undefined, call)
      expect(listed.data.find((agent: { id: string }) => agent.id === agentId).webhookEndpoint).toBeNull()
      const { body } = await guddesk.graphql(
        `query ($id: ID!, $agentId: ID!) {
          node(id: $id) { id }
          nodes(ids: [$id]) { id }
          agent: node(id: $agentId) { ... on Agent { successRate24h webhookEndpoints { id } } }
          webhookEndpoints(first: 100) { edges { node { id } } }
          deliveries(first: 100, filter: { endpointId: $id }) { totalCount edges { node { id } } }
          dispatchState { pending }
          slowestEndpoints(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z") { endpoint { id } }
        }`,
        { id, agentId },
        call,
      )
      expect(body.errors).toBeUndefined()
      expect(body.data).toMatchObject({
        node: null,
        nodes: [null],
        agent: { successRate24h: null, webhookEndpoints: [] },
      })
      expect(body.data.deliveries).toEqual({ totalCount: 0, edges: [] })
      expect(JSON.stringify(body.data)).not.toContain(id)
      for (const ref of [{ url: receiver.url }, { endpointId: id }]) expect((await remove(ref, call)).status).toBe(404)
      const { body: mutated } = await guddesk.graphql(
        `mutation ($id: ID!) {
          a: updateWebhookEndpoint(input: { endpointId: $id, isEnabled: true }) { error { code } }
          b: enableWebhookEndpoint(input: { endpointId: $id }) { error { code } }
          c: rotateWebhookSecret(input: { endpointId: $id }) { error { code } }
          d: sendTestEvent(input: { endpointId: $id, type: PING }) { error { code } }
          e: replayFailedDeliveries(input: { endpointId: $id, since: "2020-01-01T00:00:00Z" }) { error { code } }
          f: endWebhookSecretOverlap(input: { endpointId: $id }) { error { code } }
        }`,
        { id },
        call,
      )
      expect(
        new Set(Object.values(mutated.data).map((one) => (one as { error: { code: string } }).error.code)),
      ).toEqual(new Set(['NOT_FOUND']))
    }
    const { error } = await guddesk.call('PATCH', `/api/v1/agents/${agentId}`, { webhookUrl: nextUrl() })
    expect(error.code).toBe('conflict')
    const enabled = await guddesk.call('PATCH', `/api/v1/agents/${agentId}`, { isEnabled: true })
    expect(enabled.data.webhookEndpoint).toBeNull()
  })

  test('nothing is sent, not even a retry that was due or a test that waited', async () => {
    receiver.behave(answer(500))
    const { data } = await register({ url: receiver.url })
    const { id } = data.endpoint
    await guddesk.newConversation(guddesk.tenant, 'Failing')
    await receiver.waitFor(2)
    await ok(remove({ endpointId: id }))
    const before = receiver.received.length
    await guddesk.newConversation(guddesk.tenant, 'Meanwhile')
    guddesk.advance(5 * HOUR)
    // Another endpoint gets what happens after it.
    const other = await startReceiver()
    await ok(register({ url: other.url }))
    await guddesk.newConversation(guddesk.tenant, 'After')
    await other.waitFor(2)
    expect(receiver.received).toHaveLength(before)
    await other.close()
  })

  test('it does not count among the workspace’s endpoints', async () => {
    const limited = await startGudDesk({ env: { WEBHOOK_ENDPOINTS_PER_WORKSPACE: '1' } })
    const at = (url: string) => limited.call('POST', PATH, { url })
    const [one, two] = [nextUrl(), nextUrl()]
    await ok(at(one))
    expect((await at(two)).status).toBe(409)
    await ok(limited.call('DELETE', PATH, { url: one }))
    expect((await at(two)).status).toBe(201)
    expect((await at(one)).status).toBe(409)
    await ok(limited.call('DELETE', PATH, { url: two }))
    expect((await at(one)).data).toMatchObject({ status: 'exists', resumed: true })
    await limited.stop()
  })

  test('only so many are kept: the ones that were unregistered first give way', async () => {
    const tenant = await guddesk.newTenant()
    const { key } = tenant
    const first = nextUrl()
    const { id } = (await register({ url: first }, { key })).data.endpoint
    const secondly = nextUrl()
    await ok(register({ url: secondly }, { key }))
    await ok(remove({ url: first }, { key }))
    guddesk.clock.advance(SECOND)
    await ok(remove({ url: secondly }, { key }))
    const at = guddesk.clock.now()
    const { workspaceId } = tenant
    const rows = Array.from({ length: MAX_UNREGISTERED_PER_WORKSPACE - 2 }, (_, i) => ({
      ...{ id: `whk_kept${i}`, workspaceId, url: nextUrl(), sealedSecret: 'x', isEnabled: false },
      ...{ unregisteredAt: at, keptUntil: new Date(at.getTime() + DAY) },
    }))
    await guddesk.deps.db.prisma.webhookEndpoint.createMany({ data: rows })
    const last = nextUrl()
    await ok(register({ url: last }, { key }))
    await ok(remove({ url: last }, { key }))
    expect(await row(id)).toBeNull()
    const removed = { targetId: id, action: 'webhook_endpoint.deleted', actorType: 'system', workspaceId }
    expect(await guddesk.deps.db.prisma.auditEntry.count({ where: removed })).toBe(1)
    expect((await register({ url: first }, { key })).data.status).toBe('created')
    expect((await register({ url: secondly }, { key })).data).toMatchObject({ status: 'exists', resumed: true })
  })
})

describe('registering again', () => {
  test('gives the same endpoint: id, secret, flags and settings, with 200 and resumed', async () => {
    const events = { onMessageCreated: true, onConversationClosed: true, onConversationCreated: false }
    const { data } = await register({ url: receiver.url, description: 'Mine', events })
    expect(data.status).toBe('created')
    const { id } = data.endpoint
    const settings = { maxInFlight: 3, ordering: 'STRICT' } as const
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id }, data: settings })
    const { sealedSecret } = (await row(id)) ?? {}
    await ok(remove({ url: receiver.url }))
    expect((await row(id))?.sealedSecret).toBe(sealedSecret)
    guddesk.clock.advance(23 * HOUR)
    const again = await register({ url: `${receiver.url}?` })
    expect(again.status).toBe(200)
    expect(again.data).toEqual({ status: 'exists', resumed: true, endpoint: data.endpoint })
    expect(await row(id)).toMatchObject({ ...settings, description: 'Mine', unregisteredAt: null, keptUntil: null })
    expect(await urls()).toContain(receiver.url)
    expect((await register({ url: receiver.url })).data).toEqual({ status: 'exists', endpoint: data.endpoint })
  })

  test('what happened meanwhile is delivered, in order, by the flags that it had, and then what happens', async () => {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'm1')
    await receiver.waitFor(1)
    await settled(data.endpoint.id)
    await ok(remove({ url: receiver.url }))
    await say(conversationId, 'm2', 'm3')
    guddesk.clock.advance(20 * SECOND)
    await say(conversationId, 'm4', 'm5')
    await ok(register({ url: receiver.url }))
    await say(conversationId, 'm6')
    await receiver.waitFor(6)
    expect(heard()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6'])
    expect(receiver.received.map(({ event }) => event)).not.toContain('conversation.created')
  })

  test('what a stopping process refused goes before what came after, also at the second restart within a minute', async () => {
    await ok(register({ url: receiver.url, events: { onConversationCreated: false } }))
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'm0')
    await receiver.waitFor(1)
    const refused = { where: { endpoint: { url: receiver.url }, attempts: 1, due: { not: null } } }
    for (const round of ['a', 'b']) {
      receiver.behave(answer(503))
      await say(conversationId, `${round}1`)
      await until(async () => (await guddesk.deps.db.prisma.delivery.count(refused)) === 1)
      await ok(remove({ url: receiver.url }))
      await say(conversationId, `${round}2`, `${round}3`)
      receiver.behave(answer(200))
      guddesk.clock.advance(2 * SECOND)
      await ok(register({ url: receiver.url }))
      const before = round === 'a' ? 1 : 5
      await until(() => heard().length >= before + 4) // beside the ping that the second restart asks with
      expect(heard().slice(before)).toEqual([`${round}1`, `${round}1`, `${round}2`, `${round}3`])
      await until(async () => (await guddesk.deps.db.prisma.delivery.count(refused)) === 0)
    }
  })

  test.each([-10, 10])('a clock that is set by %i days meanwhile loses nothing', async (days) => {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    const conversationId = await guddesk.newConversation()
    await ok(remove({ url: receiver.url }))
    await say(conversationId, 'm1')
    guddesk.clock.set(days * DAY)
    try {
      await say(conversationId, 'm2')
      await removeExpiredUnregistered(guddesk.deps)
      const again = await register({ url: receiver.url })
      expect(again.data).toEqual({ status: 'exists', resumed: true, endpoint: data.endpoint })
      await receiver.waitFor(2)
      expect(heard()).toEqual(['m1', 'm2'])
      receiver.behave(answer(200))
      await ok(remove({ url: receiver.url })) // asks its successor, as it was registered just now
      expect(receiver.received.at(-1)?.event).toBe('ping')
    } finally {
      guddesk.clock.set(-days * DAY)
    }
  })

  test('what waited when it was unregistered is still sent', async () => {
    receiver.behave(answer(500))
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    await guddesk.newConversation(guddesk.tenant, 'Waiting')
    const tried = { endpointId: data.endpoint.id, attempts: 1 }
    const due = new Date(guddesk.clock.now().getTime() + 3 * HOUR)
    const { delivery } = guddesk.deps.db.prisma
    await until(async () => (await delivery.updateMany({ where: tried, data: { due } })).count === 1)
    guddesk.clock.advance(2 * HOUR)
    await ok(remove({ url: receiver.url }))
    receiver.behave(answer(200))
    await ok(register({ url: receiver.url }))
    guddesk.advance(HOUR)
    await receiver.waitFor(2)
    await settled(data.endpoint.id)
    expect(heard()).toEqual(['Waiting', 'Waiting'])
  })

  test.each([
    ['the last hour when nothing is said', {}, ['m3', 'm4']],
    ['as much as is asked for', { resumeWithinSeconds: 4 * 3600 }, ['m2', 'm3', 'm4']],
    ['a whole day', { resumeWithinSeconds: 86_400 }, ['m1', 'm2', 'm3', 'm4']],
    ['nothing', { resumeWithinSeconds: 0 }, []],
  ])('of what happened it is sent %s', async (_, more, expected) => {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    const { id } = data.endpoint
    const conversationId = await guddesk.newConversation()
    await ok(remove({ url: receiver.url }))
    await say(conversationId, 'm1')
    guddesk.clock.advance(10 * HOUR)
    await say(conversationId, 'm2')
    guddesk.clock.advance(3 * HOUR)
    await say(conversationId, 'm3')
    guddesk.clock.advance(30 * MINUTE)
    await say(conversationId, 'm4')
    guddesk.clock.advance(SECOND)
    await ok(register({ url: receiver.url, ...more }))
    await say(conversationId, 'm5')
    await receiver.waitFor(expected.length + 1)
    expect(heard()).toEqual([...expected, 'm5'])
    await settled(id)
    const skipped = await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id, status: 'SKIPPED' } })
    expect(skipped).toBe(4 - expected.length)
  })

  test('a long backlog that is too old is passed by at once, and left out behind', async () => {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    const { id } = data.endpoint
    const { workspaceId } = guddesk.tenant
    await ok(remove({ url: receiver.url }))
    const old = guddesk.clock.now()
    await guddesk.deps.db.sql(
      `WITH event AS (
         INSERT INTO events (id, workspace_id, type, conversation_id, body, created_at)
         SELECT $1 || i, $2, 'message.created', 'conv_' || i % 7, '{"event":"message.created","data":{"body":"old"}}', $3
           FROM generate_series(1, 1300) AS i RETURNING id, conversation_id, seq)
       INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, due, created_at)
       SELECT id || ' ' || $4, $2, id, $4, conversation_id, seq, $3, $3 FROM event`,
      [`evt_${id}_`, workspaceId, old, id],
    )
    guddesk.clock.advance(2 * HOUR)
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'recent')
    guddesk.clock.advance(SECOND)
    await ok(register({ url: receiver.url }))
    await say(conversationId, 'new')
    await receiver.waitFor(2)
    const left = { where: { endpointId: id, due: { not: null } } }
    await skipStaleBacklogs(guddesk.deps)
    await until(async () => (await guddesk.deps.db.prisma.delivery.count(left)) === 0)
    expect(heard()).toEqual(['recent', 'new'])
    const skipped = await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id, status: 'SKIPPED' } })
    expect([skipped, (await row(id))?.sendsFromSeq]).toEqual([1300, 0n])
  })

  test('a long backlog is left out by index walks: no batch reads or sorts the rest', async () => {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    const { id } = data.endpoint
    await ok(remove({ url: receiver.url }))
    await guddesk.deps.db.sql(
      `WITH event AS (
         INSERT INTO events (id, workspace_id, type, conversation_id, body)
         SELECT $1 || i, $2, 'message.created', 'conv_' || i % 7, '{}' FROM generate_series(1, 20000) AS i
         RETURNING id, conversation_id, seq)
       INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, attempts, due)
       SELECT id || ' ' || $3, $2, id, $3, conversation_id, seq, (seq % 2)::int, now() FROM event`,
      [`evt_${id}_`, guddesk.tenant.workspaceId, id],
    )
    await guddesk.deps.db.sql('ANALYZE deliveries')
    const rows = await guddesk.deps.db.prisma.$queryRaw<{ 'QUERY PLAN': string }[]>(
      Prisma.sql`EXPLAIN ${waitingBefore(id, 1_000_000_000n)}`,
    )
    const plan = rows.map((line) => line['QUERY PLAN']).join('\n')
    expect(plan).toMatch(/Index Scan/)
    expect(plan).not.toMatch(/Sort|Seq Scan|Bitmap/)
    await ok(remove({ endpointId: id, forget: true }))
  })

  test.each([-1, 86_401, 1.5, '60', null])('resumeWithinSeconds %j is refused', async (resumeWithinSeconds) => {
    const { status, error } = await register({ url: nextUrl(), resumeWithinSeconds })
    expect([status, error.fields?.map(({ path }) => path)]).toEqual([400, ['resumeWithinSeconds']])
  })

  test('after a day it is another endpoint, and the old one is removed with what waited', async () => {
    const { data } = await register({ url: receiver.url })
    const { id } = data.endpoint
    await ok(remove({ url: receiver.url }))
    await guddesk.newConversation(guddesk.tenant, 'Lost')
    guddesk.clock.advance(DAY)
    const later = await register({ url: receiver.url })
    expect(later.data.status).toBe('created')
    expect(later.data).not.toHaveProperty('resumed')
    expect([later.data.endpoint.id, later.data.endpoint.secret]).not.toContain(id)
    expect(later.data.endpoint.secret).not.toBe(data.endpoint.secret)
    await removeExpiredUnregistered(guddesk.deps)
    expect(await row(id)).not.toBeNull() // another node's clock may be behind
    guddesk.clock.advance(MINUTE)
    await removeExpiredUnregistered(guddesk.deps)
    expect(await row(id)).toBeNull()
    await until(async () => (await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id } })) === 0)
    expect(await row(later.data.endpoint.id)).not.toBeNull()
    const entry = { targetId: id, action: 'webhook_endpoint.deleted', actorType: 'system' }
    expect(await guddesk.deps.db.prisma.auditEntry.count({ where: entry })).toBe(1)
  })

  test('a secret that was being rotated ends in its time', async () => {
    const { data } = await register({ url: receiver.url })
    const { id, secret } = data.endpoint
    const { body } = await guddesk.graphql(
      `mutation ($id: ID!) { rotateWebhookSecret(input: { endpointId: $id, overlapHours: 1 }) {
        secret } }`,
      { id },
    )
    await ok(remove({ url: receiver.url }))
    guddesk.clock.advance(HOUR)
    await purgeExpired(guddesk.deps)
    expect((await row(id))?.previousSealedSecret).toBeNull()
    const again = await register({ url: receiver.url })
    expect(again.data.endpoint.secret).toBe(body.data.rotateWebhookSecret.secret)
    expect(again.data.endpoint.secret).not.toBe(secret)
  })

  test('20 at once: one endpoint, the same as before', async () => {
    const url = nextUrl()
    const { data } = await register({ url })
    await ok(remove({ url }))
    const answers = await Promise.all(Array.from({ length: 20 }, () => register({ url })))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    for (const { data: one } of answers) expect(one.endpoint).toEqual(data.endpoint)
    expect(answers.filter(({ data: one }) => one.resumed).length).toBe(1)
    expect((await urls()).filter((one) => one === url)).toHaveLength(1)
  })

  test('registering and unregistering against each other leave one endpoint or none, never two', async () => {
    const url = nextUrl()
    const { data } = await register({ url })
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all([register({ url }), remove({ url }), register({ url }), remove({ url })])
      for (const { status } of answers) expect([200, 404]).toContain(status)
      expect((await urls()).filter((one) => one === url).length).toBeLessThan(2)
    }
    const { data: last } = await register({ url })
    expect(last.endpoint.id).toBe(data.endpoint.id)
    expect(await guddesk.deps.db.prisma.webhookEndpoint.count({ where: { url } })).toBe(1)
  }, 60_000)
})

describe('whose it is', () => {
  test('an agent gets back its own, and never another one’s or the workspace’s', async () => {
    const url = nextUrl()
    const { key } = await anAgent()
    const { key: otherKey } = await anAgent()
    const mine = (await register({ url }, { key })).data.endpoint
    await ok(remove({ url }, { key }))
    const theirs = await register({ url }, { key: otherKey })
    expect([theirs.status, theirs.data.status]).toEqual([201, 'created'])
    expect(theirs.data.endpoint.id).not.toBe(mine.id)
    expect(theirs.data.endpoint.secret).not.toBe(mine.secret)
    expect((await register({ url }, { key })).status).toBe(409)
    await ok(remove({ url }, { key: otherKey }))
    expect((await register({ url }, { key })).data).toMatchObject({ resumed: true, endpoint: mine })
    await ok(remove({ url, forget: true }, { key }))
    expect((await register({ url }, { key: otherKey })).data).toMatchObject({
      resumed: true,
      endpoint: { id: theirs.data.endpoint.id },
    })
  })

  test('an agent does not get what a FULL_ACCESS key registered; that key gets back either', async () => {
    const url = nextUrl()
    const { key } = await anAgent()
    const own = (await register({ url })).data.endpoint
    await ok(remove({ url }))
    const agents = await register({ url }, { key })
    expect(agents.data.status).toBe('created')
    await ok(remove({ url }, { key }))
    const anyKey = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS')
    expect((await register({ url }, { key: anyKey })).data).toMatchObject({ resumed: true, endpoint: own })
    await ok(remove({ url, forget: true }))
    const again = (await register({ url: (await installUnregistered(key)).url }, { key: anyKey })).data
    expect(again.resumed).toBe(true)
  })

  async function installUnregistered(key: string): Promise<{ url: string }> {
    const url = nextUrl()
    await ok(register({ url }, { key }))
    await ok(remove({ url }, { key }))
    return { url }
  }

  test('another workspace gets an endpoint of its own, and can neither find nor forget this one', async () => {
    const url = nextUrl()
    const { key } = await guddesk.newTenant()
    const { endpoint } = (await register({ url })).data
    await ok(remove({ url }))
    for (const ref of [{ url }, { endpointId: endpoint.id }]) {
      expect((await remove({ ...ref, forget: true }, { key })).status).toBe(404)
    }
    const theirs = await register({ url }, { key })
    expect(theirs.data.status).toBe('created')
    expect((await register({ url })).data).toMatchObject({ resumed: true, endpoint })
  })
})

describe('for good', () => {
  test('forget removes at once, by url or endpointId, what is live and what is unregistered', async () => {
    for (const isLive of [true, false]) {
      for (const by of ['url', 'endpointId'] as const) {
        const url = nextUrl()
        const { id } = (await register({ url })).data.endpoint
        if (!isLive) await ok(remove({ url }))
        const ref = by === 'url' ? { url } : { endpointId: id }
        const forgotten = await remove({ ...ref, forget: true })
        expect([forgotten.status, forgotten.data]).toEqual([200, { deleted: true }])
        expect(await row(id)).toBeNull()
        expect((await remove({ ...ref, forget: true })).status).toBe(404)
        expect((await register({ url })).data.status).toBe('created')
      }
    }
  })

  test('deleteWebhookEndpoint removes at once, what is live and what is unregistered', async () => {
    for (const isLive of [true, false]) {
      const url = nextUrl()
      const { id } = (await register({ url })).data.endpoint
      if (!isLive) await ok(remove({ url }))
      const deleted = 'mutation ($id: ID!) { deleteWebhookEndpoint(input: { endpointId: $id }) { error { code } } }'
      const { body } = await guddesk.graphql(deleted, { id })
      expect(body.data.deleteWebhookEndpoint).toEqual({ error: null })
      expect(await row(id)).toBeNull()
      expect((await register({ url })).data.status).toBe('created')
    }
  })

  test('forget must be a boolean', async () => {
    const { status, error } = await remove({ url: nextUrl(), forget: 'yes' })
    expect([status, error.fields?.map(({ path }) => path)]).toEqual([400, ['forget']])
  })

  test('uninstalling an agent takes its unregistered endpoint along; so does ending what a member made', async () => {
    const { key, agentId } = await anAgent()
    const url = nextUrl()
    const { id } = (await register({ url }, { key })).data.endpoint
    await ok(remove({ url }, { key }))
    await ok(guddesk.call('DELETE', `/api/v1/agents/${agentId}`))
    expect(await row(id)).toBeNull()

    const member = await guddesk.newMember(guddesk.tenant, 'Mallory', 'ADMIN')
    const theirKey = await guddesk.newKey({ ...guddesk.tenant, ...member }, 'FULL_ACCESS')
    const theirs = (await register({ url: nextUrl() }, { key: theirKey })).data.endpoint
    await ok(remove({ url: theirs.url }, { key: theirKey }))
    const { body } = await guddesk.graphql(
      `mutation ($id: ID!) { removeMember(input: { memberId: $id, endAccess: true }) { error { code } } }`,
      { id: member.memberId },
    )
    expect(body.data.removeMember).toEqual({ error: null })
    expect(await row(theirs.id)).toBeNull()
  })
})

describe('a process that was replaced', () => {
  /** Registered by the old process, and again by the new one. */
  async function deploy(): Promise<{ id: string; secret: string }> {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    guddesk.clock.advance(HOUR)
    await ok(register({ url: receiver.url }))
    return data.endpoint
  }

  test('unregisters nothing when its successor answers a ping', async () => {
    const { id, secret } = await deploy()
    guddesk.clock.advance(9 * MINUTE)
    for (let processes = 0; processes < 2; processes++) {
      const { status, data } = await remove({ url: receiver.url })
      expect([status, data]).toEqual([200, { deleted: true }])
    }
    expect(receiver.received.map(({ event }) => event)).toEqual(['ping', 'ping'])
    expect(receiver.received[0]?.headers['x-guddesk-signature']).toMatch(/^sha256=/)
    expect(await urls()).toContain(receiver.url)
    const again = await register({ url: receiver.url })
    expect(again.data).toMatchObject({ status: 'exists', endpoint: { id, secret } })
    expect(again.data).not.toHaveProperty('resumed')
  })

  test.each([
    ['answers with a failure', () => receiver.behave(answer(500))],
    ['is away', () => receiver.close()],
    ['does not answer in time', () => receiver.behave(() => undefined)],
  ])('unregisters it when whoever is there %s', { timeout: 20_000 }, async (_, happen) => {
    await deploy()
    await happen()
    const began = performance.now()
    expect((await remove({ url: receiver.url })).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(6000)
    expect(await urls()).not.toContain(receiver.url)
    expect((await remove({ url: receiver.url })).status).toBe(404)
  })

  test('is not asked later than ten minutes after, nor after a first registration', async () => {
    await deploy()
    guddesk.clock.advance(10 * MINUTE)
    await ok(remove({ url: receiver.url }))
    expect(await urls()).not.toContain(receiver.url)
    const other = await startReceiver()
    await ok(register({ url: other.url }))
    await ok(remove({ url: other.url }))
    expect([...receiver.received, ...other.received]).toEqual([])
    await other.close()
  })

  test('a registration that comes while it is asked wins, whatever comes of that', async () => {
    const { id } = await deploy()
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    receiver.behave((response) => {
      asked.resolve()
      void answered.promise.then(() => response.writeHead(500).end())
    })
    const removing = remove({ url: receiver.url })
    await asked.promise
    // Nothing is locked meanwhile.
    guddesk.clock.advance(SECOND)
    expect((await register({ url: receiver.url })).data).toMatchObject({ status: 'exists', endpoint: { id } })
    answered.resolve()
    expect((await removing).status).toBe(200)
    expect(await urls()).toContain(receiver.url)
  })

  test('unregisters nothing when more processes stop at once than pings can wait', async () => {
    const { id } = await deploy()
    const answered = Promise.withResolvers<void>()
    receiver.behave((response) => void answered.promise.then(() => response.writeHead(200).end()))
    const ping = `mutation ($id: ID!) { sendTestEvent(input: { endpointId: $id, type: PING }) { error { code } } }`
    for (let i = 0; i < 10; i++) {
      expect((await guddesk.graphql(ping, { id })).body.data.sendTestEvent).toEqual({ error: null })
    }
    expect((await guddesk.graphql(ping, { id })).body.data.sendTestEvent.error.code).toBe('CONFLICT')
    const removing = Promise.all(Array.from({ length: 5 }, () => remove({ url: receiver.url })))
    await receiver.waitFor(10)
    await quietPeriod(300)
    answered.resolve()
    expect((await removing).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await urls()).toContain(receiver.url)
  })

  test('two at once: one unregisters it, and the other finds nothing', async () => {
    await deploy()
    receiver.behave(answer(500))
    const answers = await Promise.all([remove({ url: receiver.url }), remove({ url: receiver.url })])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404])
  })
})

test('what people are told: since when, until when, and to whom it belongs', async () => {
  const { key, agentId } = await anAgent()
  const { key: neighbour } = await anAgent()
  const tenant = await guddesk.newTenant()
  const url = nextUrl()
  const { id } = (await register({ url }, { key })).data.endpoint
  await ok(remove({ url }, { key }))
  const { unregisteredAt: at } = (await row(id)) ?? {}
  const ask = async (call: Call) => {
    const fields = 'unregisteredWebhookEndpoints { endpointId url agentId unregisteredAt keptUntil }'
    const { body } = await guddesk.graphql(`{ ${fields} }`, {}, call)
    return body.data.unregisteredWebhookEndpoints.filter(({ endpointId }: { endpointId: string }) => endpointId === id)
  }
  const told = {
    ...{ endpointId: id, url, agentId, unregisteredAt: at?.toISOString() },
    keptUntil: new Date((at?.getTime() ?? 0) + DAY).toISOString(),
  }
  expect(await ask({})).toEqual([told])
  expect(await ask({ key })).toEqual([told])
  expect(await ask({ key: neighbour })).toEqual([])
  expect(await ask({ key: tenant.key })).toEqual([])
  const actions = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { targetId: id }, orderBy: { id: 'asc' } })
  expect(actions.map(({ action }) => action)).toEqual(['webhook_endpoint.created', 'webhook_endpoint.unregistered'])
  await ok(register({ url }, { key }))
  expect(await ask({})).toEqual([])
  const resumed = { targetId: id, action: 'webhook_endpoint.resumed', actorId: agentId }
  expect(await guddesk.deps.db.prisma.auditEntry.count({ where: resumed })).toBe(1)
})
