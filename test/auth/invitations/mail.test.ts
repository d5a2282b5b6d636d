import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphql, payload } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type MailServer, startMailServer } from '../../support/peers/smtp.ts'
import { until } from '../../support/until.ts'
import { invitationsOf } from './invite.ts'

let guddesk: TestGudDesk
let mails: MailServer
let tenant: Tenant
let count = 0
let email: string
let address: string

beforeAll(async () => {
  mails = await startMailServer()
  const env = { GUDDESK_ROLES: 'api', SMTP_URL: mails.url, MAIL_FROM: 'GudDesk <desk@example.com>', TRUST_PROXY: '1' }
  guddesk = await startGudDesk({ env: { ...env, PUBLIC_URL: 'http://desk.test' } })
})
afterAll(async () => {
  await guddesk?.stop()
  await mails?.close()
})
beforeEach(async () => {
  tenant = await guddesk.newTenant()
  count += 1
  email = `ann-${count}@example.com`
  address = `198.51.100.${count}`
  mails.isWilling = true
})

const PASSWORD = 'correct horse battery'
const NEW = { name: 'Ann', password: PASSWORD }

const LIST = graphql(`{ invitations { edges { node { email mailStatus } } } }`)

const invitations = invitationsOf(() => guddesk)
const { accept, offer } = invitations
const tryToInvite = (to = email, key = tenant.key) => invitations.tryToInvite(to, key)
const verifiedAt = async () => (await guddesk.deps.db.prisma.user.findUnique({ where: { email } }))?.emailVerifiedAt
const signIn = (password: string) =>
  guddesk.call('POST', '/api/auth/sign-in/email', { email, password }, { key: null, headers: from(address) })
const from = (place: string) => ({ 'x-forwarded-for': place })

/** The token of the n-th link that was mailed to the address. */
async function tokenFrom(pattern: RegExp, n = 1): Promise<string> {
  return pattern.exec((await mails.mailTo(email, n)).text)?.[1] ?? ''
}
const INVITATION = /http:\/\/desk\.test\/invitations\/([\w-]{43})\s/
const LINK = /http:\/\/desk\.test\/api\/auth\/sign-in\/link\?token=([\w-]{43})\s/

describe('an invitation', () => {
  test('goes to the address, is shown to nobody else, and verifies it', async () => {
    expect(payload(await tryToInvite())).toMatchObject({ link: null, invitation: { mailStatus: 'SENT' } })
    const mail = await mails.mailTo(email)
    expect(mail).toMatchObject({
      from: 'desk@example.com',
      to: [email],
      subject: 'You are invited to "Other" on GudDesk',
    })
    const token = await tokenFrom(INVITATION)
    expect(await offer(token)).toEqual({ hasAccount: false, mustVerifyEmail: false })
    expect(await accept(token, NEW)).toMatchObject({ workspaceId: tenant.workspaceId })
    expect(await verifiedAt()).toEqual(expect.any(Date))
    expect((await signIn(PASSWORD)).status).toBe(200)
    const audit = await guddesk.deps.db.prisma.auditEntry.findMany()
    expect(JSON.stringify([guddesk.logs, audit])).not.toContain(token)
  })

  test('gives an account that somebody else made back to the owner of the address', async () => {
    const { prisma } = guddesk.deps.db
    const { id: userId } = await prisma.user.create({ data: { id: `usr_squatted${count}`, email, name: 'Squatter' } })
    await guddesk.setPassword({ userId }, 'known to the squatter')
    const squatter = await guddesk.newSession({ userId })
    payload(await tryToInvite())
    const token = await tokenFrom(INVITATION)
    expect(await offer(token)).toEqual({ hasAccount: false, mustVerifyEmail: false })
    expect(await accept(token)).toMatchObject({ error: { code: 'BAD_REQUEST' } })
    expect(await accept(token, NEW)).toMatchObject({ workspaceId: tenant.workspaceId })
    expect([(await signIn('known to the squatter')).status, (await signIn(PASSWORD)).status]).toEqual([401, 200])
    expect((await guddesk.graphql('{ me { id } }', {}, { key: squatter })).status).toBe(401)
    expect(await prisma.user.findUnique({ where: { id: userId } })).toMatchObject({ name: 'Ann' })
  })

  test('still asks somebody with a verified account to sign in', async () => {
    const other = await guddesk.newTenant()
    email = `${other.userId}@example.com`
    payload(await tryToInvite())
    const token = await tokenFrom(INVITATION)
    expect(await offer(token)).toEqual({ hasAccount: true, mustVerifyEmail: false })
    expect(await accept(token, NEW)).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await accept(token, {}, await guddesk.newSession(other))).toMatchObject({ workspaceId: tenant.workspaceId })
  })

  test('that the mail server refuses says so, is logged, and can be sent again', async () => {
    mails.isWilling = false
    const logged = guddesk.logs.length
    expect(payload(await tryToInvite())).toMatchObject({ link: null, invitation: { mailStatus: 'FAILED' } })
    expect(guddesk.logs.slice(logged)).toContainEqual(
      expect.objectContaining({ level: 50, msg: 'invitation mail not sent' }),
    )
    const list = async () => (await guddesk.query(LIST, {}, tenant)).invitations.edges.map(({ node }) => node)
    expect(await list()).toEqual([{ email, mailStatus: 'FAILED' }])
    mails.isWilling = true
    payload(await tryToInvite())
    expect(await list()).toEqual([{ email, mailStatus: 'SENT' }])
    expect(await accept(await tokenFrom(INVITATION), NEW)).toMatchObject({ workspaceId: tenant.workspaceId })
  })

  test('is mailed to one address five times an hour, whoever asks', async () => {
    const other = await guddesk.newTenant()
    for (const key of [tenant.key, other.key, tenant.key, other.key, tenant.key]) payload(await tryToInvite(email, key))
    expect(await tryToInvite(email, other.key)).toMatchObject({
      error: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) },
    })
    expect(mails.received.filter(({ to }) => to.includes(email))).toHaveLength(5)
  })

  test('has a workspace’s name in one line of its subject, whatever is in it', async () => {
    const name = 'A\r\nBcc: everybody@example.com\r\n\r\nB'
    await guddesk.deps.db.prisma.workspace.update({ where: { id: tenant.workspaceId }, data: { name } })
    payload(await tryToInvite())
    const mail = await mails.mailTo(email)
    expect([mail.to, mail.subject]).toEqual([[email], expect.stringContaining('A Bcc: everybody@example.com B')])
  })
})

