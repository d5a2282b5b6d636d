import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { answer, type Received, type Receiver, startReceiver } from '../support/receiver.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let endpoint: { id: string; secret: string }

const HOUR = 3_600_000
const SHOWN = graphql(
  `query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { secretRotation { overlapEndsAt } } } }`,
)

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  endpoint = (await register()).data.endpoint
})
afterEach(() => receiver.close())

const register = (key = tenant.key) =>
  guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url, events: { onMessageCreated: false } }, { key })

async function mutate(name: string, input: object, fields: string, key = tenant.key) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    ... on ${type}Payload { ${fields} } error { code message fields { path } } } }`
  const { body } = await guddesk.graphql(query, { input }, { key })
  expect(body.errors).toBeUndefined()
  return body.data[name]
}

const rotate = (input: object = {}, key?: string) =>
  mutate(
    'rotateWebhookSecret',
    { endpointId: endpoint.id, ...input },
    'secret endpoint { id secretRotation { overlapEndsAt } }',
    key,
  )
const confirm = (key?: string) =>
  mutate(
    'endWebhookSecretOverlap',
    { endpointId: endpoint.id },
    'endpoint { id secretRotation { overlapEndsAt } }',
    key,
  )

/** The next webhook that something causes. */
async function next(cause: () => unknown = () => guddesk.newConversation(tenant)): Promise<Received> {
  const before = receiver.received.length
  await cause()
  const request = (await receiver.waitFor(before + 1))[before]
  if (request === undefined) throw new Error('nothing arrived')
  return request
}

/** Which of the secrets made X-GudDesk-Signature, and which verify webhook-signature. */
function signers({ text, headers }: Received, secrets: Record<string, string>): { text: string[]; standard: string[] } {
  const names = Object.keys(secrets)
  // The library compares with real time; the tests' clock may be hours ahead.
  const now = vi.spyOn(Date, 'now').mockReturnValue(Number(headers['webhook-timestamp']) * 1000)
  const isText = (name: string) =>
    headers['x-guddesk-signature'] ===
    `sha256=${createHmac('sha256', secrets[name] ?? '')
      .update(text)
      .digest('hex')}`
  const isStandard = (name: string) => {
    try {
      new Webhook(secrets[name] ?? '').verify(text, headers as Record<string, string>)
      return true
    } catch (error) {
      if (error instanceof Error && error.message === 'No matching signature found') return false
      throw error
    }
  }
  try {
    return { text: names.filter(isText), standard: names.filter(isStandard) }
  } finally {
    now.mockRestore()
  }
}

describe('a rotation with an overlap', () => {
  test('signs with both secrets and X-GudDesk-Signature with the old one; after the end with the new one', async () => {
    const now = guddesk.clock.now().getTime()
    const { secret, endpoint: shown } = await rotate({ overlapHours: 1 })
    expect(secret).toMatch(/^[0-9a-f]{64}$/)
    const ends = Date.parse(shown.secretRotation.overlapEndsAt)
    expect(ends - now).toBeGreaterThanOrEqual(HOUR)
    expect(ends - now).toBeLessThan(HOUR + 60_000)
    const secrets = { old: endpoint.secret, new: secret, other: 'ab'.repeat(32) }
    const during = await next()
    expect(signers(during, secrets)).toEqual({ text: ['old'], standard: ['old', 'new'] })
    expect(String(during.headers['webhook-signature'])).toMatch(/^v1,[\w+/]+= v1,[\w+/]+=$/)
    guddesk.advance(HOUR)
    const after = await next()
    expect(signers(after, secrets)).toEqual({ text: ['new'], standard: ['new'] })
    expect(String(after.headers['webhook-signature'])).toMatch(/^v1,[\w+/]+=$/)
    const { data } = await guddesk.graphql(SHOWN, { id: endpoint.id }, { key: tenant.key })
    expect(data.node).toEqual({ secretRotation: null })
  })

  test('lasts 24 hours when nothing is said, and ends early when it is confirmed; confirming again changes nothing', async () => {
    const { secret, endpoint: shown } = await rotate()
    const ends = Date.parse(shown.secretRotation.overlapEndsAt) - guddesk.clock.now().getTime()
    expect(Math.round(ends / HOUR)).toBe(24)
    const secrets = { old: endpoint.secret, new: secret }
    expect(signers(await next(), secrets).standard).toEqual(['old', 'new'])
    for (let i = 0; i < 2; i++) expect((await confirm()).endpoint.secretRotation).toBeNull()
    expect(signers(await next(), secrets)).toEqual({ text: ['new'], standard: ['new'] })
    const row = await guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpoint.id } })
    expect(row).toMatchObject({ previousSealedSecret: null, secretOverlapEndsAt: null })
  })

  test('signs each attempt by what holds at its time', async () => {
    receiver.behave(answer(500))
    const first = await next()
    const { secret } = await rotate({ overlapHours: 1 })
    const secrets = { old: endpoint.secret, new: secret }
    const again = await next(() => guddesk.advance(12_000))
    expect(again.headers['x-guddesk-delivery']).toBe(first.headers['x-guddesk-delivery'])
    expect(signers(first, secrets)).toEqual({ text: ['old'], standard: ['old'] })
    expect(signers(again, secrets)).toEqual({ text: ['old'], standard: ['old', 'new'] })
  })
})

test('without an overlap the old secret ends at once', async () => {
  const { secret, endpoint: shown } = await rotate({ overlapHours: 0 })
  expect(shown.secretRotation).toBeNull()
  expect(signers(await next(), { old: endpoint.secret, new: secret })).toEqual({ text: ['new'], standard: ['new'] })
})

describe('a second rotation', () => {
  test('within an overlap is refused, unless it ends both older secrets at once', async () => {
    const { secret: second } = await rotate({ overlapHours: 168 })
    expect(await rotate({ overlapHours: 1 })).toMatchObject({ error: { code: 'CONFLICT' } })
    const secrets = { first: endpoint.secret, second }
    expect(signers(await next(), secrets)).toEqual({ text: ['first'], standard: ['first', 'second'] })
    const { secret: third } = await rotate({ overlapHours: 0 })
    expect(signers(await next(), { ...secrets, third })).toEqual({ text: ['third'], standard: ['third'] })
  })

  test('after the overlap, confirmed or not, goes from the latest secret', async () => {
    const { secret: second } = await rotate({ overlapHours: 1 })
    guddesk.advance(HOUR)
    const { secret: third } = await rotate({ overlapHours: 1 })
    const secrets = { first: endpoint.secret, second, third }
    expect(signers(await next(), secrets)).toEqual({ text: ['second'], standard: ['second', 'third'] })
    await confirm()
    const { secret: fourth } = await rotate({ overlapHours: 1 })
    expect(signers(await next(), { ...secrets, fourth })).toEqual({ text: ['third'], standard: ['third', 'fourth'] })
  })

  test('at the same time: one wins, the others are told', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => rotate({ overlapHours: 1 })))
    const won = results.filter(({ secret }) => secret !== null)
    expect(won).toHaveLength(1)
    expect(results.filter(({ error }) => error?.code === 'CONFLICT')).toHaveLength(5)
    const secrets = { old: endpoint.secret, new: won[0].secret }
    expect(signers(await next(), secrets)).toEqual({ text: ['old'], standard: ['old', 'new'] })
  })
})

test('registering the URL again answers with the secret that signs now, and with the next one', async () => {
  const { secret } = await rotate({ overlapHours: 1 })
  const during = await register()
  expect(during.data).toMatchObject({ status: 'exists', endpoint: { id: endpoint.id, secret: endpoint.secret } })
  expect(during.data.endpoint).toMatchObject({ nextSecret: secret, secretEndsAt: expect.stringMatching(/Z$/) })
  const input = { url: receiver.url }
  const fields = 'secret nextSecret isNew'
  expect(await mutate('registerWebhookEndpoint', input, fields)).toEqual({
    secret: endpoint.secret,
    nextSecret: secret,
    isNew: false,
    error: null,
  })
  await confirm()
  expect((await register()).data.endpoint).toEqual({ ...endpoint, secret })
  expect(await mutate('registerWebhookEndpoint', input, fields)).toMatchObject({
    secret,
    nextSecret: null,
    isNew: false,
    error: null,
  })
})

test.each([-1, 169])('an overlap of %s hours is refused', async (overlapHours) => {
  expect(await rotate({ overlapHours })).toMatchObject({
    error: { code: 'BAD_REQUEST', fields: [{ path: ['overlapHours'] }] },
  })
})

test('secrets are sealed, and stand in no log', async () => {
  const { secret } = await rotate({ overlapHours: 1 })
  await next()
  const [row] = await guddesk.deps.db.sql<{ all: string }>(
    'SELECT to_jsonb(w)::text AS all FROM webhook_endpoints w WHERE id = $1',
    [endpoint.id],
  )
  const audit = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { workspaceId: tenant.workspaceId } })
  const everything = `${row?.all} ${JSON.stringify(audit)} ${JSON.stringify(guddesk.logs)}`
  expect(row?.all).toContain('previous_sealed_secret')
  for (const hidden of [secret, endpoint.secret]) expect(everything).not.toContain(hidden)
})

test("an agent rotates its own endpoint's secret, nobody else's; other workspaces find nothing", async () => {
  const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
  const { apiKey } = agent.credentials
  expect(await rotate({}, apiKey)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  expect(await confirm(apiKey)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const own = { endpointId: agent.webhookEndpoint.id }
  expect(await rotate(own, apiKey)).toMatchObject({ secret: expect.stringMatching(/^[0-9a-f]{64}$/) })
  const other = await guddesk.newTenant()
  expect(await rotate({}, other.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  expect(await confirm(other.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  expect((await register()).data.endpoint).toEqual(endpoint)
})
