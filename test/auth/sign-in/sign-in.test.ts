import { describe, expect, test } from 'vitest'
import { startGudDesk } from '../../support/guddesk.ts'
import {
  address,
  auditOf,
  bearer,
  cookieOf,
  guddesk,
  PASSWORD,
  person,
  signIn,
  usePeople,
  VIEWER,
} from './sign-in-steps.ts'

usePeople()

describe('with a password', () => {
  test('answers with a token and a cookie, which both are the member', async () => {
    const { email, memberId, userId } = await person()
    const answer = await signIn(email.toUpperCase(), PASSWORD, { 'user-agent': 'Browser/1' })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ data: { token: expect.any(String), user: { id: userId, name: 'Ann', email } } })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^guddesk\.session_token=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const viewer = {
      permission: 'READ_WRITE',
      actor: { __typename: 'Member', id: memberId, displayName: 'Ann' },
      member: { id: memberId },
      workspace: { id: guddesk.tenant.workspaceId },
    }
    expect((await guddesk.graphql(VIEWER, {}, bearer(answer.data.token))).data.viewer).toEqual(viewer)
    const headers = { cookie: cookieOf(answer), origin: guddesk.origin }
    expect((await guddesk.graphql(VIEWER, {}, { key: null, headers })).data.viewer).toEqual(viewer)
    const session = await guddesk.deps.db.prisma.session.findFirstOrThrow({ where: { userId } })
    expect(session).toMatchObject({ id: expect.stringMatching(/^ses_/), address, userAgent: 'Browser/1' })
    expect(await auditOf(userId)).toMatchObject([
      { action: 'session.created', targetId: session.id, address, userAgent: 'Browser/1', actorType: 'user' },
    ])
  })

  test('over https sets a cookie that no neighbour can plant and that no plain request carries', async () => {
    const secure = await startGudDesk({ env: { GUDDESK_ROLES: 'api', PUBLIC_URL: 'https://desk.example.com' } })
    const { cookie, token } = await secure.people.openSession(secure.tenant.userId, null)
    expect(cookie).toMatch(
      /^__Host-guddesk\.session_token=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    const use = async (name: string) => {
      const headers = { cookie: `${name}=${encodeURIComponent(token)}`, origin: 'https://desk.example.com' }
      return (await secure.graphql(VIEWER, {}, { key: null, headers })).status
    }
    expect(await use('__Host-guddesk.session_token')).toBe(200)
    for (const name of ['guddesk.session_token', '__Secure-guddesk.session_token']) expect(await use(name)).toBe(401)
    await secure.stop()
  })

  test('writes into the audit log who failed, and keeps nothing of unknown addresses', async () => {
    const { email, userId } = await person()
    await signIn(email, 'wrong password')
    expect(await auditOf(userId)).toMatchObject([{ action: 'session.failed', targetId: userId, address }])
    await signIn('my-secret-password@example.com', PASSWORD)
    const all = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { action: 'session.failed' } })
    expect(JSON.stringify(all)).not.toContain('my-secret')
    expect(JSON.stringify(guddesk.logs)).not.toContain('wrong password')
  })

  test('does not tell whether an address is known', async () => {
    const { email } = await person()
    const bare = await guddesk.newMember(guddesk.tenant, 'Without a password')
    const tries = [email, `${bare.userId}@example.com`, 'nobody@example.com']
    const answers = []
    for (const one of tries) answers.push(await signIn(one, 'wrong password'))
    for (const { status, body, headers } of answers) {
      expect(status).toBe(401)
      expect(body).toEqual({
        error: { code: 'unauthorized', message: 'The email address or password is incorrect', status: 401 },
      })
      expect(headers.get('set-cookie')).toBeNull()
    }
    // Each answer costs a scrypt of 16 MB, or takes a small fraction of one.
    const times = await Promise.all(
      tries.map(async (one) => {
        const samples: number[] = []
        for (let i = 0; i < 5; i++) {
          const began = performance.now()
          await signIn(one, 'wrong password', { 'x-forwarded-for': `203.0.113.${i + 1}` })
          samples.push(performance.now() - began)
        }
        return samples.sort((a, b) => a - b)[2] ?? 0
      }),
    )
    expect(Math.max(...times) / Math.min(...times), `medians: ${times}`).toBeLessThan(3)
  })

  test.each([
    ['no JSON', { raw: 'email=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
    ['no password', { raw: '{"email":"a@example.com"}' }, 400],
    ['an empty password', { raw: '{"email":"a@example.com","password":""}' }, 400],
    [
      'a password that is too long',
      { raw: JSON.stringify({ email: 'a@example.com', password: 'x'.repeat(129) }) },
      400,
    ],
    ['an empty address', { raw: '{"email":" ","password":"a long password"}' }, 400],
    ['malformed JSON', { raw: '{' }, 400],
    ['a body of 2 MiB', { raw: JSON.stringify({ email: 'x'.repeat(2_097_152), password: 'x' }) }, 413],
  ])('refuses %s', async (_what, call, status) => {
    const answer = await guddesk.call('POST', '/api/auth/sign-in/email', undefined, { key: null, ...call })
    expect(answer.status).toBe(status)
    expect(answer.error.status).toBe(status)
  })

  test.each([
    ['origin', 'https://evil.example'],
    ['origin', 'null'],
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
  ])('refuses %s: %s, so that nobody is signed in by another page', async (name, value) => {
    const { email } = await person()
    const answer = await signIn(email, PASSWORD, { [name]: value })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  test('several sessions of one person stand beside each other', async () => {
    const { email, userId } = await person()
    const answers = await Promise.all([1, 2, 3].map(() => signIn(email, PASSWORD)))
    expect(new Set(answers.map(({ data }) => data.token)).size).toBe(3)
    expect(await guddesk.deps.db.prisma.session.count({ where: { userId } })).toBe(3)
  })
})

describe('too many tries', () => {
  test('of one account from one address end in 429 with the time to wait, also with the right password', async () => {
    const { email, userId } = await person()
    for (let i = 0; i < 10; i++) expect((await signIn(email, 'wrong password')).status).toBe(401)
    const answer = await signIn(email, PASSWORD)
    expect(answer.status).toBe(429)
    expect(answer.error).toEqual({
      code: 'rate_limited',
      message: 'Too many sign-in attempts. Try again in 15 minutes',
      status: 429,
    })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(800)
    expect(await guddesk.deps.db.prisma.session.count({ where: { userId } })).toBe(0)
    // Whoever sits elsewhere is not locked out by it.
    expect((await signIn(email, PASSWORD, { 'x-forwarded-for': '203.0.113.200' })).status).toBe(200)
    guddesk.clock.advance(15 * 60_000)
    expect((await signIn(email, PASSWORD)).status).toBe(200)
  })

  test('at once are counted all the same', async () => {
    const { email } = await person()
    const answers = await Promise.all(Array.from({ length: 14 }, () => signIn(email, 'wrong password')))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(401), ...Array(4).fill(429)])
  })

  test('from one address at many accounts, an IPv6 network counting as one', async () => {
    const tries = Array.from({ length: 51 }, (_, i) => {
      const from = { 'x-forwarded-for': `2001:db8:0:7::${i.toString(16)}` }
      return signIn(`nobody-${i}@example.com`, 'wrong password', from)
    })
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    expect(statuses.sort()).toEqual([...Array(50).fill(401), 429])
  })
})

