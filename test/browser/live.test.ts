import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { violationsInBoth } from './axe.ts'
import { openBrowser } from './browser.ts'
import { type Desk, eventually, openDesk, type Visit } from './people.ts'
import { settle } from './walk.ts'

let browser: Browser
let desk: Desk
let visit: Visit
let page: Page
let receiver: Receiver
beforeAll(async () => {
  browser = await openBrowser()
  desk = await openDesk(browser)
  receiver = await startReceiver()
  await desk.guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url })
})
afterAll(async () => {
  await desk.stop()
  await browser.close()
  await receiver.close()
})
beforeEach(async () => {
  visit = await desk.signIn()
  page = visit.page
})
afterEach(async () => {
  expect(visit.faults).toEqual([])
  await visit.context.close()
})

const rows = () => page.getByRole('list', { name: 'Events' }).getByRole('listitem')
const row = (text: string) => rows().filter({ hasText: text })
const button = (name: string) => page.getByRole('button', { name, exact: true })
const say = (message: string) => desk.guddesk.newConversation(desk.guddesk.tenant, message)

async function openLive(search = ''): Promise<void> {
  await page.goto(`/w/acme/live${search}`)
  await settle(page)
  // What happens before the stream stands is not shown.
  await page.getByText('Live', { exact: true }).last().waitFor()
  await eventually(async () => {
    await say('Is it there yet?')
    await page.waitForTimeout(300)
    expect(await row('Is it there yet?').count()).toBeGreaterThan(0)
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
  await settle(page)
  await page.getByText('Waiting for events').waitFor()
  await page.waitForTimeout(1000)
  const id = await say('Not shown')
  await desk.guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
  await row('conversation.closed').first().waitFor()
  expect(await rows().count()).toBe(1)
})

test('while it is paused nothing comes, and resuming brings all of it', async () => {
  await openLive()
  const before = await rows().count()
  await button('Pause').click()
  for (let i = 0; i < 5; i++) await say(`Meanwhile ${i}`)
  await page.waitForTimeout(700)
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
  await page.getByText('everything is sent').waitFor()
  await page.locator('canvas').first().waitFor()
  for (const { label, chart } of [
    { label: 'Last hour', chart: 'Deliveries per minute' },
    { label: 'Last day', chart: 'Deliveries per hour' },
  ]) {
    await page.getByText(label, { exact: true }).click()
    const figure = page.getByRole('figure', { name: chart })
    await figure.locator('canvas').waitFor()
    await eventually(async () => expect(await figure.innerText()).toMatch(/Delivered [1-9]/))
  }
  expect(await violationsInBoth(page)).toEqual([])
})

test('200 events a second for half a minute leave it responsive, and its memory bounded', {
  timeout: 120_000,
}, async () => {
  const { guddesk } = desk
  const conversationId = await say('The busy one')
  await openLive()
  await page.evaluate(() => {
    const frames: number[] = []
    Object.assign(window, { frames })
    let last = performance.now()
    const next = (now: number) => {
      frames.push(now - last)
      last = now
      requestAnimationFrame(next)
    }
    requestAnimationFrame(next)
  })
  // Straight into the log: on a busy machine the operations would not keep up with what the page has to stand.
  const { prisma } = guddesk.deps.db
  const { workspaceId } = guddesk.tenant
  const BATCH = 20
  const began = performance.now()
  let sent = 0
  while (sent < 6000) {
    const createdAt = guddesk.clock.now()
    const data = Array.from({ length: BATCH }, () => {
      const said = { conversationId, type: 'VISITOR', body: `Busy ${sent++}`, workspaceId }
      const body = JSON.stringify({ event: 'message.created', data: said, timestamp: createdAt.toISOString() })
      return { id: newId('event'), workspaceId, type: 'message.created', conversationId, body, createdAt }
    })
    await prisma.event.createMany({ data })
    const ahead = (sent / 200) * 1000 - (performance.now() - began)
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead))
  }
  const perSecond = sent / ((performance.now() - began) / 1000)
  await row(`Busy ${sent - 1}`)
    .first()
    .waitFor()
  const clicked = performance.now()
  await button('Pause').click()
  await button('Resume').waitFor()
  const answered = performance.now() - clicked
  const frames = await page.evaluate(() => (window as unknown as { frames: number[] }).frames.sort((a, b) => a - b))
  const at = (part: number) => frames[Math.floor(frames.length * part)] ?? 0
  const elements = await page.evaluate(() => document.querySelectorAll('*').length)
  console.log(
    `${sent} events at ${perSecond.toFixed(0)} a second: frames p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, longest ${at(0.9999).toFixed(0)} ms; ${elements} elements; a click was answered in ${answered.toFixed(0)} ms`,
  )
  expect(perSecond).toBeGreaterThan(150)
  expect(await rows().count()).toBeLessThan(40)
  expect(elements).toBeLessThan(1500)
  expect(at(0.95)).toBeLessThan(100)
  await page.getByText(/the last 1,000 shown/).waitFor()
})
