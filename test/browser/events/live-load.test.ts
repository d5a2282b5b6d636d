import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import { recordEvent, SYSTEM } from '../../../src/domain/events/events.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { desk, useDesk } from '../desk.ts'
import { pageIsIdle, pageIsLive } from '../walk.ts'

const PER_SECOND = 200
const SECONDS = 30
/** So many events in one transaction: what is looked at is the page, not how fast one writes them. */
const BATCH = 20
const MAX_INPUT_DELAY_MS = 100
const MAX_GROWTH_BYTES = 12_000_000

let receiver: Receiver
// Registered first, it runs last.
afterAll(() => receiver.close())
useDesk()
beforeAll(async () => {
  receiver = await startReceiver()
  await desk.guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url })
})

/** Each event with its delivery, through the operation that every change uses. */
async function write(conversationId: string, from: number, count: number): Promise<void> {
  const { deps, tenant } = desk.guddesk
  const { workspaceId } = tenant
  await inEventTransaction(deps, { workspaceId, conversationIds: [conversationId] }, async (tx) => {
    for (let sequence = from; sequence < from + count; sequence++) {
      const said = { conversationId, messageId: newId('message'), type: 'VISITOR' as const, body: `Busy ${sequence}` }
      const data = { ...said, workspaceId, assigneeId: null, senderName: 'Vera', sequence }
      const event = { type: 'message.created' as const, workspaceId, conversationId, data, actor: SYSTEM }
      await recordEvent(tx, deps.bus, { ...event, at: deps.clock.now() })
    }
  })
}

/** The time from a key to when the page begins to look at it, in milliseconds, measured by the page for every key. */
async function watchInputDelays(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const delays: number[] = []
    Object.assign(window, { delays })
    addEventListener('keydown', ({ timeStamp }) => delays.push(performance.now() - timeStamp), { capture: true })
  })
  return () => page.evaluate(() => (window as unknown as { delays: number[] }).delays.sort((a, b) => a - b))
}

/** What the page's scripts still hold when all that nobody needs is gone. */
async function heapBytes(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return usedSize
}

test('200 events a second, each delivered, for half a minute: it answers at once, and its memory is bounded', {
  timeout: 180_000,
}, async () => {
  const { page, context, faults } = await desk.signIn()
  const conversations = await Promise.all(Array.from({ length: 20 }, () => desk.guddesk.newConversation()))
  await page.goto('/w/acme/live')
  await pageIsIdle(page)
  await pageIsLive(page)
  const cdp = await context.newCDPSession(page)
  const inputDelays = await watchInputDelays(page)
  const before = receiver.received.length

  const total = PER_SECOND * SECONDS
  let heapEarly = 0
  const began = performance.now()
  for (let sent = 0, batch = 0; sent < total; sent += BATCH, batch++) {
    await write(conversations[batch % conversations.length] ?? '', sent, BATCH)
    // More than the page keeps: from here on nothing may grow.
    if (sent === 2000) heapEarly = await heapBytes(cdp)
    if (batch % 4 === 0) await page.keyboard.press('Shift')
    const ahead = ((sent + BATCH) / PER_SECOND) * 1000 - (performance.now() - began)
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead))
  }
  const perSecond = total / ((performance.now() - began) / 1000)
  const clicked = performance.now()
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByRole('button', { name: 'Resume', exact: true }).waitFor()
  const answeredMs = performance.now() - clicked
  await page.getByRole('button', { name: 'Resume', exact: true }).click()
  await receiver.waitFor(before + total, 60_000)
  const events = page.getByRole('list', { name: 'Events' }).getByRole('listitem')
  await events.filter({ hasText: `Busy ${total - 1}` }).waitFor()
  const heapGrowth = (await heapBytes(cdp)) - heapEarly
  const delays = await inputDelays()
  const at = (part: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * part))] ?? Number.NaN
  const elements = await page.evaluate(() => document.querySelectorAll('*').length)
  console.log(
    `${total} events and deliveries at ${perSecond.toFixed(0)} a second: input delay p50 ${at(0.5).toFixed(1)} ms, ` +
      `p95 ${at(0.95).toFixed(1)} ms, longest ${at(1).toFixed(1)} ms of ${delays.length} keys; a click was answered in ` +
      `${answeredMs.toFixed(0)} ms; ${elements} elements; ${(heapGrowth / 1e6).toFixed(1)} MB more than after 2,000`,
  )
  expect(perSecond).toBeGreaterThan(150)
  expect(delays.length).toBeGreaterThan(60)
  expect(at(0.95)).toBeLessThan(MAX_INPUT_DELAY_MS)
  expect(heapGrowth).toBeLessThan(MAX_GROWTH_BYTES)
  expect(await events.count()).toBeLessThan(40)
  expect(elements).toBeLessThan(1500)
  await page.getByText(/the last 1,000 shown/).waitFor()
  expect(faults).toEqual([])
})
