import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { invitationsOf } from './invite.ts'

let guddesk: TestGudDesk
/** The squatter's own workspace, and the one that the real person is let into. */
let theirs: Tenant
let ours: Tenant
let count = 0
let email: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  theirs = await guddesk.newTenant()
  ours = await guddesk.newTenant()
  count += 1
  email = `ceo-${count}@example.com`
})

const KNOWN = 'known to the squatter'
const NEXT = 'known to the owner alone'

const MAKE_KEY = graphql(`mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  key
  error { code message }
} }`)
const CHANGE = graphql(`mutation ($input: ChangePasswordInput!) { changePassword(input: $input) {
  user { hasPassword mayResetPassword }
  error { code message }
} }`)
const ME = graphql(`{ me { email hasPassword isEmailVerified mayResetPassword } }`)
const MEMBERS = graphql(`{ workspace { members { edges { node { email isEmailVerified } } } } }`)

const { tryToInvite, accept, offer } = invitationsOf(() => guddesk)

async function invite(tenant: Tenant, role: MemberRole = 'AGENT'): Promise<string> {
  return (
    payload(await tryToInvite(email, tenant.key, role))
      .link?.split('/')
      .at(-1) ?? ''
  )
}

const makeKey = async (key: string, isForAllWorkspaces: boolean) =>
  (await guddesk.query(MAKE_KEY, { input: { name: 'K', permission: 'FULL_ACCESS', isForAllWorkspaces } }, { key }))
    .createApiKey

const change = async (key: string, input: { newPassword: string; currentPassword?: string; revokeApiKeys?: boolean }) =>
  (await guddesk.query(CHANGE, { input }, { key })).changePassword

const signIn = (password: string) => guddesk.call('POST', '/api/auth/sign-in/email', { email, password }, { key: null })

async function useLink(): Promise<string> {
  const token = String(await guddesk.people.makeLink(email))
  return (await guddesk.people.openLink(token, { address: '192.0.2.1', userAgent: null })).token
}

const works = async (key: string) =>
  (await guddesk.graphql('{ workspaces { totalCount } }', {}, { key })).status === 200

/** Somebody makes an account with an address that is not theirs: they invite it and open the link themselves. */
async function squat(role: MemberRole = 'OWNER'): Promise<{ userId: string; session: string }> {
  expect(await accept(await invite(theirs, role), { name: 'The CEO', password: KNOWN })).toMatchObject({
    workspaceId: theirs.workspaceId,
  })
  const { data } = await signIn(KNOWN)
  return { userId: data.user.id, session: data.token }
}

describe('an address that nobody has verified', () => {
  test('joins the workspace of its invitation, and no other, whoever is signed in', async () => {
    const { session } = await squat()
    expect((await guddesk.query(ME, {}, { key: session })).me).toMatchObject({
      isEmailVerified: false,
      hasPassword: true,
    })
    const token = await invite(ours, 'OWNER')
    expect(await offer(token)).toEqual({
      hasAccount: true,
      mustVerifyEmail: true,
    })
    for (const key of [session, null, theirs.key]) {
      for (const input of [{}, { name: 'The CEO', password: KNOWN }]) {
        expect(await accept(token, input, key)).toMatchObject({
          error: { code: 'FORBIDDEN', message: expect.stringContaining('sign-in link') },
        })
      }
    }
    const where = { workspaceId: ours.workspaceId, user: { email } }
    expect(await guddesk.deps.db.prisma.member.count({ where })).toBe(0)
    expect((await guddesk.query(MEMBERS, {}, { key: theirs.key })).workspace.members?.edges).toContainEqual({
      node: { email, isEmailVerified: false },
    })
  })

  test('has keys of its workspace, and none of all', async () => {
    const { userId, session } = await squat()
    expect(await makeKey(session, true)).toMatchObject({
      error: { code: 'FORBIDDEN', message: expect.stringContaining('verified email address') },
    })
    expect(await makeKey(session, false)).toMatchObject({ error: null })
    // Nor by a key that it had before.
    const old = await guddesk.newKey({ ...theirs, userId }, 'FULL_ACCESS', 'all')
    const headers = { 'x-workspace-id': theirs.workspaceId }
    const input = { name: 'K', permission: 'FULL_ACCESS' as const, isForAllWorkspaces: true }
    expect((await guddesk.query(MAKE_KEY, { input }, { key: old, headers })).createApiKey).toMatchObject({
      error: { code: 'FORBIDDEN' },
    })
  })

  test('ends its password, sessions and keys when its owner uses a link, who then joins', async () => {
    const { userId, session } = await squat()
    const another = (await signIn(KNOWN)).data.token
    const key = payload(await makeKey(session, false)).key
    const old = await guddesk.newKey({ ...theirs, userId }, 'FULL_ACCESS', 'all')
    const token = await invite(ours, 'OWNER')
    const owner = await useLink()
    for (const credential of [session, another, key, old]) expect(await works(credential)).toBe(false)
    expect((await signIn(KNOWN)).status).toBe(401)
    expect((await guddesk.query(ME, {}, { key: owner })).me).toEqual({
      email,
      hasPassword: false,
      isEmailVerified: true,
      mayResetPassword: true,
    })
    expect(await accept(token, {}, owner)).toMatchObject({ workspaceId: ours.workspaceId })
    expect(await change(owner, { newPassword: NEXT })).toMatchObject({ user: { hasPassword: true } })
    expect([(await signIn(KNOWN)).status, (await signIn(NEXT)).status]).toEqual([401, 200])
    expect(await works(owner)).toBe(true)

    const { auditEntry } = guddesk.deps.db.prisma
    expect(await auditEntry.findFirst({ where: { action: 'email.verified', targetId: userId } })).toMatchObject({
      workspaceId: null,
      address: '192.0.2.1',
      data: { endedPassword: true, endedSessions: 2, revokedApiKeys: 2 },
    })
    const inWorkspace = { action: 'api_key.revoked', workspaceId: theirs.workspaceId, userId }
    expect(await auditEntry.count({ where: inWorkspace })).toBe(1)
  })

  test('keeps the agents that it installed: they are the workspace’s', async () => {
    const { session } = await squat()
    const key = payload(await makeKey(session, false)).key
    const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/verified' }
    const { data } = await guddesk.call('POST', '/api/v1/agents', bot, { key })
    await useLink()
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, { key })).status).toBe(401)
    const asAgent = { key: data.credentials.apiKey }
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, asAgent)).status).toBe(200)
  })

  test('leaves nothing to whoever acts at the very moment that its owner uses a link', async () => {
    const { userId, session } = await squat()
    const token = String(await guddesk.people.makeLink(email))
    const attacks = Array.from({ length: 8 }, () => [
      signIn(KNOWN),
      guddesk.graphql(MAKE_KEY, { input: { name: 'K', permission: 'FULL_ACCESS' } }, { key: session }),
      guddesk.graphql(
        CHANGE,
        { input: { newPassword: 'set by the squatter', currentPassword: KNOWN } },
        { key: session },
      ),
      guddesk.graphql(CHANGE, { input: { newPassword: 'set by the squatter' } }, { key: session }),
    ]).flat()
    const opened = guddesk.people.openLink(token, { address: null, userAgent: null })
    await Promise.all([...attacks, opened])
    const { prisma } = guddesk.deps.db
    expect(await prisma.session.count({ where: { userId } })).toBe(1)
    expect(await prisma.apiKey.count({ where: { userId, revokedAt: null } })).toBe(0)
    expect(await prisma.account.count({ where: { userId } })).toBe(0)
    expect(await works((await opened).token)).toBe(true)
  })

  test('with thousands of keys is verified all the same', async () => {
    const { userId } = await squat()
    const { prisma } = guddesk.deps.db
    const scope = { userId, workspaceId: theirs.workspaceId, permission: 'READ_ONLY' as const, prefix: 'gd_x' }
    const keys = Array.from({ length: 3000 }, (_, i) => ({
      ...scope,
      id: newId('apiKey'),
      name: 'K',
      hash: `${userId} ${i}`,
    }))
    await prisma.apiKey.createMany({ data: keys })
    await useLink()
    expect(await prisma.apiKey.count({ where: { userId, revokedAt: null } })).toBe(0)
  })
})

