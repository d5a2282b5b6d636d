import { afterAll, beforeAll, expect, test } from 'vitest'
import { graphql, payload } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

// People's addresses may have letters of any script, before the @ and in the domain, and several spellings.

const PASSWORD = 'correct horse battery'
const KEPT = 'åsa.öberg@xn--bcher-kva.example'
const SPELLINGS = [KEPT, 'Åsa.Öberg@Bücher.example', 'A\u030asa.O\u0308berg@BU\u0308CHER.example']

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api', GUDDESK_OWNER_EMAIL: SPELLINGS[1] ?? '' } })
  await guddesk.setPassword(guddesk.tenant, PASSWORD)
})

afterAll(() => guddesk?.stop())

test('the first owner has it in one form', async () => {
  const { email } = await guddesk.deps.db.prisma.user.findUniqueOrThrow({ where: { id: guddesk.tenant.userId } })
  expect(email).toBe(KEPT)
})

test.each(SPELLINGS)('signing in as %s', async (email) => {
  const { status, data } = await guddesk.call('POST', '/api/auth/sign-in/email', { email, password: PASSWORD })
  expect([status, data?.user?.email]).toEqual([200, KEPT])
})

const INVITE = graphql(`mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
  invitation { email }
  error { code message }
} }`)

test.each(SPELLINGS)('inviting %s finds the member that they are', async (email) => {
  const { inviteMember } = await guddesk.query(INVITE, { input: { email, role: 'AGENT' } })
  expect(inviteMember).toMatchObject({ error: { code: 'CONFLICT' } })
})

test('inviting the same address in another spelling makes the earlier invitation worthless', async () => {
  for (const email of ['nía@bücher.example', 'NÍA@xn--bcher-kva.example']) {
    const { inviteMember } = await guddesk.query(INVITE, { input: { email, role: 'AGENT' } })
    expect(payload(inviteMember).invitation.email).toBe('nía@xn--bcher-kva.example')
  }
  expect(await guddesk.deps.db.prisma.invitation.count()).toBe(1)
})
