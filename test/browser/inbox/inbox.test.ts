import { describe, expect, test } from 'vitest'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'
import { pageIsLive } from '../walk.ts'

// As strict as a server can be: everything that the dashboard asks for is in its manifest.
useDesk({ GRAPHQL_DOCUMENTS: 'dashboard/documents.json' })
useVisits()

const rows = () => page.getByRole('region', { name: 'Conversations' }).getByRole('listitem')
const row = (name: string) => rows().filter({ hasText: name })

async function write(name: string, message: string): Promise<string> {
  const { guddesk } = desk
  const visitorId = await guddesk.newVisitor(guddesk.tenant, name)
  const { data } = await guddesk.call('POST', '/api/v1/conversations', { visitorId, message })
  return data.id
}

async function open(name: string): Promise<void> {
  await page.goto('/w/acme/inbox/open')
  await row(name).click()
  await page.getByRole('textbox', { name: /Reply to/ }).waitFor()
}

const stored = async (id: string) => (await desk.guddesk.call('GET', `/api/v1/conversations/${id}`)).data
const messages = async (id: string) =>
  (await desk.guddesk.call('GET', `/api/v1/conversations/${id}/messages`)).data as { type: string; body: string }[]

describe('the list', () => {
  test('shows a conversation that begins while it is open, without a reload', async () => {
    await page.goto('/w/acme/inbox/open')
    await pageIsLive(page)
    await write('Nina New', 'Is anybody there?')
    await row('Nina New').waitFor()
    expect(await row('Nina New').textContent()).toContain('Is anybody there?')
  })

  test('puts whoever writes last on top', async () => {
    await write('Abel First', 'One')
    const id = await write('Bea Second', 'Two')
    await page.goto('/w/acme/inbox/open')
    await row('Abel First').waitFor()
    await write('Cleo Third', 'Three')
    await eventually(async () => expect(await rows().first().textContent()).toContain('Cleo Third'))
    await desk.guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'On it', type: 'AGENT' })
    await eventually(async () => expect(await rows().first().textContent()).toContain('Bea Second'))
  })

  test('J and K walk through it, and the address says what is open', async () => {
    await write('Walter Walk', 'Hello')
    await page.goto('/w/acme/inbox/open')
    await rows().first().waitFor()
    await page.keyboard.press('j')
    await page.waitForURL(/\/inbox\/open\/conv_/)
    const first = page.url()
    await page.keyboard.press('j')
    await eventually(async () => expect(page.url()).not.toBe(first))
    await page.keyboard.press('k')
    await eventually(async () => expect(page.url()).toBe(first))
    await page.reload()
    await page.getByRole('textbox', { name: /Reply to/ }).waitFor()
  })
})

