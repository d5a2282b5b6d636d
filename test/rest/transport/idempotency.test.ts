import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConflictError } from '../../../src/domain/shared/errors.ts'
import { type IdempotentOperation, purgeExpiredKeys, runIdempotently } from '../../../src/domain/shared/idempotency.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { inTransaction } from '../../../src/infra/database/transaction.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { type Answer, startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { ROUTES, routeNamed } from '../contract-routes.ts'
import { census, makeObjects, nextUrl, type Objects } from '../objects.ts'

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

function once(path: string, body: unknown, idempotencyKey: string, key?: string): Promise<Answer> {
  const headers = { 'idempotency-key': idempotencyKey }
  return guddesk.call('POST', path, body, key === undefined ? { headers } : { headers, key })
}

const replayed = ({ headers }: Answer) => headers.get('idempotency-replayed')
const messages = () => `/api/v1/conversations/${objects.conversationId}/messages`
const countOf = (body: string) => guddesk.deps.db.prisma.message.count({ where: { body } })

const POSTS = ROUTES.filter(({ name }) => name.startsWith('POST'))

describe('every POST', () => {
  test.each(POSTS)('$name happens once, and a repeated one gets the first answer', async (route) => {
    const [path, body, key] = [`/api${route.path(objects)}`, route.body?.(objects) ?? {}, randomUUID()]
    const first = await once(path, body, key)
    const after = await census(guddesk)
    const second = await once(path, body, key)
    expect([first.status < 300, replayed(first), second.status, replayed(second)]).toEqual([
      true,
      null,
      first.status,
      'true',
    ])
    expect(second.body).toEqual(first.body)
    expect(await census(guddesk)).toEqual(after)
  })

  test.each(POSTS)('$name leaves nothing when its answer cannot be stored, and works the next time', async (route) => {
    const [path, body, key] = [`/api${route.path(objects)}`, route.body?.(objects) ?? {}, randomUUID()]
    const before = await census(guddesk)
    await guddesk.deps.db.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'the disk is full'; END $$`)
    await guddesk.deps.db.sql(
      'CREATE TRIGGER refuse BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION refuse()',
    )
    const failed = await once(path, body, key)
    await guddesk.deps.db.sql('DROP TRIGGER refuse ON idempotency_keys')
    await guddesk.deps.db.sql('DROP FUNCTION refuse')
    expect(failed.status).toBe(500)
    expect(await census(guddesk)).toEqual(before)
    const again = await once(path, body, key)
    expect([again.status < 300, replayed(again)]).toEqual([true, null])
  })
})

/** What ends somebody's right to a request that they have made, and the status of the refusal. */
interface Ending {
  readonly status: 401 | 403
  readonly key: (eve: Tenant, own: Objects) => Promise<string>
  readonly happens: (eve: Tenant, own: Objects, key: string) => Promise<unknown>
}

const everywhere: Ending['key'] = (eve) => guddesk.newKey(eve, 'FULL_ACCESS', 'all')
const here: Ending['key'] = (eve) => guddesk.newKey(eve, 'FULL_ACCESS')
const agents: Ending['key'] = async (_eve, { agentKey }) => agentKey
const leaves: Ending['happens'] = ({ memberId }) => guddesk.deps.db.prisma.member.delete({ where: { id: memberId } })
const becomes = (role: MemberRole): Ending['happens'] => {
  return ({ memberId }) => guddesk.deps.db.prisma.member.update({ where: { id: memberId }, data: { role } })
}
const keyIs = (data: object): Ending['happens'] => {
  return (_eve, _own, key) => guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data })
}
const agentIs = (isEnabled: boolean): Ending['happens'] => {
  return (_eve, { agentId }) => guddesk.deps.db.prisma.agent.update({ where: { id: agentId }, data: { isEnabled } })
}

const ENDINGS: Record<string, Ending> = {
  'a member who was removed, by a key of all workspaces': { status: 403, key: everywhere, happens: leaves },
  'a member who was removed, by a key of the workspace': { status: 401, key: here, happens: leaves },
  'a member who is a VIEWER now': { status: 403, key: here, happens: becomes('VIEWER') },
  'a member who is a VIEWER now, by a key of all workspaces': {
    status: 403,
    key: everywhere,
    happens: becomes('VIEWER'),
  },
  'a key that may only read now': { status: 403, key: here, happens: keyIs({ permission: 'READ_ONLY' }) },
  'a revoked key': { status: 401, key: here, happens: keyIs({ revokedAt: new Date(0) }) },
  'a disabled agent': { status: 403, key: agents, happens: agentIs(false) },
  'a workspace that was removed': {
    status: 403,
    key: everywhere,
    happens: ({ workspaceId }) => guddesk.deps.db.prisma.workspace.delete({ where: { id: workspaceId } }),
  },
}

/** Makes a request, lets something happen, and repeats it. */
async function repeatedAfter({ key: keyOf, happens }: Pick<Ending, 'key' | 'happens'>, route: (typeof POSTS)[number]) {
  const tenant = await guddesk.newTenant()
  const own = await makeObjects(guddesk, tenant)
  const eve = { ...tenant, ...(await guddesk.newMember(tenant, 'Eve', 'ADMIN')) }
  const key = await keyOf(eve, own)
  const path = `/api${route.path(own)}?workspaceId=${tenant.workspaceId}`
  const [body, idempotencyKey] = [route.body?.(own) ?? {}, randomUUID()]
  const first = await once(path, body, idempotencyKey, key)
  await happens(eve, own, key)
  return { first, again: await once(path, body, idempotencyKey, key) }
}

describe.each(Object.entries(ENDINGS))('a repeated request of %s', (_name, ending) => {
  // An agent's key cannot install agents.
  const theirs = POSTS.filter(({ name }) => name !== 'POST /v1/agents' || ending.key !== agents)

  test.each(theirs)('$name is refused, and says nothing of its first answer', async (route) => {
    const { first, again } = await repeatedAfter(ending, route)
    expect(first.status).toBeLessThan(300)
    expect([again.status, replayed(again), again.data]).toEqual([ending.status, null, undefined])
  })
})

describe('a repeated request that registers a webhook', () => {
  test('is refused for a member who is an AGENT now: the answer has the secret', async () => {
    const route = routeNamed('POST /agent/webhooks')
    const { first, again } = await repeatedAfter({ key: here, happens: becomes('AGENT') }, route)
    expect([first.status, again.status, again.data]).toEqual([201, 403, undefined])
  })

  test('is answered for an agent’s key as before', async () => {
    const route = routeNamed('POST /agent/webhooks')
    const { first, again } = await repeatedAfter({ key: agents, happens: agentIs(true) }, route)
    expect([again.status, replayed(again), again.body]).toEqual([201, 'true', first.body])
  })
})

describe('one key', () => {
  test('racing requests make one message; the others get its answer or are told to wait', async () => {
    const [key, body] = [randomUUID(), `raced ${randomUUID()}`]
    const answers = await Promise.all(Array.from({ length: 50 }, () => once(messages(), { body }, key)))
    expect(await countOf(body)).toBe(1)
    const ids = answers.filter(({ status }) => status === 201).map(({ data }) => data.id)
    expect(ids.length).toBeGreaterThanOrEqual(1)
    expect(new Set(ids).size).toBe(1)
    for (const { status, error } of answers.filter(({ status }) => status !== 201)) {
      expect([status, error.code]).toEqual([409, 'conflict'])
    }
    expect(replayed(await once(messages(), { body }, key))).toBe('true')
  })

  test('another body or path with it is refused', async () => {
    const key = randomUUID()
    await once(messages(), { body: 'first' }, key)
    for (const answer of [
      await once(messages(), { body: 'second' }, key),
      await once(`${messages()}?workspaceId=${objects.workspaceId}`, { body: 'first' }, key),
      await once('/api/agent/reply', { body: 'first' }, key).then(() =>
        once('/api/agent/reply', { body: 'first', conversationId: objects.conversationId }, key),
      ),
    ]) {
      expect([answer.status, answer.error.code]).toEqual([422, 'unprocessable'])
    }
    expect(await countOf('second')).toBe(0)
  })

  test('blanks in the JSON make no other body', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    await guddesk.call('POST', messages(), undefined, { headers, raw: '{"body":"spaced"}' })
    const second = await guddesk.call('POST', messages(), undefined, { headers, raw: ' { "body" : "spaced" } ' })
    expect([second.status, replayed(second)]).toEqual([201, 'true'])
  })

  test('belongs to one API key: somebody else’s is another', async () => {
    const other = await guddesk.newTenant()
    const key = randomUUID()
    const mine = await once('/api/v1/customers', { name: 'Mine' }, key)
    const theirs = await once('/api/v1/customers', { name: 'Theirs' }, key, other.key)
    expect([theirs.status, replayed(theirs)]).toEqual([201, null])
    expect(theirs.data.id).not.toBe(mine.data.id)
  })

  test('refusals that the operation decided are answers, too', async () => {
    const key = randomUUID()
    const path = '/api/v1/conversations/conv_01k2m7q3w8e5rbt9y4x6z0c1vd/messages'
    const first = await once(path, { body: 'x' }, key)
    const second = await once(path, { body: 'x' }, key)
    expect([first.status, second.status, replayed(second)]).toEqual([404, 404, 'true'])
    expect(second.body).toEqual(first.body)
  })

  test('a body that is refused before anything runs does not use it up', async () => {
    const key = randomUUID()
    expect((await once(messages(), { body: '' }, key)).status).toBe(400)
    expect((await once(messages(), { body: 'mended' }, key)).status).toBe(201)
  })

  test('what is forbidden now may be allowed later: the key is given back', async () => {
    const tenant = await guddesk.newTenant('VIEWER')
    const key = randomUUID()
    expect((await once('/api/v1/customers', { name: 'X' }, key, tenant.key)).status).toBe(403)
    await guddesk.deps.db.prisma.member.update({ where: { id: tenant.memberId }, data: { role: 'OWNER' } })
    const later = await once('/api/v1/customers', { name: 'X' }, key, tenant.key)
    expect([later.status, replayed(later)]).toEqual([201, null])
  })

  test.each(['', 'x'.repeat(256), 'é', 'tab\there'])('%j is not one', async (key) => {
    const answer = await once(messages(), { body: 'never' }, key)
    expect([answer.status, answer.error.fields?.[0]?.path]).toEqual([400, 'Idempotency-Key'])
    expect(await countOf('never')).toBe(0)
  })

  test('255 printable characters are', async () => {
    const answer = await once(messages(), { body: 'long key' }, `${'~'.repeat(127)} ${'!'.repeat(127)}`)
    expect(answer.status).toBe(201)
  })

  test('other methods ignore it', async () => {
    const headers = { 'idempotency-key': '' }
    const path = `/api/v1/conversations/${objects.conversationId}`
    for (const subject of ['a', 'b']) {
      const { data } = await guddesk.call('PATCH', path, { subject }, { headers })
      expect(data.subject).toBe(subject)
    }
  })
})

describe('time and crashes', () => {
  test('after 24 hours it is new again, and is swept away', async () => {
    const key = randomUUID()
    await once(messages(), { body: 'daily' }, key)
    guddesk.clock.advance(23 * 3_600_000)
    expect(replayed(await once(messages(), { body: 'daily' }, key))).toBe('true')
    guddesk.clock.advance(3_600_001)
    expect(replayed(await once(messages(), { body: 'daily' }, key))).toBe(null)
    expect(await countOf('daily')).toBe(2)
    guddesk.clock.advance(25 * 3_600_000)
    await purgeExpiredKeys(guddesk.deps)
    expect(await guddesk.deps.db.prisma.idempotencyKey.count()).toBe(0)
  })

  test('a process that is gone blocks it for 20 seconds; one that comes back late has nothing to commit', async () => {
    const use = { owner: 'key_of_a_test', key: randomUUID(), fingerprint: 'the same' }
    const { workspaceId } = guddesk.tenant
    const visitor = (name: string): IdempotentOperation => ({
      async work(deps) {
        if (name === 'late') await held.promise
        await inTransaction(deps, (tx) => tx.db.visitor.create({ data: { id: newId('visitor'), workspaceId, name } }))
        return { status: 201, body: name }
      },
      refusal: () => null,
    })
    const held = Promise.withResolvers<void>()
    const late = runIdempotently(guddesk.deps, use, visitor('late')).catch((error: unknown) => error)
    await until(async () => (await guddesk.deps.db.prisma.idempotencyKey.count({ where: use })) === 1)
    await expect(runIdempotently(guddesk.deps, use, visitor('early'))).rejects.toThrow(/still running/)
    guddesk.clock.advance(20_001)
    expect(await runIdempotently(guddesk.deps, use, visitor('second'))).toEqual({
      status: 201,
      body: 'second',
      isRepeated: false,
    })
    held.resolve()
    expect(await late).toBeInstanceOf(ConflictError)
    expect(await runIdempotently(guddesk.deps, use, visitor('third'))).toEqual({
      status: 201,
      body: 'second',
      isRepeated: true,
    })
    const made = await guddesk.deps.db.prisma.visitor.findMany({
      where: { name: { in: ['late', 'early', 'second', 'third'] } },
    })
    expect(made.map(({ name }) => name)).toEqual(['second'])
  })
})

describe('secrets', () => {
  test('an answer with credentials is stored sealed, and opens for whoever repeats the request', async () => {
    const key = randomUUID()
    const install = { name: 'Bot', webhookUrl: nextUrl() }
    const first = await once('/api/v1/agents', install, key)
    const { apiKey, webhookSecret } = first.data.credentials
    expect((await once('/api/v1/agents', install, key)).data.credentials).toEqual({ apiKey, webhookSecret })
    const rows = JSON.stringify(await guddesk.deps.db.prisma.idempotencyKey.findMany())
    expect(rows).toMatch(/v1\.[0-9a-f]{8}\./)
    for (const secret of [apiKey, webhookSecret]) expect(rows).not.toContain(secret)
  })
})
