import { describe, expect, test } from 'vitest'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'

const PATH = '/w/acme/settings/members'

useDesk()
useVisits()

const row = (name: string) => page.getByRole('row').filter({ hasText: name })
const roleOf = (name: string) => page.getByRole('combobox', { name: `Role of ${name}` })
const dialog = () => page.getByRole('dialog')
const member = (id: string) => desk.guddesk.deps.db.prisma.member.findUnique({ where: { id } })
const add = (name: string, role?: MemberRole) => desk.guddesk.newMember(desk.guddesk.tenant, name, role)

/** The browser's person has another role for a while. */
async function as(role: MemberRole, work: () => Promise<void>): Promise<void> {
  const { prisma } = desk.guddesk.deps.db
  const { memberId: id } = desk.guddesk.tenant
  await prisma.member.update({ where: { id }, data: { role } })
  try {
    await work()
  } finally {
    await prisma.member.update({ where: { id }, data: { role: 'OWNER' } })
  }
}

async function invite(email: string, role = 'Agent'): Promise<string> {
  await page.goto(PATH)
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await dialog().getByRole('textbox', { name: 'Email' }).fill(email)
  await dialog().getByRole('radio', { name: role }).check()
  await dialog().getByRole('button', { name: 'Create invitation' }).click()
  await dialog().getByText('It is shown only once').waitFor()
  return (await dialog().locator('code').textContent()) ?? ''
}

const accept = (link: string, name: string) =>
  desk.guddesk.graphql(
    'mutation Accept($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { error { code } } }',
    { input: { token: link.split('/').at(-1), name, password: 'quite a long one' } },
    { key: null },
  )

describe('inviting', () => {
  test('gives a link with which somebody joins', async () => {
    const link = await invite('nora@example.com', 'Viewer')
    expect(link).toMatch(/\/invitations\/[\w-]{43}$/)
    await dialog().getByRole('button', { name: 'Done' }).click()
    await dialog().waitFor({ state: 'detached' })
    expect(await row('nora@example.com').textContent()).toMatch(/Viewer.*in 6 days|Viewer.*in 7 days/)
    expect(await page.content()).not.toContain(link)
    const opener = page.getByRole('button', { name: 'Invite', exact: true })
    await eventually(async () => expect(await opener.evaluate((it) => it === document.activeElement)).toBe(true))

    expect((await accept(link, 'Nora Neu')).data.acceptInvitation).toEqual({ error: null })
    await page.reload()
    await row('Nora Neu').waitFor()
    expect(await roleOf('Nora Neu').inputValue()).toBe('VIEWER')
    await page.getByText('No open invitations.').waitFor()
  })

  test('keeps what was typed when it is refused', async () => {
    await add('Already Here')
    const { email } = await desk.guddesk.deps.db.prisma.user.findFirstOrThrow({ where: { name: 'Already Here' } })
    await page.goto(PATH)
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    const field = dialog().getByRole('textbox', { name: 'Email' })
    await field.fill('nobody')
    await page.keyboard.press('Enter')
    await eventually(async () => expect(await field.getAttribute('aria-invalid')).toBe('true'))
    await field.fill(email)
    await page.keyboard.press('Enter')
    await dialog().getByText('This person is already a member of the workspace').waitFor()
    expect(await field.inputValue()).toBe(email)
  })

  test('is taken back, and the link is worthless', async () => {
    const link = await invite('rita@example.com')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Revoke the invitation of rita@example.com' }).click()
    await dialog().getByRole('button', { name: 'Revoke invitation' }).click()
    await row('rita@example.com').waitFor({ state: 'detached' })
    expect((await accept(link, 'Rita')).data.acceptInvitation.error.code).toBe('NOT_FOUND')
  })
})

