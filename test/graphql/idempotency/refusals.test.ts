import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { makeObjects, type Objects } from '../../rest/objects.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { codeOf, keysOf, SEND, type Send, sender, whileFull } from './requests.ts'

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

describe('what is refused', () => {
  const unknown = () => message('x', newId('conversation'))

  test('because of what is there is an answer like any other', async () => {
    const [key, before] = [randomUUID(), await keysOf(guddesk)]
    const first = await send(SEND, unknown(), key)
    const again = unknown()
    expect(first.body.data.sendMessage.error.code).toBe('NOT_FOUND')
    expect(await keysOf(guddesk)).toBe(before + 1)
    expect(codeOf(await send(SEND, again, key))).toBe('unprocessable')
  })

  test('is repeated as it was', async () => {
    const [key, variables] = [randomUUID(), unknown()]
    const withoutError = SEND.replace('error { code message }', '')
    const first = await send(withoutError, variables, key)
    const second = await send(withoutError, variables, key)
    expect([second.text, second.replayed]).toEqual([first.text, 'true'])
  })

  test.each([
    ['invalid input', () => message('')],
    ['an invalid variable', () => ({ ...message('x'), body: null })],
  ])('for %s does not use the key up', async (_name, variables) => {
    const key = randomUUID()
    const refused = await send(SEND, variables(), key)
    expect(codeOf(refused) ?? refused.body.data.sendMessage.error.code.toLowerCase()).toBe('bad_request')
    const mended = await send(SEND, message(`mended ${key}`), key)
    expect([mended.body.data.sendMessage.error, mended.replayed]).toEqual([null, null])
  })

  test('by the schema does not use the key up', async () => {
    const [key, before] = [randomUUID(), await keysOf(guddesk)]
    expect(codeOf(await send('mutation { nothing }', {}, key))).toBe('GRAPHQL_VALIDATION_FAILED')
    expect(await keysOf(guddesk)).toBe(before)
    expect((await send(SEND, message('valid'), key)).body.data.sendMessage.error).toBe(null)
  })

  test('for want of permission may be allowed later: the key is given back', async () => {
    const tenant = await guddesk.newTenant('VIEWER')
    const [key, create] = [
      randomUUID(),
      'mutation { upsertVisitor(input: { name: "X" }) { visitor { id } error { code } } }',
    ]
    const first = await send(create, {}, key, { key: tenant.key })
    expect(first.body.data.upsertVisitor.error.code).toBe('FORBIDDEN')
    await guddesk.deps.db.prisma.member.update({ where: { id: tenant.memberId }, data: { role: 'OWNER' } })
    const later = await send(create, {}, key, { key: tenant.key })
    expect([later.body.data.upsertVisitor.error, later.replayed]).toEqual([null, null])
  })

  test('within the selection stays with the change that was made', async () => {
    const agent = await guddesk.newTenant('AGENT')
    const conversationId = await guddesk.newConversation(agent)
    const query = `mutation ($conversationId: ID!) { updateConversation(input: { conversationId: $conversationId, subject: "part" }) {
      conversation { id messages(first: 0) { totalCount } } error { code } } }`
    const key = randomUUID()
    const first = await send(query, { conversationId }, key, { key: agent.key })
    const second = await send(query, { conversationId }, key, { key: agent.key })
    const where = { conversationId, type: 'conversation.updated' }
    const updates = await guddesk.deps.db.prisma.event.count({ where })
    expect([codeOf(first), first.body.errors[0].locations]).toEqual(['bad_request', [expect.anything()]])
    expect([second.text, second.status, second.replayed, updates]).toEqual([first.text, first.status, 'true', 1])
  })
})

describe('what fails', () => {
  test('in the selection for a reason of ours undoes the change, and the key can be used again', async () => {
    const { db } = guddesk.deps
    const [key, body] = [randomUUID(), 'half']
    await db.sql('ALTER TABLE collections RENAME TO collections_away')
    const query = `mutation ($body: String!) { createArticle(input: { title: $body }) { article { id collection { id } } error { code } } }`
    const failed = await send(query, { body }, key).finally(() =>
      db.sql('ALTER TABLE collections_away RENAME TO collections'),
    )
    expect([failed.status, codeOf(failed), failed.body.data?.createArticle ?? null]).toEqual([
      200,
      'internal_error',
      null,
    ])
    expect(await db.prisma.article.count({ where: { title: body } })).toBe(0)
    const again = await send(query, { body }, key)
    expect([again.body.errors, again.body.data.createArticle.error, again.replayed]).toEqual([undefined, null, null])
  })

  test('leaves no signal: those wait for the commit', async () => {
    const { bus } = guddesk.deps
    const spy = vi.spyOn(bus, 'notify')
    const key = randomUUID()
    await whileFull(guddesk, async () => void (await send(SEND, message('silent'), key)))
    expect(spy.mock.calls).toEqual([])
    await send(SEND, message('silent'), key)
    expect(spy.mock.calls.length).toBeGreaterThan(0)
    spy.mockRestore()
  })
})

