import { describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits, visit } from '../desk.ts'
import { eventually } from '../people.ts'
import { pageIsIdle } from '../walk.ts'

const PATH = '/w/acme/settings/api-keys'

useDesk()
useVisits()

const row = (name: string) => page.getByRole('row').filter({ hasText: name })
const opener = () => page.getByRole('button', { name: 'Create key' })
const dialog = () => page.getByRole('dialog')

async function create(name: string): Promise<string> {
  await page.goto(PATH)
  await opener().click()
  await dialog().getByRole('textbox', { name: 'Name' }).fill(name)
  await dialog().getByRole('button', { name: 'Create key' }).click()
  await dialog().getByRole('button', { name: 'I have saved it' }).waitFor()
  return (await dialog().locator('code').first().textContent()) ?? ''
}

const status = async (key: string, query = '') =>
  (await desk.guddesk.call('GET', `/api/v1/conversations${query}`, undefined, { key })).status

describe('creating a key', () => {
  test('shows it once, and it works', async () => {
    const key = await create('Nightly export')
    expect(key).toMatch(/^gd_.{43}$/)
    expect(await status(key)).toBe(200)
    expect(await dialog().locator('code').last().textContent()).toBe(
      `curl -H 'Authorization: Bearer ${key}' '${desk.guddesk.origin}/api/v1/conversations'`,
    )
    await page.getByRole('button', { name: 'I have saved it' }).click()
    await dialog().waitFor({ state: 'detached' })
    expect(await row('Nightly export').textContent()).toContain('Read and write')
    expect(await page.content()).not.toContain(key)
    await eventually(async () => expect(await opener().evaluate((it) => it === document.activeElement)).toBe(true))
  })

  test('its panel stays until somebody says that it is saved', async () => {
    await page.goto('/w/acme/settings/members')
    await page.getByRole('link', { name: 'API keys' }).click()
    await opener().click()
    await dialog().getByRole('textbox', { name: 'Name' }).fill('Sticky')
    await dialog().getByRole('button', { name: 'Create key' }).click()
    await dialog().getByText('This key is shown only once').waitFor()
    await page.keyboard.press('Escape')
    await page.mouse.click(5, 5)
    await page.goBack()
    await pageIsIdle(page)
    await dialog().getByText('This key is shown only once').waitFor()
    expect(await dialog().getByRole('button', { name: 'Close' }).count()).toBe(0)
    await page.getByRole('button', { name: 'I have saved it' }).click()
    await dialog().waitFor({ state: 'detached' })
  })

  test('is copied by its button', async () => {
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const key = await create('Copied')
    await dialog().getByRole('button', { name: 'Copy Key' }).click()
    await dialog().getByRole('button', { name: 'Copied Key' }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key)
    await page.getByRole('button', { name: 'I have saved it' }).click()
  })

  test('for all workspaces, without an end: the line to try says which workspace', async () => {
    await page.goto(PATH)
    await opener().click()
    await dialog().getByRole('textbox', { name: 'Name' }).fill('Everywhere')
    await dialog().getByRole('radio', { name: 'Full access' }).check()
    await dialog().getByRole('radio', { name: 'All your workspaces' }).check()
    await dialog().getByRole('combobox', { name: 'Expires' }).selectOption('Never')
    await dialog().getByRole('button', { name: 'Create key' }).click()
    await dialog().getByRole('button', { name: 'I have saved it' }).waitFor()
    const key = (await dialog().locator('code').first().textContent()) ?? ''
    const query = `?workspaceId=${desk.guddesk.tenant.workspaceId}`
    expect(await dialog().locator('code').last().textContent()).toContain(query)
    expect(await status(key, query)).toBe(200)
    await page.getByRole('button', { name: 'I have saved it' }).click()
    expect(await row('Everywhere').textContent()).toMatch(/Full access.*All your workspaces.*Never/)
  })

  test('ends on the chosen day', async () => {
    const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
    await page.goto(PATH)
    await opener().click()
    await dialog().getByRole('textbox', { name: 'Name' }).fill('Three days')
    await dialog().getByRole('combobox', { name: 'Expires' }).selectOption('On a day of your choice')
    await dialog().getByLabel('Last day').fill(day)
    await dialog().getByRole('button', { name: 'Create key' }).click()
    await dialog().getByRole('button', { name: 'I have saved it' }).click()
    await row('Three days').waitFor()
    const kept = await desk.guddesk.deps.db.prisma.apiKey.findFirstOrThrow({ where: { name: 'Three days' } })
    const local = await page.evaluate((at) => new Date(at).toDateString(), kept.expiresAt?.toISOString() ?? '')
    expect(local).toBe(new Date(`${day}T12:00:00`).toDateString())
  })

  test('keeps what was typed when it is refused or the server is away', async () => {
    await page.goto(PATH)
    await opener().click()
    await dialog().getByRole('textbox', { name: 'Name' }).fill('Kept')
    await dialog().getByRole('combobox', { name: 'Expires' }).selectOption('On a day of your choice')
    await dialog().getByLabel('Last day').fill('2020-01-01')
    await dialog().getByRole('button', { name: 'Create key' }).click()
    await dialog().getByText('must be in the future').waitFor()
    await page.route('**/graphql', (route) => route.abort())
    await dialog().getByRole('button', { name: 'Create key' }).click()
    await dialog().getByText("Can't reach the server").waitFor()
    expect(await dialog().getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Kept')
    expect(await dialog().getByLabel('Last day').inputValue()).toBe('2020-01-01')
  })
})

describe('revoking a key', () => {
  test('asks first, says what stops, and ends it at once', async () => {
    const key = await create('Doomed')
    await page.getByRole('button', { name: 'I have saved it' }).click()
    await page.getByRole('button', { name: 'Revoke Doomed' }).click()
    expect(await dialog().textContent()).toContain('Programs that use Doomed get 401 immediately')
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    expect(await status(key)).toBe(200)
    await page.getByRole('button', { name: 'Revoke Doomed' }).click()
    await dialog().getByRole('button', { name: 'Revoke key' }).click()
    await row('Doomed').waitFor({ state: 'detached' })
    expect(await status(key)).toBe(401)
    await page.getByRole('switch', { name: /Show revoked and expired keys/ }).click()
    await eventually(async () => expect(await row('Doomed').textContent()).toContain('Revoked just now'))
    expect(page.url()).toContain('ended')
    await page.reload()
    await row('Doomed').waitFor()
  })

  test('a failure is said in the dialog, and the key stays', async () => {
    await create('Stubborn')
    await page.getByRole('button', { name: 'I have saved it' }).click()
    await page.getByRole('button', { name: 'Revoke Stubborn' }).click()
    await page.route('**/graphql', (route) => route.abort())
    await dialog().getByRole('button', { name: 'Revoke key' }).click()
    await dialog().getByText("Can't reach the server").waitFor()
    await page.unroute('**/graphql')
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await row('Stubborn').waitFor()
  })
})

test('its dialogs can be used by everybody', async () => {
  await page.goto(PATH)
  await opener().click()
  expect(await violationsInBoth(page)).toEqual([])
  await page.keyboard.press('Escape')
  await create('Audited')
  expect(await violationsInBoth(page)).toEqual([])
  await page.getByRole('button', { name: 'I have saved it' }).click()
  await page.getByRole('button', { name: 'Revoke Audited' }).click()
  expect(await violationsInBoth(page)).toEqual([])
})

test('all of many keys can be reached', async () => {
  const { prisma } = desk.guddesk.deps.db
  const { userId } = desk.guddesk.tenant
  const many = await desk.guddesk.newTenant()
  await prisma.workspace.update({ where: { id: many.workspaceId }, data: { name: 'Many', slug: 'many' } })
  await prisma.member.create({ data: { id: 'mem_many', workspaceId: many.workspaceId, userId, role: 'OWNER' } })
  for (let i = 0; i < 110; i++) await desk.guddesk.newKey(many, 'READ_ONLY')
  await page.goto('/w/many/settings/api-keys')
  const count = () => page.getByRole('button', { name: /^Revoke/ }).count()
  await eventually(async () => expect(await count()).toBe(50))
  await page.getByRole('button', { name: 'Load more' }).click()
  await eventually(async () => expect(await count()).toBe(100))
  await page.getByRole('button', { name: 'Load more' }).click()
  // newTenant made one besides, and the person's own for all workspaces are there too.
  const all = await prisma.apiKey.count({
    where: { OR: [{ workspaceId: many.workspaceId }, { workspaceId: null, userId }] },
  })
  await eventually(async () => expect(await count()).toBe(all))
  expect(await page.getByRole('button', { name: 'Load more' }).count()).toBe(0)
})

test('an agent of the team sees their own keys, revokes them, and is told who creates keys', async () => {
  const { prisma } = desk.guddesk.deps.db
  const { memberId, userId, workspaceId } = desk.guddesk.tenant
  const boss = await desk.guddesk.newMember(desk.guddesk.tenant, 'Bianca Boss', 'ADMIN')
  await desk.guddesk.newKey({ ...desk.guddesk.tenant, userId: boss.userId }, 'READ_ONLY')
  await prisma.apiKey.updateMany({ where: { userId: boss.userId }, data: { name: 'Not yours' } })
  await prisma.apiKey.updateMany({ where: { userId, workspaceId, revokedAt: null }, data: { revokedAt: new Date() } })
  await desk.guddesk.newKey(desk.guddesk.tenant, 'READ_ONLY')
  await prisma.member.update({ where: { id: memberId }, data: { role: 'AGENT' } })
  try {
    await page.goto(PATH)
    await page.getByText('Owners and admins create keys').waitFor()
    await page.getByText('Ask Bianca Boss.').first().waitFor()
    expect(await opener().count()).toBe(0)
    await row('READ_ONLY key').waitFor()
    expect(await row('Not yours').count()).toBe(0)
    await row('READ_ONLY key')
      .getByRole('button', { name: /Revoke/ })
      .click()
    await dialog().getByRole('button', { name: 'Revoke key' }).click()
    await row('READ_ONLY key').waitFor({ state: 'detached' })
  } finally {
    await prisma.member.update({ where: { id: memberId }, data: { role: 'OWNER' } })
  }
})