describe('roles', () => {
  test('are changed in the list', async () => {
    const { memberId } = await add('Cara Change', 'VIEWER')
    await page.goto(PATH)
    await roleOf('Cara Change').selectOption('Admin')
    await eventually(async () => expect((await member(memberId))?.role).toBe('ADMIN'))
    await eventually(async () => expect(await roleOf('Cara Change').isEnabled()).toBe(true))
    expect(await roleOf('Cara Change').inputValue()).toBe('ADMIN')
  })

  test('a change that fails is taken back and said', async () => {
    await add('Fred Fail', 'VIEWER')
    await page.goto(PATH)
    await roleOf('Fred Fail').waitFor()
    await page.route('**/graphql', (route) => route.abort())
    await roleOf('Fred Fail').selectOption('Admin')
    await page.getByText("Can't reach the server").waitFor()
    await eventually(async () => expect(await roleOf('Fred Fail').inputValue()).toBe('VIEWER'))
  })

  test('the last owner stays, and reads why', async () => {
    await page.goto(PATH)
    await roleOf('Olivia Owens').waitFor()
    expect(await roleOf('Olivia Owens').isDisabled()).toBe(true)
    expect(await row('Olivia Owens').textContent()).toContain('A workspace needs an owner.')
    expect(await page.getByRole('button', { name: 'Leave Acme' }).isDisabled()).toBe(true)
  })

  test('an admin manages everybody but owners', async () => {
    const boss = await add('Otto Owner', 'OWNER')
    await add('Ben Below', 'VIEWER')
    await as('ADMIN', async () => {
      await page.goto(PATH)
      await roleOf('Otto Owner').waitFor()
      expect(await roleOf('Otto Owner').isDisabled()).toBe(true)
      expect(await row('Otto Owner').textContent()).toContain('Only owners change owners.')
      expect(await page.getByRole('button', { name: 'Remove Otto Owner' }).isDisabled()).toBe(true)
      expect(await roleOf('Ben Below').isEnabled()).toBe(true)
      expect(await roleOf('Ben Below').locator('option[value="OWNER"]').isDisabled()).toBe(true)
      await page.getByRole('button', { name: 'Invite', exact: true }).click()
      expect(await dialog().getByRole('radio', { name: 'Owner' }).isDisabled()).toBe(true)
    })
    await desk.guddesk.deps.db.prisma.member.delete({ where: { id: boss.memberId } })
  })

  test('giving up one’s own asks first, and the page follows', async () => {
    await as('ADMIN', async () => {
      await page.goto(PATH)
      await roleOf('Olivia Owens').selectOption('Viewer')
      expect(await dialog().textContent()).toContain('Only another member can undo this')
      await dialog().getByRole('button', { name: 'Become Viewer' }).click()
      await page.getByText('Your role is Viewer').waitFor()
      expect(await page.getByRole('button', { name: 'Invite', exact: true }).count()).toBe(0)
    })
  })

  test('who manages nobody sees the list, and whom to ask', async () => {
    await add('Cara Contact', 'ADMIN')
    await as('AGENT', async () => {
      await page.goto(PATH)
      await page.getByText('Owners and admins invite').waitFor()
      await page.getByText(/Ask .*Cara Contact/).waitFor()
      await row('Olivia Owens').getByText('Agent', { exact: true }).waitFor()
      expect(await page.getByRole('combobox').count()).toBe(0)
      expect(await page.getByRole('heading', { name: 'Open invitations' }).count()).toBe(0)
      expect(await violationsInBoth(page)).toEqual([])
    })
  })
})

describe('removing', () => {
  test('asks first, says what happens, and does that', async () => {
    const { guddesk } = desk
    const { memberId, userId } = await add('Greta Gone')
    const key = await guddesk.newKey({ ...guddesk.tenant, userId }, 'READ_ONLY')
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'Hello')
    await guddesk.call('PATCH', `/api/v1/conversations/${conversationId}`, { assigneeId: memberId })
    await page.goto(PATH)
    await page.getByRole('button', { name: 'Remove Greta Gone' }).click()
    expect(await dialog().textContent()).toMatch(/become unassigned.*keys stop working here/)
    await dialog().getByRole('button', { name: 'Remove member' }).click()
    await row('Greta Gone').waitFor({ state: 'detached' })
    expect(await member(memberId)).toBeNull()
    expect((await guddesk.call('GET', `/api/v1/conversations/${conversationId}`)).data.assigneeId).toBeNull()
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, { key })).status).not.toBe(200)
    // The button is gone with its row: the keyboard goes on in the page.
    await eventually(async () => expect(await page.evaluate(() => document.activeElement?.id)).toBe('content'))
  })

  test('oneself leads out', async () => {
    const boss = await add('Otto Other', 'OWNER')
    await page.goto(PATH)
    await page.getByRole('button', { name: 'Leave Acme' }).click()
    await dialog().getByRole('button', { name: 'Leave workspace' }).click()
    await page.getByText('No workspace').waitFor()
    const { workspaceId, memberId: id, userId } = desk.guddesk.tenant
    await desk.guddesk.deps.db.prisma.member.create({ data: { id, workspaceId, userId, role: 'OWNER' } })
    await desk.guddesk.deps.db.prisma.member.delete({ where: { id: boss.memberId } })
  })
})

test('its dialogs can be used by everybody', async () => {
  await add('Anna Audit')
  await page.goto(PATH)
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  expect(await violationsInBoth(page)).toEqual([])
  await page.keyboard.press('Escape')
  await invite('audit@example.com')
  expect(await violationsInBoth(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Remove Anna Audit' }).click()
  expect(await violationsInBoth(page)).toEqual([])
})
