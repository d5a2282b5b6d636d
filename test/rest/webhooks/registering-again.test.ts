import { describe, expect, test } from 'vitest'
import { purgeExpired } from '../../../src/domain/maintenance/purge-expired.ts'
import {
  removeExpiredUnregistered,
  skipStaleBacklogs,
  waitingBefore,
} from '../../../src/domain/webhooks/unregistered-endpoints.ts'
import { Prisma } from '../../../src/infra/database/db.ts'
import { answer } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import { nextUrl, ok } from '../objects.ts'
import {
  DAY,
  guddesk,
  HOUR,
  MINUTE,
  receiver,
  register,
  remove,
  row,
  SECOND,
  settled,
  urls,
  useReceiver,
} from './unregistering-steps.ts'

useReceiver()

async function say(conversationId: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    await ok(guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { body, type: 'VISITOR' }))
  }
}

/** What messages arrived, in order. */
const heard = () => receiver.received.filter(({ event }) => event === 'message.created').map(({ data }) => data['body'])

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
    const refused = { where: { endpoint: { url: receiver.url }, attempts: 1, nextAttemptAt: { not: null } } }
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
    await until(async () => (await delivery.updateMany({ where: tried, data: { nextAttemptAt: due } })).count === 1)
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
    const left = { where: { endpointId: id, nextAttemptAt: { not: null } } }
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
