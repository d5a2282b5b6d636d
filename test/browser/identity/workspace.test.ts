import { describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits, visit } from '../desk.ts'
import { eventually } from '../people.ts'

const PATH = '/w/acme/settings/workspace'

useDesk()
useVisits()

const dialog = () => page.getByRole('dialog')
const stored = () =>
  desk.guddesk.deps.db.prisma.workspace.findUniqueOrThrow({ where: { id: desk.guddesk.tenant.workspaceId } })
const reset = () =>
  desk.guddesk.deps.db.prisma.workspace.update({
    where: { id: desk.guddesk.tenant.workspaceId },
    data: { name: 'Acme', slug: 'acme' },
  })
const field = (name: string) => page.getByRole('textbox', { name, exact: true })
const save = () => page.getByRole('button', { name: 'Save' })
const switcher = () => page.getByRole('button', { name: /Change workspace/ })

describe('name and address', () => {
  test('are changed, everywhere at once, and the page moves with its address', async () => {
    await page.goto(PATH)
    expect(await save().isDisabled()).toBe(true)
    await field('Name').fill('Acme Europe')
    await field('Address').fill('acme-europe')
    await page.getByText('Links to the old address stop working.').waitFor()
    await save().click()
    await page.waitForURL('**/w/acme-europe/settings/workspace')
    await switcher().filter({ hasText: 'Acme Europe' }).waitFor()
    expect(await field('Name').inputValue()).toBe('Acme Europe')
    expect(await stored()).toMatchObject({ name: 'Acme Europe', slug: 'acme-europe' })
    await page.reload()
    await field('Name').waitFor()
    await reset()
  })

  test('that are refused are said at their fields, and stay as they were typed', async () => {
    await page.goto(PATH)
    await field('Name').fill('A')
    await field('Address').fill('No Blanks!')
    await save().click()
    await page.getByText('must have at least 2 characters').waitFor()
    await page.getByText('must contain only a-z, 0-9 and -').waitFor()
    expect(await field('Name').inputValue()).toBe('A')
    expect(await field('Address').inputValue()).toBe('No Blanks!')
    expect(await violationsInBoth(page)).toEqual([])
    expect((await stored()).slug).toBe('acme')
  })

  test('cannot be those of another workspace', async () => {
    const other = await desk.guddesk.newTenant()
    await desk.guddesk.deps.db.prisma.workspace.update({ where: { id: other.workspaceId }, data: { slug: 'taken' } })
    await page.goto(PATH)
    await field('Address').fill('taken')
    await save().click()
    await page.getByText('This slug is already taken').waitFor()
    expect(await field('Address').getAttribute('aria-invalid')).toBe('true')
    expect(await field('Address').inputValue()).toBe('taken')
  })

  test('are only read by who manages nothing', async () => {
    const { prisma } = desk.guddesk.deps.db
    const { memberId: id } = desk.guddesk.tenant
    await desk.guddesk.newMember(desk.guddesk.tenant, 'Bianca Boss', 'ADMIN')
    await prisma.member.update({ where: { id }, data: { role: 'VIEWER' } })
    try {
      await page.goto(PATH)
      await page.getByText('Only owners and admins can change these. Ask Bianca Boss.').waitFor()
      expect(await save().count()).toBe(0)
      await page.getByText(desk.guddesk.tenant.workspaceId).waitFor()
    } finally {
      await prisma.member.update({ where: { id }, data: { role: 'OWNER' } })
    }
  })
})

test('the plan is shown, and the id is there to copy', async () => {
  await visit.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(PATH)
  await page.getByText('Pro', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Copy Workspace id' }).click()
  await page.getByRole('button', { name: 'Copied Workspace id' }).waitFor()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(desk.guddesk.tenant.workspaceId)
})

describe('a new workspace', () => {
  async function open(): Promise<void> {
    await page.goto(PATH)
    await switcher().click()
    await page.getByRole('menuitem', { name: 'New workspace' }).click()
    await dialog().getByRole('textbox', { name: 'Name' }).waitFor()
  }

  test('is made from the switcher, and opens', async () => {
    await open()
    await dialog().getByRole('textbox', { name: 'Name' }).fill('Zoë & Söhne')
    expect(await dialog().getByRole('textbox', { name: 'Address' }).inputValue()).toBe('zoe-sohne')
    expect(await violationsInBoth(page)).toEqual([])
    await dialog().getByRole('button', { name: 'Create workspace' }).click()
    await page.waitForURL('**/w/zoe-sohne/inbox/open')
    await switcher().filter({ hasText: 'Zoë & Söhne' }).waitFor()
    await dialog().waitFor({ state: 'detached' })
  })

  test('with a taken address is refused, and what was typed stays', async () => {
    await open()
    await dialog().getByRole('textbox', { name: 'Name' }).fill('Another Acme')
    await dialog().getByRole('textbox', { name: 'Address' }).fill('acme')
    await page.keyboard.press('Enter')
    await dialog().getByText('This slug is already taken').waitFor()
    expect(await dialog().getByRole('textbox', { name: 'Address' }).getAttribute('aria-invalid')).toBe('true')
    expect(await dialog().getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Another Acme')
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    await eventually(async () => expect(await switcher().evaluate((it) => it === document.activeElement)).toBe(true))
  })
})
