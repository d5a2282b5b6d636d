import { describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk } from '../../support/guddesk.ts'
import { auditOf, bearer, cookieOf, guddesk, PASSWORD, person, signIn, usePeople, VIEWER } from './sign-in-steps.ts'

usePeople()

describe('a session', () => {
  test.each([
    ['unsigned', (token: string) => token.split('.')[0] ?? ''],
    ['with another signature', (token: string) => `${token.split('.')[0]}.${'A'.repeat(43)}=`],
    ['of another session', (token: string) => `x${token}`],
    ['with nothing in it', () => '.'],
    ['that is long', (token: string) => `${token}${'x'.repeat(5000)}`],
  ])('%s is nobody', async (_what, spoil) => {
    const { userId } = await person()
    const token = await guddesk.newSession({ userId })
    expect((await guddesk.graphql(VIEWER, {}, bearer(token))).status).toBe(200)
    expect((await guddesk.graphql(VIEWER, {}, bearer(spoil(token)))).status).toBe(401)
    const headers = { cookie: `guddesk.session_token=${encodeURIComponent(spoil(token))}`, origin: guddesk.origin }
    expect((await guddesk.graphql(VIEWER, {}, { key: null, headers })).status).toBe(401)
  })

  test('is good for GraphQL and not for REST', async () => {
    const token = await guddesk.newSession(await person())
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, bearer(token))).status).toBe(401)
    const headers = { cookie: `guddesk.session_token=${encodeURIComponent(token)}`, origin: guddesk.origin }
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, { key: null, headers })).status).toBe(401)
  })

  test('gives way to an API key in the same request', async () => {
    const token = await guddesk.newSession(await person())
    const headers = { cookie: `guddesk.session_token=${encodeURIComponent(token)}` }
    const { data } = await guddesk.graphql(VIEWER, {}, { headers })
    expect(data.viewer.actor.__typename).toBe('ApiKey')
  })

  test('ends 30 days after its last use, and not before', async () => {
    const own = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    try {
      const day = 86_400_000
      const token = await own.newSession(own.tenant)
      const use = () => own.graphql(VIEWER, {}, bearer(token))
      expect((await use()).headers.get('set-cookie')).toBeNull()
      own.clock.advance(20 * day)
      const renewed = await use()
      expect(renewed.status).toBe(200)
      expect(decodeURIComponent(renewed.headers.get('set-cookie') ?? '')).toMatch(
        /^guddesk\.session_token=\S+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
      )
      own.clock.advance(29 * day)
      expect((await use()).status).toBe(200)
      own.clock.advance(30 * day + 1000)
      expect((await use()).status).toBe(401)
    } finally {
      await own.stop()
    }
  })

  test('names its workspace when the person has several, and says so', async () => {
    const one = await person()
    const other = await guddesk.newTenant()
    const memberId = newId('member')
    await guddesk.deps.db.prisma.member.create({
      data: { id: memberId, workspaceId: other.workspaceId, userId: one.userId, role: 'VIEWER' },
    })
    const token = await guddesk.newSession(one)
    const ask = (workspaceId?: string) =>
      guddesk.graphql(
        VIEWER,
        {},
        {
          key: null,
          headers: { authorization: `Bearer ${token}`, ...(workspaceId && { 'x-workspace-id': workspaceId }) },
        },
      )
    const unnamed = (await ask()).body.errors[0]
    expect(unnamed.extensions.code).toBe('bad_request')
    expect(unnamed.message).toContain('X-Workspace-Id')
    const there = (await ask(other.workspaceId)).data.viewer
    expect(there).toMatchObject({
      permission: 'READ_ONLY',
      actor: { id: memberId },
      workspace: { id: other.workspaceId },
    })
    expect((await ask(guddesk.tenant.workspaceId)).data.viewer.permission).toBe('READ_WRITE')
    const stranger = await guddesk.newTenant()
    for (const id of [stranger.workspaceId, 'ws_01jy0000000000000000000000', 'x']) {
      expect((await ask(id)).body.errors[0].extensions).toEqual({ code: 'forbidden' })
    }
  })

  test('of somebody who belongs to no workspace says so', async () => {
    const { memberId, userId } = await person()
    await guddesk.deps.db.prisma.member.delete({ where: { id: memberId } })
    const { body } = await guddesk.graphql(VIEWER, {}, bearer(await guddesk.newSession({ userId })))
    expect(body.errors[0]).toMatchObject({
      message: 'You are not a member of any workspace',
      extensions: { code: 'forbidden' },
    })
  })
})