describe('a verified address', () => {
  /** A person with a password who has used a link before. */
  async function person(): Promise<{ userId: string; session: string; key: string }> {
    const member = await guddesk.newMember(ours, 'Ann', 'ADMIN')
    email = `${member.userId}@example.com`
    await guddesk.setPassword(member, KNOWN)
    const key = await guddesk.newKey({ ...ours, userId: member.userId }, 'READ_WRITE')
    return { userId: member.userId, session: (await signIn(KNOWN)).data.token, key }
  }

  test('loses nothing by another link, which may set a password without the one before', async () => {
    const { session, key } = await person()
    const linked = await useLink()
    expect([await works(session), await works(key), (await signIn(KNOWN)).status]).toEqual([true, true, 200])
    expect(await change(session, { newPassword: NEXT })).toMatchObject({ error: { code: 'BAD_REQUEST' } })
    const other = String(await guddesk.people.makeLink(email))
    expect(await change(linked, { newPassword: NEXT })).toMatchObject({
      user: { hasPassword: true, mayResetPassword: false },
    })
    expect([await works(session), await works(key), await works(linked)]).toEqual([false, true, true])
    expect([(await signIn(KNOWN)).status, (await signIn(NEXT)).status]).toEqual([401, 200])
    // Links that were made before the password are over with it, and so is the right to set one.
    await expect(guddesk.people.openLink(other, { address: null, userAgent: null })).rejects.toThrow('already used')
    expect(await change(linked, { newPassword: KNOWN })).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  })

  test('ends its keys with its password when asked to, in every workspace, and not those of agents', async () => {
    const { userId, session, key } = await person()
    const all = await guddesk.newKey({ ...ours, userId }, 'FULL_ACCESS', 'all')
    const input = { newPassword: NEXT, currentPassword: KNOWN, revokeApiKeys: true }
    expect(await change(session, input)).toMatchObject({ user: { hasPassword: true } })
    expect([await works(key), await works(all), await works(session), await works(ours.key)]).toEqual([
      false,
      false,
      true,
      true,
    ])
  })

  test('is let set a password without the one before for an hour', async () => {
    const { userId } = await person()
    const linked = await useLink()
    const before = new Date(guddesk.clock.now().getTime() - 1)
    await guddesk.deps.db.prisma.session.updateMany({
      where: { userId, passwordResetUntil: { not: null } },
      data: { passwordResetUntil: before },
    })
    expect(await change(linked, { newPassword: NEXT })).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  })

  test('makes keys of all workspaces', async () => {
    const { session } = await person()
    expect(await makeKey(session, true)).toMatchObject({ error: null })
  })
})
