import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const PASSWORD = 'correct horse battery'

async function person(password: string | null = PASSWORD) {
  const { memberId, userId } = await guddesk.newMember(guddesk.tenant, 'Ann', 'AGENT')
  if (password !== null) await guddesk.setPassword({ userId }, password)
  return { memberId, userId, email: `${userId}@example.com`, key: await guddesk.newSession({ userId }) }
}

async function ask(key: string, operation: string) {
  const { body } = await guddesk.graphql(operation, {}, { key })
  expect(body.errors).toBeUndefined()
  return body.data
}

async function mutate(key: string, name: string, input: string, selection = '') {
  const data = await ask(key, `mutation { ${name}(input: { ${input} }) { error { code message } ${selection} } }`)
  return data[name]
}

const signIn = async (email: string, password: string) =>
  (await guddesk.call('POST', '/api/auth/sign-in/email', { email, password }, { key: null })).status

const isSignedIn = async (key: string) => (await guddesk.graphql(graphql(`{ me { id } }`), {}, { key })).status === 200

const audited = async (targetId: string) => {
  const found = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { targetId }, orderBy: { id: 'asc' } })
  return found.map(({ action, data }) => [action, data])
}

describe('who is asking', () => {
  const WHO = graphql(`{ viewer { role user { id name email hasPassword } } }`)
  const ME = graphql(`{ me { id email } }`)

  test('is a person with a role, also behind a key, but not behind an agent', async () => {
    const { key, userId, email } = await person()
    const user = { id: userId, name: 'Ann', email, hasPassword: true }
    expect(await ask(key, WHO)).toEqual({ viewer: { role: 'AGENT', user } })
    expect(await ask(key, ME)).toEqual({ me: { id: userId, email } })
    const apiKey = await guddesk.newKey({ ...guddesk.tenant, userId }, 'READ_ONLY')
    expect((await ask(apiKey, WHO)).viewer).toEqual({ role: 'AGENT', user })
    const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/account' }
    const { data } = await guddesk.call('POST', '/api/v1/agents', bot)
    expect((await ask(data.credentials.apiKey, '{ viewer { role user { id } } }')).viewer).toEqual({
      role: null,
      user: null,
    })
    expect((await ask((await person(null)).key, '{ me { hasPassword } }')).me.hasPassword).toBe(false)
  })

  test('knows me without a workspace', async () => {
    const { key, memberId, userId } = await person()
    await guddesk.deps.db.prisma.member.delete({ where: { id: memberId } })
    expect(await ask(key, '{ me { id } sessions { isCurrent } workspaces { totalCount } }')).toEqual({
      me: { id: userId },
      sessions: [{ isCurrent: true }],
      workspaces: { totalCount: 0 },
    })
  })
})

describe('updateProfile', () => {
  test('renames the person everywhere, and is recorded', async () => {
    const { key, userId, memberId } = await person()
    const renamed = await mutate(key, 'updateProfile', 'name: " Ann Other "', 'user { name }')
    expect(renamed.user.name).toBe('Ann Other')
    expect((await ask(key, `{ node(id: "${memberId}") { ... on Member { name } } }`)).node.name).toBe('Ann Other')
    expect(await audited(userId)).toEqual([['profile.updated', {}]])
    expect(await mutate(key, 'updateProfile', 'name: " "')).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  })

  test('is not for keys', async () => {
    expect(await mutate(guddesk.tenant.key, 'updateProfile', 'name: "X"')).toMatchObject({
      error: { code: 'FORBIDDEN' },
    })
  })
})