describe('a sign-in link', () => {
  const ask = (to: string, headers: Record<string, string> = from(address)) =>
    guddesk.call('POST', '/api/auth/sign-in/links', { email: to }, { key: null, headers })

  /** Somebody whose address is not verified yet. */
  async function person(): Promise<string> {
    const { userId } = await guddesk.newMember(tenant, 'Ann')
    email = `${userId}@example.com`
    await guddesk.deps.db.prisma.user.update({ where: { id: userId }, data: { emailVerifiedAt: null } })
    return userId
  }

  test('is mailed to whoever asks with their address, signs in, and verifies it', async () => {
    const userId = await person()
    const answer = await ask(email.toUpperCase())
    expect([answer.status, answer.data]).toEqual([202, { ok: true }])
    const token = await tokenFrom(LINK)
    const { user } = await guddesk.people.openLink(token, { address: null, userAgent: null })
    expect(user.id).toBe(userId)
    expect(await verifiedAt()).toEqual(expect.any(Date))
    const made = { action: 'sign_in_link.created', targetId: userId }
    expect(await guddesk.deps.db.prisma.auditEntry.findFirst({ where: made })).toMatchObject({
      actorType: 'anonymous',
      address,
    })
    expect(JSON.stringify(guddesk.logs)).not.toContain(token)
  })

  test('does not tell whether somebody has the address', async () => {
    await person()
    const [known, unknown] = [await ask(email), await ask('nobody@example.com')]
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body])
    await mails.mailTo(email)
    expect(mails.received.some(({ to }) => to.includes('nobody@example.com'))).toBe(false)
  })

  test.each(['known', 'unknown'])('is asked for three times in 15 minutes, for a %s address', async (kind) => {
    if (kind === 'known') await person()
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await ask(email, from(`203.0.113.${count}${i}`.slice(0, 14))))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429])
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  test('is asked for 20 times in 15 minutes from one place', async () => {
    const statuses = []
    for (let i = 0; i < 21; i++) statuses.push((await ask(`x${i}-${email}`)).status)
    expect(statuses).toEqual([...Array(20).fill(202), 429])
  })

  test.each([{ email: '' }, { email: 1 }, {}, { email: 'x'.repeat(400) }])('is refused for %j', async (body) => {
    const answer = await guddesk.call('POST', '/api/auth/sign-in/links', body, { key: null, headers: from(address) })
    expect([answer.status, answer.error.code]).toEqual([400, 'bad_request'])
  })

  test('is not asked for by another site’s page', async () => {
    expect((await ask(email, { ...from(address), origin: 'https://evil.example' })).status).toBe(403)
  })

  test('that cannot be mailed is logged', async () => {
    await person()
    mails.isWilling = false
    expect((await ask(email)).status).toBe(202)
    await until(() => guddesk.logs.some(({ msg }) => msg === 'sign-in mail not sent'))
  })
})

describe('the ways to sign in', () => {
  test('have the link where mail is sent', async () => {
    const { data } = await guddesk.call('GET', '/api/auth/sign-in', undefined, { key: null })
    expect(data).toEqual({ methods: ['password', 'link'] })
  })

  test('are the password alone where none is sent, and no link can be asked for', async () => {
    const silent = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    const { data } = await silent.call('GET', '/api/auth/sign-in', undefined, { key: null })
    expect(data).toEqual({ methods: ['password'] })
    const refused = await silent.call('POST', '/api/auth/sign-in/links', { email }, { key: null })
    expect([refused.status, refused.error.message]).toEqual([404, expect.stringContaining('sends no mail')])
    await silent.stop()
  })
})

test('a mail server that never answers does not keep the server from stopping', async () => {
  const silent = await startMailServer({ onConnect: () => undefined })
  const env = { GUDDESK_ROLES: 'api', SMTP_URL: silent.url, MAIL_FROM: 'desk@example.com' }
  const other = await startGudDesk({ env })
  const { email: owner } = await other.deps.db.prisma.user.findFirstOrThrow()
  await other.call('POST', '/api/auth/sign-in/links', { email: owner }, { key: null })
  const began = performance.now()
  await other.stop()
  expect(performance.now() - began).toBeLessThan(9000)
  await silent.close()
})

test('without TLS nothing is sent in production', async () => {
  const { openMailer } = await import('../../../src/infra/mail.ts')
  const mail = { to: email, subject: 'x', text: 'x' }
  const strict = openMailer({ url: mails.url, from: 'desk@example.com', requireTls: true }, guddesk.deps.log)
  await expect(strict.send(mail)).rejects.toThrow(/STARTTLS/i)
  const relaxed = `${mails.url}/?requireTLS=false`
  await openMailer({ url: relaxed, from: 'desk@example.com', requireTls: true }, guddesk.deps.log).send(mail)
  expect((await mails.mailTo(email)).text).toContain('x')
})