describe('signing out', () => {
  const signOut = (headers: Record<string, string>) =>
    guddesk.call('POST', '/api/auth/sign-out', undefined, { key: null, headers })

  test('ends the session, takes the cookie, and is recorded once', async () => {
    const { email, userId } = await person()
    const signedIn = await signIn(email, PASSWORD)
    const other = await signIn(email, PASSWORD)
    const answer = await signOut({ cookie: cookieOf(signedIn), origin: guddesk.origin })
    expect([answer.status, answer.data]).toEqual([200, { ok: true }])
    expect(answer.headers.get('set-cookie')).toBe('guddesk.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax')
    expect((await guddesk.graphql(VIEWER, {}, bearer(signedIn.data.token))).status).toBe(401)
    expect((await guddesk.graphql(VIEWER, {}, bearer(other.data.token))).status).toBe(200)
    expect((await signOut({ authorization: `Bearer ${signedIn.data.token}` })).status).toBe(401)
    expect((await signOut({ authorization: `Bearer ${other.data.token}` })).status).toBe(200)
    expect((await auditOf(userId)).map(({ action }) => action)).toEqual([
      'session.created',
      'session.created',
      'session.ended',
      'session.ended',
    ])
  })

  test('is refused from other pages, without a session, and with an API key', async () => {
    const { email } = await person()
    const signedIn = await signIn(email, PASSWORD)
    const cookie = cookieOf(signedIn)
    expect((await signOut({ cookie, origin: 'https://evil.example' })).status).toBe(403)
    expect((await signOut({})).status).toBe(401)
    expect((await signOut({ authorization: `Bearer ${guddesk.tenant.key}` })).status).toBe(403)
    expect((await guddesk.graphql(VIEWER, {}, bearer(signedIn.data.token))).status).toBe(200)
  })
})

describe('under /api/auth', () => {
  test.each([
    'POST /api/auth/sign-up/email',
    'POST /api/auth/sign-in/magic-link',
    'GET /api/auth/magic-link/verify',
    'POST /api/auth/sign-in/social',
    'GET /api/auth/get-session',
    'GET /api/auth/list-sessions',
    'POST /api/auth/change-password',
    'POST /api/auth/set-password',
    'POST /api/auth/change-email',
    'POST /api/auth/update-user',
    'POST /api/auth/update-session',
    'POST /api/auth/delete-user',
    'POST /api/auth/request-password-reset',
    'POST /api/auth/reset-password',
    'POST /api/auth/revoke-sessions',
    'GET /api/auth/ok',
    'GET /api/auth/error',
    'GET /api/auth',
    'GET /api/auth/',
    'POST /api/auth/sign-in/email/',
    'POST /api/auth//sign-in/email',
  ])('%s is not there', async (line) => {
    const [method = '', path = ''] = line.split(' ')
    const token = await guddesk.newSession(guddesk.tenant)
    const body = method === 'POST' ? {} : undefined
    const answer = await guddesk.call(method, path, body, bearer(token))
    expect(answer.status).toBe(404)
    expect(answer.error.code).toBe('not_found')
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
  })

  test.each([
    ['GET', '/api/auth/sign-in/email', 'POST'],
    ['GET', '/api/auth/sign-out', 'POST'],
    ['PUT', '/api/auth/sign-in/link', 'GET, HEAD, POST'],
  ])('%s %s is the wrong method', async (method, path, allowed) => {
    const answer = await guddesk.call(method, path, undefined, { key: null })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed])
  })
})