describe('changePassword', () => {
  const NEXT = 'another battery staple'

  test('takes the current one, ends the other sessions, and is recorded', async () => {
    const { key, email, userId } = await person()
    const other = await guddesk.newSession({ userId })
    const input = `currentPassword: "${PASSWORD}", newPassword: "${NEXT}"`
    expect(await mutate(key, 'changePassword', input)).toEqual({ error: null })
    expect([await isSignedIn(key), await isSignedIn(other)]).toEqual([true, false])
    expect([await signIn(email, PASSWORD), await signIn(email, NEXT)]).toEqual([401, 200])
    expect((await audited(userId)).filter(([action]) => action === 'password.changed')).toEqual([
      ['password.changed', { endedSessions: 1 }],
    ])
    expect(JSON.stringify(guddesk.logs)).not.toContain(NEXT)
  })

  test('asks for the current one only where there is one', async () => {
    const bare = await person(null)
    expect(await signIn(bare.email, NEXT)).toBe(401)
    const first = await mutate(bare.key, 'changePassword', `newPassword: "${NEXT}"`, 'user { hasPassword }')
    expect(first.user).toEqual({ hasPassword: true })
    expect(await signIn(bare.email, NEXT)).toBe(200)
    const again = await mutate(bare.key, 'changePassword', `newPassword: "${PASSWORD}"`)
    expect(again).toMatchObject({ error: { code: 'BAD_REQUEST', message: expect.stringContaining('currentPassword') } })
  })

  test.each([
    ['a wrong one', 'currentPassword: "not it at all", newPassword: "another battery"'],
    ['none', 'newPassword: "another battery"'],
    ['a new one that is too short', `currentPassword: "${PASSWORD}", newPassword: "123456789"`],
    ['a new one that is too long', `currentPassword: "${PASSWORD}", newPassword: "${'x'.repeat(129)}"`],
  ])('refuses %s and leaves everything as it was', async (_what, input) => {
    const { key, email, userId } = await person()
    const other = await guddesk.newSession({ userId })
    expect(await mutate(key, 'changePassword', input)).toMatchObject({ error: { code: 'BAD_REQUEST' } })
    expect(await isSignedIn(other)).toBe(true)
    expect(await signIn(email, PASSWORD)).toBe(200)
  })

  test('does not let the current one be guessed', async () => {
    const { key } = await person()
    const guess = () => mutate(key, 'changePassword', `currentPassword: "wrong", newPassword: "${NEXT}"`)
    const codes = (await Promise.all(Array.from({ length: 12 }, guess))).map(({ error }) => error.code)
    expect(codes.sort()).toEqual([...Array(10).fill('BAD_REQUEST'), 'RATE_LIMITED', 'RATE_LIMITED'])
  })

  test('twice at once changes it once', async () => {
    const { key, email } = await person()
    const change = (to: string) => mutate(key, 'changePassword', `currentPassword: "${PASSWORD}", newPassword: "${to}"`)
    const results = await Promise.all([change('first new password'), change('second new password')])
    expect(results.map(({ error }) => error?.code ?? 'changed').sort()).toEqual(['CONFLICT', 'changed'])
    const winner = results[0].error === null ? 'first' : 'second'
    expect(await signIn(email, `${winner} new password`)).toBe(200)
  })

  test('a first one twice at once sets it once', async () => {
    const { key } = await person(null)
    const set = (to: string) => mutate(key, 'changePassword', `newPassword: "${to}"`)
    const results = await Promise.all([set('first new password'), set('second new password')])
    expect(results.map(({ error }) => error?.code ?? 'changed').sort()).toEqual(['CONFLICT', 'changed'])
  })

  test('is not for keys', async () => {
    const input = `newPassword: "${NEXT}"`
    expect(await mutate(guddesk.tenant.key, 'changePassword', input)).toMatchObject({ error: { code: 'FORBIDDEN' } })
  })
})

describe('sessions', () => {
  test('lists one’s own, without their tokens, and ends them', async () => {
    const { key, userId } = await person()
    const other = await guddesk.newSession({ userId })
    await guddesk.newSession(guddesk.tenant)
    const { sessions } = await ask(key, '{ sessions { id isCurrent address userAgent createdAt expiresAt } }')
    expect(sessions.map(({ isCurrent }: { isCurrent: boolean }) => isCurrent)).toEqual([false, true])
    expect(JSON.stringify(sessions)).not.toContain(other.split('.')[0])
    const ended = await mutate(key, 'endSession', `sessionId: "${sessions[0].id}"`)
    expect(ended).toEqual({ error: null })
    expect([await isSignedIn(key), await isSignedIn(other)]).toEqual([true, false])
    expect(await mutate(key, 'endSession', `sessionId: "${sessions[0].id}"`)).toMatchObject({
      error: { code: 'NOT_FOUND' },
    })
    await mutate(key, 'endSession', `sessionId: "${sessions[1].id}"`)
    expect(await isSignedIn(key)).toBe(false)
    expect(await audited(sessions[0].id)).toEqual([
      ['session.created', { by: 'password' }],
      ['session.ended', {}],
    ])
  })

  test('of others are not found; keys have none', async () => {
    const [one, two] = [await person(), await person()]
    const [theirs] = (await ask(two.key, '{ sessions { id } }')).sessions
    for (const id of [theirs.id, 'ses_00000000000000000000000000', 'x', '']) {
      expect(await mutate(one.key, 'endSession', `sessionId: "${id}"`)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    }
    expect(await isSignedIn(two.key)).toBe(true)
    const { body } = await guddesk.graphql(graphql(`{ sessions { id } }`))
    expect(body.errors[0].extensions.code).toBe('forbidden')
  })
})