describe('a repeated request', () => {
  const CREATE = 'mutation { createApiKey(input: { name: "CI", permission: FULL_ACCESS }) { key error { code } } }'

  const ENDINGS: Record<
    string,
    [code: string, status: number, happens: (tenant: Tenant, key: string) => Promise<unknown>]
  > = {
    'a member who is an AGENT now': ['forbidden', 403, ({ memberId }) => role(memberId, 'AGENT')],
    'a member who has left': [
      'unauthorized',
      401,
      ({ memberId }) => guddesk.deps.db.prisma.member.delete({ where: { id: memberId } }),
    ],
    'a key that may only write now': [
      'forbidden',
      403,
      (_tenant, key) =>
        guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data: { permission: 'READ_WRITE' } }),
    ],
    'a revoked key': [
      'unauthorized',
      401,
      (_tenant, key) =>
        guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data: { revokedAt: new Date(0) } }),
    ],
  }
  const role = (id: string, to: MemberRole) =>
    guddesk.deps.db.prisma.member.update({ where: { id }, data: { role: to } })

  test.each(Object.entries(ENDINGS))(
    'of %s says nothing of its first answer',
    async (_name, [code, status, happens]) => {
      const owner = await guddesk.newTenant()
      const tenant = { ...owner, ...(await guddesk.newMember(owner, 'Eve', 'ADMIN')) }
      const [key, idempotencyKey] = [await guddesk.newKey(tenant, 'FULL_ACCESS'), randomUUID()]
      const first = await send(CREATE, {}, idempotencyKey, { key })
      const secret = first.body.data.createApiKey.key
      expect(secret).toMatch(/^gd_/)
      await happens(tenant, key)
      const again = await send(CREATE, {}, idempotencyKey, { key })
      expect(codeOf(again) ?? again.body.data.createApiKey.error.code.toLowerCase()).toBe(code)
      expect([again.status, again.replayed]).toEqual([status, null])
      expect(again.text).not.toContain(secret)
    },
  )

  test('of a session whose person has left the workspace says nothing of its first answer', async () => {
    const owner = await guddesk.newTenant()
    const eve = await guddesk.newMember(owner, 'Eve', 'ADMIN')
    const as = { key: await guddesk.newSession(eve), headers: { 'x-workspace-id': owner.workspaceId } }
    const idempotencyKey = randomUUID()
    const first = await send(CREATE, {}, idempotencyKey, as)
    await guddesk.deps.db.prisma.member.delete({ where: { id: eve.memberId } })
    const again = await send(CREATE, {}, idempotencyKey, as)
    expect([again.status, codeOf(again), again.replayed]).toEqual([403, 'forbidden', null])
    expect(again.text).not.toContain(first.body.data.createApiKey.key)
  })

  test('of a member who has risen gets its first answer', async () => {
    const owner = await guddesk.newTenant()
    const tenant = { ...owner, ...(await guddesk.newMember(owner, 'Eve', 'ADMIN')) }
    const [key, idempotencyKey] = [await guddesk.newKey(tenant, 'FULL_ACCESS'), randomUUID()]
    const first = await send(CREATE, {}, idempotencyKey, { key })
    await role(tenant.memberId, 'OWNER')
    expect((await send(CREATE, {}, idempotencyKey, { key })).text).toBe(first.text)
  })

  test('has credentials, which are stored sealed', async () => {
    const idempotencyKey = randomUUID()
    const secret = (await send(CREATE, {}, idempotencyKey)).body.data.createApiKey.key
    expect((await send(CREATE, {}, idempotencyKey)).body.data.createApiKey.key).toBe(secret)
    expect(JSON.stringify(await guddesk.deps.db.prisma.idempotencyKey.findMany())).not.toContain(secret)
  })
})

describe('without a credential', () => {
  const ACCEPT =
    'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { workspaceId email error { code } } }'

  test('an invitation is accepted once, and whoever repeats it gets the answer', async () => {
    const { workspaceId } = await guddesk.newTenant()
    const [token, key] = [randomUUID(), randomUUID()]
    const expiresAt = new Date(guddesk.clock.now().getTime() + 3_600_000)
    const row = {
      id: newId('invitation'),
      workspaceId,
      email: `${token}@example.com`,
      role: 'AGENT',
      expiresAt,
    } as const
    await guddesk.deps.db.prisma.invitation.create({ data: { ...row, tokenHash: sha256(token) } })
    const input = { token, name: 'New', password: 'long enough for anybody' }
    const first = await send(ACCEPT, { input }, key, { key: null })
    expect(first.body.data.acceptInvitation).toEqual({ workspaceId, email: row.email, error: null })
    const second = await send(ACCEPT, { input }, key, { key: null })
    expect([second.text, second.replayed]).toEqual([first.text, 'true'])
    // Whoever does not know the whole request has another key.
    const guessed = await send(ACCEPT, { input: { ...input, password: 'another password' } }, key, { key: null })
    expect(guessed.body.data.acceptInvitation.error.code).toBe('NOT_FOUND')
  })

  test('nothing else is stored', async () => {
    const before = await keysOf(guddesk)
    const input = { token: 'unknown', name: 'New', password: 'long enough for anybody' }
    expect((await send(ACCEPT, { input }, randomUUID(), { key: null })).body.data.acceptInvitation.error.code).toBe(
      'NOT_FOUND',
    )
    expect(codeOf(await send(SEND, message('nobody'), randomUUID(), { key: null }))).toBe('unauthorized')
    expect(await keysOf(guddesk)).toBe(before)
  })
})
