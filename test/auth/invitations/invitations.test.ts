import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { graphql, payload, type VariablesOf } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let count = 0
/** Nobody's yet. */
let email: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api', PUBLIC_URL: 'http://desk.test' } })
})

afterAll(() => guddesk?.stop())

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  count += 1
  email = `new-${count}@example.com`
})

const PASSWORD = 'correct horse battery'
const DAY = 86_400_000

const INVITE = graphql(`mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
  link invitation { id email role expiresAt }
  error { code message }
} }`)
const ACCEPT = graphql(`mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  workspaceId email
  error { code message }
} }`)
const REVOKE = graphql(`mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) {
  deletedId
  error { code message }
} }`)
const OFFER = graphql(
  `query ($token: String!) { invitationOffer(token: $token) { workspaceName email role hasAccount } }`,
)
const VIEWER = graphql(`{ viewer { role user { name } } }`)
const LIST = graphql(`{ invitations { totalCount edges { node { email role } } } }`)

/** The result, whatever it is. */
const tryToInvite = async (to: string, role: MemberRole = 'AGENT', key = tenant.key) =>
  (await guddesk.query(INVITE, { input: { email: to, role } }, { key })).inviteMember

async function invite(to: string, role: MemberRole = 'AGENT', key = tenant.key) {
  const { link, invitation } = payload(await tryToInvite(to, role, key))
  return { link, invitation, token: link?.split('/').at(-1) ?? '' }
}

type Acceptance = Omit<VariablesOf<typeof ACCEPT>['input'], 'token'>

const accept = async (token: string, input: Acceptance = {}, key: string | null = null) =>
  (await guddesk.query(ACCEPT, { input: { token, ...input } }, { key })).acceptInvitation
const NEW = { name: 'Nia New', password: PASSWORD }

const revoke = async (invitationId: string, key = tenant.key) =>
  (await guddesk.query(REVOKE, { input: { invitationId } }, { key })).revokeInvitation

const offer = async (token: string) => (await guddesk.query(OFFER, { token }, { key: null })).invitationOffer

const isRefused = (result: { error: object | null } | null) => result?.error != null

const members = () =>
  guddesk.deps.db.prisma.member.findMany({ where: { workspaceId: tenant.workspaceId }, include: { user: true } })

test('somebody new follows the link, chooses name and password, and signs in', async () => {
  const { link, invitation, token } = await invite(` ${email.toUpperCase()} `, 'ADMIN')
  expect(link).toMatch(/^http:\/\/desk\.test\/invitations\/[\w-]{43}$/)
  expect(invitation).toMatchObject({ id: expect.stringMatching(/^inv_/), email, role: 'ADMIN' })
  expect(await offer(token)).toEqual({ workspaceName: 'Other', email, role: 'ADMIN', hasAccount: false })
  expect(await accept(token, NEW)).toEqual({
    error: null,
    workspaceId: tenant.workspaceId,
    email,
  })
  const signedIn = await guddesk.call('POST', '/api/auth/sign-in/email', { email, password: PASSWORD }, { key: null })
  const { viewer } = await guddesk.query(VIEWER, {}, { key: signedIn.data.token })
  expect(viewer).toEqual({ role: 'ADMIN', user: { name: 'Nia New' } })
  expect(await offer(token)).toBeNull()
  const audit = await guddesk.deps.db.prisma.auditEntry.findMany({
    where: { workspaceId: tenant.workspaceId },
    orderBy: { id: 'asc' },
  })
  expect(audit).toMatchObject([
    { action: 'member.invited', targetId: invitation.id, targetName: email, data: { role: 'ADMIN' } },
    { action: 'member.joined', actorName: 'Nia New', targetType: 'member', address: '127.0.0.1' },
  ])
  expect(JSON.stringify([audit, guddesk.logs])).not.toContain(token)
  expect(JSON.stringify(guddesk.logs)).not.toContain(PASSWORD)
})

describe('somebody with an account', () => {
  test('joins when signed in as that address, and only then', async () => {
    const other = await guddesk.newTenant()
    const { token } = await invite(`${other.userId}@example.com`)
    expect(await offer(token)).toMatchObject({ hasAccount: true })
    const stranger = await guddesk.newSession(await guddesk.newTenant())
    for (const key of [null, stranger, other.key]) {
      const refused = await accept(token, NEW, key)
      expect(refused).toMatchObject({
        error: { code: 'FORBIDDEN', message: `Sign in as ${other.userId}@example.com first` },
      })
    }
    // No password was set by whoever has the link.
    expect(await guddesk.deps.db.prisma.account.count({ where: { userId: other.userId } })).toBe(0)
    const session = await guddesk.newSession(other)
    expect(await accept(token, {}, session)).toMatchObject({ workspaceId: tenant.workspaceId })
    expect((await members()).map(({ userId }) => userId)).toContain(other.userId)
    const user = await guddesk.deps.db.prisma.user.findUniqueOrThrow({ where: { id: other.userId } })
    expect(user.name).toBe('Otto Owner')
  })

  test('who is signed in does not accept for somebody else', async () => {
    const { token } = await invite(email)
    const session = await guddesk.newSession(tenant)
    expect(await accept(token, NEW, session)).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await offer(token)).not.toBeNull()
  })

  test('is not made to accept by another site’s page', async () => {
    const other = await guddesk.newTenant()
    const { token } = await invite(`${other.userId}@example.com`)
    const cookie = `guddesk.session_token=${encodeURIComponent(await guddesk.newSession(other))}`
    const headers = { cookie, origin: 'https://evil.example' }
    const { acceptInvitation } = await guddesk.query(ACCEPT, { input: { token } }, { key: null, headers })
    expect(acceptInvitation).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await members()).toHaveLength(1)
  })

  test('is not invited where they are a member', async () => {
    expect(await tryToInvite(`${tenant.userId}@example.com`)).toMatchObject({ error: { code: 'CONFLICT' } })
  })
})

