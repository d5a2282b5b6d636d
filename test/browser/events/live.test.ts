import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'
import { pageIsIdle, pageIsLive } from '../walk.ts'

let receiver: Receiver
// Registered first, it runs last.
afterAll(() => receiver.close())
useDesk()
beforeAll(async () => {
  receiver = await startReceiver()
  await desk.guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url })
})
useVisits()

const rows = () => page.getByRole('list', { name: 'Events' }).getByRole('listitem')
const row = (text: string) => rows().filter({ hasText: text })
const button = (name: string) => page.getByRole('button', { name, exact: true })
const say = (message: string) => desk.guddesk.newConversation(desk.guddesk.tenant, message)

async function openLive(search = ''): Promise<void> {
  await page.goto(`/w/acme/live${search}`)
  await pageIsIdle(page)
  // What happens before the stream stands is not shown.
  await pageIsLive(page)
  await eventually(async () => {
    await say('Is it there yet?')
    await row('Is it there yet?').first().waitFor({ timeout: 500 })
  }, 15_000)
}

test('events appear as they happen, and one is opened as it is sent', async () => {
  await openLive()
  await say('Hello from the stream')
  await row('Hello from the stream').first().waitFor()
  await row('message.created').filter({ hasText: 'Hello from the stream' }).click()
  const dialog = page.getByRole('dialog')
  const json = JSON.parse(await dialog.getByRole('figure', { name: 'event' }).locator('code').innerText())
  expect(json).toMatchObject({ event: 'message.created', data: { body: 'Hello from the stream', type: 'VISITOR' } })
  expect(await violationsInBoth(page)).toEqual([])
})

test('the filter stands in the address and narrows what comes', async () => {
  await page.goto('/w/acme/live?type=CONVERSATION_CLOSED')
  await pageIsIdle(page)
  await page.getByText('Waiting for events').waitFor()
  await pageIsLive(page)
  const close = (id: string) => desk.guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
  // What happens before the stream stands is not shown.
  await eventually(async () => {
    await close(await desk.guddesk.newConversation())
    await rows().first().waitFor({ timeout: 500 })
  }, 15_000)
  await pageIsIdle(page)
  const before = await rows().count()
  await close(await say('Not shown'))
  await eventually(async () => expect(await rows().count()).toBeGreaterThan(before))
  expect(await row('conversation.closed').count()).toBe(await rows().count())
})

test('while it is paused nothing comes, and resuming brings all of it', async () => {
  await openLive()
  const before = await rows().count()
  await button('Pause').click()
  for (let i = 0; i < 5; i++) await say(`Meanwhile ${i}`)
  // The inbox of the navigation has been told of them by now.
  await pageIsIdle(page)
  expect(await rows().count()).toBe(before)
  await button('Resume').click()
  for (let i = 0; i < 5; i++) await row(`Meanwhile ${i}`).first().waitFor()
  // Each conversation began and was written in: once each.
  await eventually(async () => expect(await row('Meanwhile').count()).toBe(10))
})

test('figures move, and the last hour and day are there', async () => {
  await openLive()
  await eventually(async () => {
    await say('Counted')
    expect(await page.getByText('100 %').count()).toBeGreaterThan(0)
  }, 10_000)
  await page
    .getByText(/\d+ \/ \d+ ms/)
    .first()
    .waitFor()
  await page.getByText('all delivered').waitFor()
  await page.getByText('Dispatcher: up to date').waitFor()
  await page.locator('canvas').first().waitFor()
  for (const { label, chart } of [
    { label: 'Last hour', chart: 'Deliveries per minute' },
    { label: 'Last day', chart: 'Deliveries per hour' },
  ]) {
    await page.getByText(label, { exact: true }).click()
    const figure = page.getByRole('figure', { name: chart })
    await figure.locator('canvas').waitFor()
    await eventually(async () => expect(await figure.innerText()).toMatch(/Delivered [1-9]/))
    await page
      .getByRole('figure', { name: /^Backlog/ })
      .locator('canvas')
      .waitFor()
    const slowest = page.getByRole('figure', { name: 'Slowest endpoints' }).getByRole('listitem')
    await eventually(async () => expect(await slowest.first().innerText()).toMatch(/p95 [\d,]+ ms/))
    await slowest.getByRole('link', { name: receiver.url }).waitFor()
  }
  expect(await violationsInBoth(page)).toEqual([])
})