describe('a sign-in link', () => {
  const open = (token: string, method = 'POST', headers: Record<string, string> = {}) =>
    fetch(`${guddesk.origin}/api/auth/sign-in/link?token=${token}`, { method, headers, redirect: 'manual' })

  test('signs in once and leads to the start page', async () => {
    const { email, userId } = await person()
    const token = String(await guddesk.people.makeLink(email))
    const answer = await open(token)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
    const headers = { cookie: String(answer.headers.get('set-cookie')?.split(';')[0]), origin: guddesk.origin }
    expect((await guddesk.graphql(VIEWER, {}, { key: null, headers })).status).toBe(200)
    const again = await open(token)
    expect([again.status, again.headers.get('location')]).toEqual([303, '/?error=sign_in_link'])
    expect(again.headers.get('set-cookie')).toBeNull()
    // The password is as good as before.
    expect((await signIn(email, PASSWORD)).status).toBe(200)
    expect((await auditOf(userId)).map(({ action }) => action)).toEqual([
      'sign_in_link.created',
      'session.created',
      'session.created',
    ])
  })

  test('is not used up by what only looks at it', async () => {
    const { email, userId } = await person()
    const token = String(await guddesk.people.makeLink(email))
    for (const method of ['GET', 'HEAD', 'GET']) {
      const page = await open(token, method)
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect([page.headers.get('set-cookie'), page.headers.get('cache-control')]).toEqual([null, 'no-store'])
      const html = await page.text()
      if (method === 'GET') expect(html).toMatch(/<form method="post"><button type="submit"/)
      expect(html).not.toContain(token)
    }
    expect(await guddesk.deps.db.prisma.session.count({ where: { userId } })).toBe(0)
    expect((await open(token)).headers.get('location')).toBe('/')
  })

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['another site that names none', { 'sec-fetch-site': 'cross-site' }],
  ])('is refused to %s, and works afterwards', async (_who, headers) => {
    const { email } = await person()
    const token = String(await guddesk.people.makeLink(email))
    const refused = await open(token, 'POST', headers)
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([403, null])
    const own = { origin: guddesk.origin, 'sec-fetch-site': 'same-origin' }
    expect((await open(token, 'POST', own)).headers.get('location')).toBe('/')
  })

  test('opened several times at once signs in once', async () => {
    const { email, userId } = await person()
    const token = String(await guddesk.people.makeLink(email))
    const answers = await Promise.all([1, 2, 3, 4].map(() => open(token)))
    expect(answers.map(({ headers }) => headers.get('location')).sort()).toEqual([
      '/',
      ...Array(3).fill('/?error=sign_in_link'),
    ])
    expect(await guddesk.deps.db.prisma.session.count({ where: { userId } })).toBe(1)
  })

  test('is kept as a hash, for 24 hours', async () => {
    const { email, userId } = await person()
    const token = String(await guddesk.people.makeLink(email))
    const { verification } = guddesk.deps.db.prisma
    const [kept] = await verification.findMany({ where: { value: userId } })
    expect(JSON.stringify(kept)).not.toContain(token)
    const hours = (Number(kept?.expiresAt) - Number(guddesk.clock.now())) / 3_600_000
    expect(hours).toBeGreaterThan(23.9)
    expect(hours).toBeLessThan(24.1)
    await verification.update({ where: { id: kept?.id ?? '' }, data: { expiresAt: new Date(Date.now() - 1000) } })
    expect((await open(token)).headers.get('location')).toBe('/?error=sign_in_link')
  })

  test.each(['', 'x', '%00', 'a&token=b', 'x'.repeat(5000)])('with the token %j is of no use', async (token) => {
    const answer = await open(token)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/?error=sign_in_link'])
  })

  test('is not made for somebody unknown', async () => {
    expect(await guddesk.people.makeLink('nobody@example.com')).toBeNull()
  })
})
