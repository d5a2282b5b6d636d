import { afterAll, beforeAll, beforeEach } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

export let guddesk: TestGudDesk

export const PASSWORD = 'correct horse battery'
export const VIEWER = graphql(
  `{ viewer { permission actor { __typename id displayName } member { id } workspace { id } } }`,
)

export interface Person {
  readonly userId: string
  readonly memberId: string
  readonly email: string
}

/** A member with a password. */
export async function person(): Promise<Person> {
  const { memberId, userId } = await guddesk.newMember(guddesk.tenant, 'Ann', 'AGENT')
  await guddesk.setPassword({ userId }, PASSWORD)
  return { userId, memberId, email: `${userId}@example.com` }
}

/** Each test comes from an address of its own, so that none is limited by another's tries. */
export let address = ''
export let addresses = 0

export function signIn(email: string, password: string, headers: Record<string, string> = {}): Promise<Answer> {
  const sent = { 'x-forwarded-for': address, ...headers }
  return guddesk.call('POST', '/api/auth/sign-in/email', { email, password }, { key: null, headers: sent })
}

export const cookieOf = (answer: Answer) => String(answer.headers.get('set-cookie')?.split(';')[0])
export const bearer = (token: string) => ({ key: null, headers: { authorization: `Bearer ${token}` } })

export async function auditOf(userId: string): Promise<{ action: string; address: string | null }[]> {
  const { auditEntry } = guddesk.deps.db.prisma
  const where = { OR: [{ userId }, { targetId: userId }], workspaceId: null }
  return auditEntry.findMany({ where, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
}

/** A running server, and an address for each test. */
export function usePeople(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api', TRUST_PROXY: '1' } })
  })
  afterAll(() => guddesk?.stop())
  beforeEach(() => {
    addresses += 1
    address = `198.51.100.${addresses}`
  })
}