describe('a conversation', () => {
  test('is answered with Enter; Shift and Enter break the line', async () => {
    const id = await write('Rita Reply', 'Where is it?')
    await open('Rita Reply')
    await page.keyboard.press('r')
    await page.keyboard.type('On its way.')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('Tomorrow.')
    await page.keyboard.press('Enter')
    await eventually(async () => expect((await messages(id)).at(-1)).toMatchObject({ type: 'AGENT' }))
    expect((await messages(id)).at(-1)?.body).toBe('On its way.\nTomorrow.')
    const log = page.getByRole('region', { name: 'Messages' })
    await eventually(async () => expect(await log.getByText('On its way.').count()).toBe(1))
  })

  test('takes notes, which visitors never see', async () => {
    const id = await write('Nora Note', 'Hm')
    await open('Nora Note')
    await page.keyboard.press('n')
    await page.getByRole('textbox', { name: 'Note for the team' }).fill('Careful with this one')
    await page.keyboard.press('Enter')
    await eventually(async () => expect((await messages(id)).at(-1)).toMatchObject({ type: 'NOTE' }))
    await page.getByText('Note for the team').first().waitFor()
  })

  test('shows what comes in while it is open, once', async () => {
    const id = await write('Lila Live', 'First')
    await open('Lila Live')
    await desk.guddesk.call('POST', '/api/agent/reply', { conversationId: id, body: 'From the machine' })
    const log = page.getByRole('region', { name: 'Messages' })
    await log.getByText('From the machine').waitFor()
    expect(await log.getByText('From the machine').count()).toBe(1)
    await log.getByText('AI agent', { exact: true }).first().waitFor()
  })

  test('shows who is typing, until they write', async () => {
    const id = await write('Tina Typing', 'Hello')
    await open('Tina Typing')
    await eventually(async () => {
      await desk.guddesk.call('POST', '/api/agent/typing', { conversationId: id, typing: true })
      await page.getByText('AI Agent is typing').waitFor({ timeout: 500 })
    })
    await desk.guddesk.call('POST', '/api/agent/reply', { conversationId: id, body: 'Done' })
    await page.getByText('is typing').waitFor({ state: 'detached' })
  })

  test('keeps a draft for each conversation, over a reload', async () => {
    await write('Dora Draft', 'Hello')
    await write('Emil Empty', 'Hello')
    await open('Dora Draft')
    await page.getByRole('textbox', { name: /Reply to/ }).fill('Half a thou')
    await row('Emil Empty').click()
    const other = page.getByRole('textbox', { name: 'Reply to Emil Empty' })
    await other.waitFor()
    expect(await other.inputValue()).toBe('')
    await open('Dora Draft')
    await page.reload()
    expect(await page.getByRole('textbox', { name: 'Reply to Dora Draft' }).inputValue()).toBe('Half a thou')
  })

  test('is closed with E, which goes on to the next one, and reopened', async () => {
    const id = await write('Clara Close', 'Thanks, that was all')
    await open('Clara Close')
    await page.keyboard.press('e')
    await row('Clara Close').waitFor({ state: 'detached' })
    await eventually(async () => expect((await stored(id)).status).toBe('CLOSED'))
    await page.goto(`/w/acme/inbox/closed/${id}`)
    await page.getByRole('button', { name: 'Reopen' }).click()
    await eventually(async () => expect((await stored(id)).status).toBe('OPEN'))
  })

  test('is assigned by keyboard', async () => {
    const id = await write('Asta Assign', 'Hello')
    await open('Asta Assign')
    await page.keyboard.press('a')
    await page.getByPlaceholder('Assign to…').fill('olivia')
    await page.keyboard.press('Enter')
    await eventually(async () => expect((await stored(id)).assignee?.name).toBe('Olivia Owens'))
    await page.getByRole('link', { name: 'Mine' }).click()
    await row('Asta Assign').waitFor()
  })

  test('is snoozed, tagged, and given a priority', async () => {
    const id = await write('Sara Snooze', 'Hello')
    await open('Sara Snooze')
    await page.keyboard.press('t')
    await page.getByPlaceholder('Add a tag').fill('vip')
    await page.keyboard.press('Enter')
    await eventually(async () => expect((await stored(id)).tags).toEqual(['vip']))
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /Change the priority/ }).click()
    await page.getByRole('menuitem', { name: 'Urgent' }).click()
    await eventually(async () => expect((await stored(id)).priority).toBe(3))
    await page.keyboard.press('s')
    await page.getByRole('menuitem', { name: /Tomorrow morning/ }).click()
    await eventually(async () => expect((await stored(id)).status).toBe('SNOOZED'))
    await row('Sara Snooze').waitFor({ state: 'detached' })
  })
})

describe('when something fails', () => {
  test('a refused change is taken back and said', async () => {
    const id = await write('Olga Optimist', 'Hello')
    await open('Olga Optimist')
    await page.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('updateConversation')) return route.continue()
      await new Promise((resolve) => setTimeout(resolve, 500))
      await route.abort()
    })
    await page.getByRole('button', { name: /Change the priority/ }).click()
    await page.getByRole('menuitem', { name: 'Urgent' }).click()
    await page.getByRole('button', { name: 'Urgent. Change the priority' }).waitFor()
    await page.getByText("Can't reach the server").waitFor()
    await page.getByRole('button', { name: 'Normal priority. Change the priority' }).waitFor()
    expect((await stored(id)).priority).toBe(0)
  })

  test('a message that was not sent is kept, and sent again on demand', async () => {
    const id = await write('Una Unsent', 'Hello')
    await open('Una Unsent')
    await page.route('**/graphql', (route) =>
      route.request().postData()?.includes('sendMessage') ? route.abort() : route.continue(),
    )
    await page.getByRole('textbox', { name: /Reply to/ }).fill('Do not lose me')
    await page.keyboard.press('Enter')
    await page.getByText('Not sent.').waitFor()
    await page.unroute('**/graphql')
    await page.getByRole('button', { name: 'Send again' }).click()
    await eventually(async () => expect((await messages(id)).at(-1)?.body).toBe('Do not lose me'))
    await page.getByText('Not sent.').waitFor({ state: 'detached' })
    expect(await page.getByText('Do not lose me').count()).toBeGreaterThan(0)
  })
})

