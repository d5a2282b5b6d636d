import { beforeAll, describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'

const PATH = '/w/acme/settings/audit-log'

let ada: { memberId: string; userId: string }
useDesk()
beforeAll(async () => {
  const { guddesk } = desk
  ada = await guddesk.newMember(guddesk.tenant, 'Ada Adler', 'AGENT')
  const mutate = async (name: string, input: object) => {
    const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Input`
    const text = `mutation M($input: ${type}!) { result: ${name}(input: $input) { error { code } } }`
    const { data } = await guddesk.graphql(text, { input })
    expect(data.result).toEqual({ error: null })
  }
  await mutate('changeMemberRole', { memberId: ada.memberId, role: 'ADMIN' })
  await mutate('createApiKey', { name: 'Nightly export', permission: 'READ_ONLY' })
  await mutate('inviteMember', { email: 'nora@example.com', role: 'VIEWER' })
  await mutate('updateWorkspace', { name: 'Acme' })
})
useVisits()

const rows = () => page.locator('tbody').getByRole('row')
const row = (text: string) => rows().filter({ hasText: text })
const drawer = () => page.getByRole('dialog')

describe('an entry', () => {
  test('is a sentence, with a link to what it is about', async () => {
    await page.goto(PATH)
    await row('changed the role of Ada Adler from Agent to Admin').waitFor()
    await row('invited nora@example.com as Viewer').waitFor()
    await row('changed the workspace Acme: name').waitFor()
    const made = row('created the API key Nightly export')
    expect(await made.textContent()).toContain('127.0.0.1')
    await made.getByRole('link', { name: 'Nightly export' }).click()
    await page.waitForURL(/settings\/api-keys/)
  })

  test('opens its data, at an address of its own', async () => {
    await page.goto(PATH)
    await row('changed the role').click()
    await page.waitForURL(/entry=/)
    const data = drawer().getByRole('region', { name: 'Data' })
    expect(JSON.parse((await data.textContent()) ?? '')).toEqual({ from: 'AGENT', to: 'ADMIN' })
    expect(await data.textContent()).toContain('\n  "from": "AGENT"')
    await page.reload()
    await data.waitFor()
    await page.keyboard.press('Escape')
    await drawer().waitFor({ state: 'detached' })
    expect(page.url()).not.toContain('entry')
  })

  test('opens by a touch of its row on a phone, which shows nothing beside the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(PATH)
    await row('changed the role').click({ position: { x: 20, y: 60 } })
    await drawer().getByRole('region', { name: 'Data' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  })

  test('opens by keyboard, and gives the focus back', async () => {
    await page.goto(PATH)
    const opener = row('changed the role').getByRole('button', { name: /^Details/ })
    await opener.focus()
    await page.keyboard.press('Enter')
    await drawer().getByRole('region', { name: 'Data' }).waitFor()
    await page.keyboard.press('Escape')
    await drawer().waitFor({ state: 'detached' })
    await eventually(async () => expect(await opener.evaluate((it) => it === document.activeElement)).toBe(true))
  })

  test('that is not loaded opens by its address; another workspace’s does not', async () => {
    const entry = await desk.guddesk.deps.db.prisma.auditEntry.findFirstOrThrow({
      where: { action: 'api_key.created' },
    })
    await page.goto(`${PATH}?action=MEMBER_INVITED&entry=${entry.id}`)
    await drawer().getByText('created the API key').waitFor()
    await page.goto(`${PATH}?entry=audit_nothing`)
    await drawer().getByText('Entry not found').waitFor()
  })
})

describe('the filter', () => {
  test('by what stands in the address', async () => {
    await page.goto(PATH)
    await page.getByLabel('What', { exact: true }).selectOption('Created the API key')
    await eventually(async () => expect(await rows().count()).toBe(1))
    expect(page.url()).toContain('action=API_KEY_CREATED')
    await page.reload()
    await row('Nightly export').waitFor()
    expect(await rows().count()).toBe(1)
    await page.getByRole('button', { name: 'Clear' }).click()
    await eventually(async () => expect(await rows().count()).toBeGreaterThan(3))
  })

  test('by object, from an entry', async () => {
    await page.goto(PATH)
    await row('changed the role').click()
    await drawer().getByRole('button', { name: 'All entries for this object' }).click()
    await eventually(async () => expect(page.url()).toContain(`target=${ada.memberId}`))
    await eventually(async () => expect(await rows().count()).toBe(1))
    expect(await page.getByRole('textbox', { name: 'Object' }).inputValue()).toBe(ada.memberId)
  })

  test('by who did it', async () => {
    await page.goto(PATH)
    await page.getByLabel('Who', { exact: true }).selectOption('First key')
    await eventually(async () => expect(page.url()).toContain('actor=key_'))
    await row('changed the role').waitFor()
    await page.getByLabel('Who', { exact: true }).selectOption('Ada Adler')
    await page.getByText('No matching entries').waitFor()
  })

  test('by days, both included', async () => {
    await page.goto(PATH)
    await rows().first().waitFor()
    const all = await rows().count()
    const today = await page.evaluate(() => {
      const now = new Date()
      return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
    })
    await page.goto(`${PATH}?from=${today}&to=${today}`)
    await eventually(async () => expect(await rows().count()).toBe(all))
    await page.goto(`${PATH}?to=2020-01-01`)
    await page.getByText('No matching entries').waitFor()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await eventually(async () => expect(await rows().count()).toBe(all))
  })

  test('that makes no sense is no filter', async () => {
    await page.goto(`${PATH}?action=NONSENSE&from=yesterday`)
    await row('changed the role').waitFor()
  })

  test('that the server refuses is said at its field', async () => {
    await page.goto(`${PATH}?target=${'x'.repeat(101)}`)
    const object = page.getByRole('textbox', { name: 'Object' })
    await page.getByText('must have at most 100 characters').waitFor()
    expect(await object.getAttribute('aria-invalid')).toBe('true')
    expect(await page.getByText("Couldn't load this").count()).toBe(0)
    await page.getByRole('button', { name: 'Clear' }).click()
    await row('changed the role').waitFor()
  })
})

test('all of a long log can be reached, each entry once', async () => {
  const { prisma } = desk.guddesk.deps.db
  const { workspaceId } = desk.guddesk.tenant
  const many = Array.from({ length: 120 }, (_, i) => ({
    id: `audit_many${String(i).padStart(4, '0')}`,
    workspaceId,
    actorType: 'system',
    actorId: 'many',
    actorName: 'GudDesk',
    action: 'agent.updated',
    targetType: 'agent',
    targetId: `agent_${i}`,
    targetName: `Robot ${i}.`,
    data: {},
    createdAt: new Date(Date.now() - 86_400_000 + i),
  }))
  await prisma.auditEntry.createMany({ data: many })
  await page.goto(`${PATH}?actor=many`)
  await eventually(async () => expect(await rows().count()).toBe(50))
  await page.getByRole('button', { name: 'Load more' }).click()
  await eventually(async () => expect(await rows().count()).toBe(100))
  await page.getByRole('button', { name: 'Load more' }).click()
  await eventually(async () => expect(await rows().count()).toBe(120))
  const names = (await rows().allTextContents()).map((text) => /Robot \d+\./.exec(text)?.[0])
  expect(new Set(names).size).toBe(120)
  expect(await page.getByRole('button', { name: 'Load more' }).count()).toBe(0)
})

test('who may not see it reads who may', async () => {
  const { prisma } = desk.guddesk.deps.db
  const { memberId: id } = desk.guddesk.tenant
  await prisma.member.update({ where: { id }, data: { role: 'AGENT' } })
  try {
    await page.goto(PATH)
    await page.getByRole('heading', { name: 'Only owners and admins can see the audit log' }).waitFor()
    await page.getByText('Your role here is Agent. Ask Ada Adler.').waitFor()
    expect(await violationsInBoth(page)).toEqual([])
  } finally {
    await prisma.member.update({ where: { id }, data: { role: 'OWNER' } })
  }
})

test('a failure is said, and what was read before comes back', async () => {
  await page.goto('/w/acme/settings/members')
  await page.getByRole('link', { name: 'Audit log' }).waitFor()
  await page.route('**/graphql', (route) => route.abort())
  await page.getByRole('link', { name: 'Audit log' }).click()
  await page.getByText("Can't reach the server").waitFor()
  await page.unroute('**/graphql')
  await page.getByRole('button', { name: 'Try again' }).click()
  await row('changed the role').waitFor()
})

test('the list and an open entry can be used by everybody', async () => {
  await page.goto(PATH)
  await row('changed the role').click()
  await drawer().getByRole('region', { name: 'Data' }).waitFor()
  expect(await violationsInBoth(page)).toEqual([])
  await page.keyboard.press('Escape')
  await drawer().waitFor({ state: 'detached' })
  expect(await violationsInBoth(page)).toEqual([])
})