describe('a link', () => {
  test('is worthless after 7 days', async () => {
    const { token } = await invite(email)
    guddesk.clock.advance(7 * DAY - 1000)
    expect(await offer(token)).not.toBeNull()
    guddesk.clock.advance(2000)
    expect(await offer(token)).toBeNull()
    expect(await accept(token, NEW)).toMatchObject({
      error: {
        code: 'NOT_FOUND',
        message: 'Invitation not found: it was used or revoked, or has expired; ask for a new one',
      },
    })
  })

  test('is worthless once it is revoked, or the person was invited again', async () => {
    const first = await invite(email)
    const second = await invite(email, 'VIEWER')
    expect(await offer(first.token)).toBeNull()
    expect(await offer(second.token)).toMatchObject({ role: 'VIEWER' })
    const stranger = await guddesk.newTenant()
    expect(await revoke(second.invitation.id, stranger.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await revoke(second.invitation.id)).toMatchObject({ deletedId: second.invitation.id })
    expect(await revoke(second.invitation.id)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    for (const { token } of [first, second])
      expect(await accept(token, NEW)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })

  test.each(['', 'x', '\u0000', 'x'.repeat(200)])('with the token %j offers nothing', async (token) => {
    expect(await offer(token)).toBeNull()
    expect(await accept(token, NEW)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })

  test('accepted several times at once makes one member', async () => {
    const { token } = await invite(email)
    const results = await Promise.all([1, 2, 3, 4].map(() => accept(token, NEW)))
    expect(results.filter((result) => !isRefused(result))).toHaveLength(1)
    expect((await members()).filter(({ user }) => user.email === email)).toHaveLength(1)
    expect(await guddesk.deps.db.prisma.user.count({ where: { email } })).toBe(1)
  })

  test('of two workspaces accepted at once make one person', async () => {
    const other = await guddesk.newTenant()
    const tokens = [await invite(email), await invite(email, 'AGENT', other.key)]
    const results = await Promise.all(tokens.map(({ token }) => accept(token, NEW)))
    expect(await guddesk.deps.db.prisma.user.count({ where: { email } })).toBe(1)
    // The second one learns that there is an account now; its invitation stands.
    const refused = results.findIndex(isRefused)
    expect(results.filter((result) => !isRefused(result))).toHaveLength(1)
    expect(results[refused]).toMatchObject({ error: { code: expect.stringMatching(/^(CONFLICT|FORBIDDEN)$/) } })
    expect(await offer(tokens[refused]?.token ?? '')).toMatchObject({ hasAccount: true })
  })

  test.each([
    ['no name', { password: PASSWORD }, ['name']],
    ['no password', { name: 'Nia' }, ['password']],
    ['neither', {}, ['name', 'password']],
    ['a short password', { name: 'Nia', password: '123456789' }, ['password']],
    ['an empty name', { name: ' ', password: PASSWORD }, ['name']],
  ])('accepted with %s is refused, and stays', async (_what, input, paths) => {
    const { token } = await invite(email)
    const refused = await accept(token, input)
    expect(refused).toMatchObject({ error: { code: 'BAD_REQUEST' } })
    for (const path of paths) expect(refused).toMatchObject({ error: { message: expect.stringContaining(path) } })
    expect(await offer(token)).not.toBeNull()
    expect(await guddesk.deps.db.prisma.user.count({ where: { email } })).toBe(0)
  })
})

describe('the list', () => {
  test('has the open ones of this workspace', async () => {
    const other = await guddesk.newTenant()
    await invite('elsewhere@example.com', 'AGENT', other.key)
    const gone = await invite(`gone-${email}`)
    await accept(gone.token, NEW)
    await invite(email)
    const list = async () => (await guddesk.query(LIST, {}, tenant)).invitations
    expect(await list()).toEqual({ totalCount: 1, edges: [{ node: { email, role: 'AGENT' } }] })
    guddesk.clock.advance(7 * DAY + 1000)
    expect(await list()).toEqual({ totalCount: 0, edges: [] })
  })
})

test('inviting the same person several times at once leaves one invitation', async () => {
  const made = await Promise.all([1, 2, 3].map(() => invite(email)))
  expect(await guddesk.deps.db.prisma.invitation.count({ where: { email } })).toBe(1)
  const offers = await Promise.all(made.map(({ token }) => offer(token)))
  expect(offers.filter((one) => one !== null)).toHaveLength(1)
})

test('an owner’s invitation is the business of owners', async () => {
  const admin = await guddesk.newMember(tenant, 'Ada', 'ADMIN')
  const key = await guddesk.newSession(admin)
  expect(await tryToInvite(email, 'OWNER', key)).toMatchObject({ error: { code: 'FORBIDDEN' } })
  const { invitation } = await invite(email, 'OWNER')
  expect(await tryToInvite(email, 'VIEWER', key)).toMatchObject({ error: { code: 'FORBIDDEN' } })
  expect(await revoke(invitation.id, key)).toMatchObject({ error: { code: 'FORBIDDEN' } })
  expect(await tryToInvite('not an address', 'AGENT', key)).toMatchObject({ error: { code: 'BAD_REQUEST' } })
})