describe('what is new', () => {
  test('is counted in the sidebar as it comes and goes', async () => {
    await page.goto('/w/acme/inbox/open')
    const count = async () =>
      Number((await page.getByRole('link', { name: /All open/ }).textContent())?.match(/\d+$/)?.[0])
    await rows().first().waitFor()
    await eventually(async () => expect(await count()).toBeGreaterThan(0))
    const before = await count()
    const id = await write('Cora Count', 'One more')
    await eventually(async () => expect(await count()).toBe(before + 1))
    await desk.guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
    await eventually(async () => expect(await count()).toBe(before))
  })

  test('is unread until it is opened, and has a line above it', async () => {
    const id = await write('Ulla Unread', 'First')
    const isNoted = page.waitForResponse((response) => response.request().postData()?.includes('MarkRead') === true)
    await open('Ulla Unread')
    await isNoted
    await row('Ulla Unread')
      .getByRole('img', { name: /unread/ })
      .waitFor({ state: 'detached' })
    await page.goto('/w/acme/inbox/mine')
    // Of somebody else: one's own messages are never unread.
    const { guddesk } = desk
    const ada = await guddesk.newMember(guddesk.tenant, 'Ada Adler')
    const key = await guddesk.newKey({ ...guddesk.tenant, ...ada }, 'READ_WRITE')
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'Second', type: 'AGENT' }, { key })
    await page.goto('/w/acme/inbox/open')
    await row('Ulla Unread').getByRole('img', { name: '1 unread' }).waitFor()
    await row('Ulla Unread').click()
    const log = page.getByRole('region', { name: 'Messages' })
    await log.getByText('New', { exact: true }).waitFor()
    await row('Ulla Unread')
      .getByRole('img', { name: /unread/ })
      .waitFor({ state: 'detached' })
  })
})

test('a search finds by words in messages, whatever the state, and stays in the address', async () => {
  const id = await write('Frida Found', 'My xylophone arrived broken')
  await desk.guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
  await page.goto('/w/acme/inbox/open')
  await rows().first().waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('xyloph')
  await row('Frida Found').waitFor()
  expect(await rows().count()).toBe(1)
  await row('Frida Found').click()
  await page.waitForURL(/conv_.*\?q=xyloph/)
  await page.getByRole('textbox', { name: 'Search conversations' }).fill('nobody wrote this')
  await page.getByText('No results').waitFor()
  await page.keyboard.press('Escape')
  await eventually(async () => expect(await rows().count()).toBeGreaterThan(1))
})

test('the days of a conversation are told apart, and the visitor’s other conversations are a click away', async () => {
  const { guddesk } = desk
  const visitorId = await guddesk.newVisitor(guddesk.tenant, 'Doris Days')
  const begin = async (subject: string, message: string) =>
    (await guddesk.call('POST', '/api/v1/conversations', { visitorId, subject, message })).data.id as string
  const earlier = await begin('The first question', 'It was solved')
  await guddesk.call('PATCH', `/api/v1/conversations/${earlier}`, { status: 'CLOSED' })
  const id = await begin('The second question', 'Written yesterday')
  const yesterday = new Date(Date.now() - 24 * 3_600_000)
  await guddesk.deps.db.prisma.message.updateMany({
    where: { conversationId: id },
    data: { createdAt: yesterday },
  })
  await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'Written today', type: 'AGENT' })
  await open('Doris Days')
  const log = page.getByRole('region', { name: 'Messages', exact: true })
  const text = await log.innerText()
  const places = ['Yesterday', 'Written yesterday', 'Today', 'Written today'].map((words) => text.indexOf(words))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))

  const panel = page.getByRole('complementary', { name: 'Visitor' })
  await panel.getByRole('link', { name: /The first question/ }).click()
  await page.waitForURL(`**/inbox/closed/${earlier}`)
  await log.getByText('It was solved').waitFor()
})
