import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MAX_ADDRESSES, MAX_ATTEMPTS, throttleSignIn } from '../../../src/auth/sign-in-throttle.ts'
import { HASHES_AT_ONCE, hashPassword, isHashingBusy, MAX_WAITING_HASHES } from '../../../src/infra/passwords.ts'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const PASSWORD = 'correct horse battery'
const WRONG = 'wrong password'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api', TRUST_PROXY: '1' } })
})

afterAll(() => guddesk?.stop())

/** Networks that no other test has used. */
let networks = 0
let home = ''
beforeEach(() => {
  home = elsewhere()
})

function elsewhere(): string {
  networks += 1
  return `10.1.${networks >> 8}.${networks & 255}`
}

function signIn(email: string, password: string, from = home): Promise<Answer> {
  const headers = { 'x-forwarded-for': from }
  return guddesk.call('POST', '/api/auth/sign-in/email', { email, password }, { key: null, headers })
}

/** Somebody with a password. */
async function person(): Promise<{ email: string; userId: string }> {
  const { userId } = await guddesk.newMember(guddesk.tenant, 'Ann', 'AGENT')
  await guddesk.setPassword({ userId }, PASSWORD)
  return { email: `${userId}@example.com`, userId }
}

async function statuses(count: number, email: string, from: string): Promise<Record<number, number>> {
  const seen: Record<number, number> = {}
  for (let i = 0; i < count; i++) {
    const { status } = await signIn(email, WRONG, from)
    seen[status] = (seen[status] ?? 0) + 1
  }
  return seen
}

/** Tries as far as they are counted, before a password is looked at, which takes its time. Stops when one is refused. */
async function countTries(max: number, email: (n: number) => string, address: string): Promise<void> {
  for (let n = 0; n < max; n++) {
    const refused = await throttleSignIn(guddesk.deps, email(n), { address, userAgent: null }).catch((error) => error)
    if (refused !== null) return
  }
}

/** Uses up the tries that an account has from everywhere. */
async function useUpAccount(email: string): Promise<void> {
  const addresses = MAX_ATTEMPTS.account / MAX_ATTEMPTS.accountAndAddress
  for (let i = 0; i < addresses; i++) await countTries(MAX_ATTEMPTS.accountAndAddress, () => email, elsewhere())
}

/** Uses up the tries that an address has at all accounts. */
async function useUpAddress(from: string): Promise<void> {
  await countTries(MAX_ATTEMPTS.address, (n) => `nobody-${networks}-${n}@example.com`, from)
}

async function rowsWritten(): Promise<number> {
  const { db } = guddesk.deps
  const [row] = await db.sql<{ count: number }>(
    `SELECT (SELECT sum(tries) FROM try_counts)::int + (SELECT count(*) FROM audit_entries)::int AS count`,
  )
  return row?.count ?? 0
}

describe('strangers', () => {
  test('at one address use up their own tries and not the account’s', async () => {
    const { email } = await person()
    expect(await statuses(101, email, elsewhere())).toEqual({ 401: 10, 429: 91 })
    expect((await signIn(email, PASSWORD)).status).toBe(200)
  })

  test('at many addresses keep out who comes from somewhere new, and not who has signed in from there before', async () => {
    const { email } = await person()
    expect((await signIn(email, PASSWORD)).status).toBe(200)
    await useUpAccount(email)
    expect((await signIn(email, PASSWORD, elsewhere())).status).toBe(429)
    expect((await signIn(email, PASSWORD)).status).toBe(200)
  })

  test('at the same address keep nobody out who has signed in from there before', async () => {
    const { email } = await person()
    expect((await signIn(email, PASSWORD)).status).toBe(200)
    await useUpAddress(home)
    expect((await signIn((await person()).email, PASSWORD)).status).toBe(429)
    expect((await signIn(email, PASSWORD)).status).toBe(200)
  })

  test('learn nothing from a wrong password there, and still have ten tries in all', async () => {
    const { email } = await person()
    expect((await signIn(email, PASSWORD)).status).toBe(200)
    await useUpAddress(home)
    const [known, unknown] = [await signIn(email, WRONG), await signIn('nobody-at-all@example.com', WRONG)]
    expect([known.status, known.body]).toEqual([429, unknown.body])
    expect(await statuses(8, email, home)).toEqual({ 429: 8 })
    expect((await signIn(email, PASSWORD)).status).toBe(429)
  })

  test('that are refused write nothing', async () => {
    const { email } = await person()
    const from = elsewhere()
    await countTries(MAX_ATTEMPTS.accountAndAddress, () => email, from)
    await useUpAddress(home)
    await signIn('one-more@example.com', WRONG)
    const before = await rowsWritten()
    for (let i = 0; i < 20; i++) {
      expect((await signIn(email, WRONG, from)).status).toBe(429)
      expect((await signIn(`somebody-${i}@example.com`, WRONG)).status).toBe(429)
    }
    expect(await rowsWritten()).toBe(before)
  })
})

test('the latest twenty addresses are remembered, whichever way somebody signed in', async () => {
  const { email, userId } = await person()
  const origin = { address: home, userAgent: null }
  await guddesk.people.openLink(String(await guddesk.people.makeLink(email)), origin)
  const kept = async () => {
    const { signInAddress } = guddesk.deps.db.prisma
    const rows = await signInAddress.findMany({ where: { userId }, orderBy: { lastUsedAt: 'desc' } })
    return rows.map(({ address }) => address)
  }
  expect(await kept()).toEqual([home])
  const later = Array.from({ length: MAX_ADDRESSES }, elsewhere)
  for (const address of [...later, '2001:db8:9:9:1::1', '2001:db8:9:9:2::1']) {
    guddesk.clock.advance(1000)
    await guddesk.people.openSession(userId, { address, userAgent: null })
  }
  expect(await kept()).toEqual(['2001:db8:9:9::/64', ...later.toReversed().slice(0, MAX_ADDRESSES - 1)])
})

test('a storm of sign-ins waits its turn, and is asked to come again when too many wait', async () => {
  const { email } = await person()
  expect((await signIn(email, PASSWORD)).status).toBe(200)
  const storm = Array.from({ length: MAX_WAITING_HASHES + 8 * HASHES_AT_ONCE }, () => hashPassword(PASSWORD))
  await Promise.resolve()
  expect(isHashingBusy()).toBe(true)
  const stranger = await signIn(email, PASSWORD, elsewhere())
  expect([stranger.status, stranger.error.code, stranger.headers.get('retry-after')]).toEqual([
    429,
    'rate_limited',
    '5',
  ])
  const [known] = await Promise.all([signIn(email, PASSWORD), ...storm])
  expect(known.status).toBe(200)
  expect(isHashingBusy()).toBe(false)
}, 60_000)
