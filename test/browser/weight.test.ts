import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import { type Desk, openDesk } from './people.ts'
import { settle } from './walk.ts'

const BUDGET = 250_000

let browser: Browser
let desk: Desk
beforeAll(async () => {
  browser = await openBrowser()
  desk = await openDesk(browser)
})
afterAll(async () => {
  await desk.stop()
  await browser.close()
})

test('the inbox loads at most 250 kB of compressed scripts', async () => {
  const { page, context } = await desk.signIn()
  // Every script's bytes as they went over the wire, also with gzip only, which is the larger of the two.
  await page.setExtraHTTPHeaders({ 'accept-encoding': 'gzip' })
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  const scripts = new Map<string, string>()
  let bytes = 0
  devtools.on('Network.responseReceived', ({ requestId, type, response }) => {
    if (type === 'Script') scripts.set(requestId, response.url)
  })
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) bytes += encodedDataLength
  })
  await page.goto('/w/acme/inbox/open')
  await settle(page)
  console.log(`The inbox loaded ${scripts.size} scripts: ${(bytes / 1000).toFixed(1)} kB`)
  expect(scripts.size).toBeGreaterThan(0)
  expect(bytes).toBeLessThanOrEqual(BUDGET)
})

test('nothing moves while the inbox loads', async () => {
  const { page } = await desk.signIn()
  await desk.guddesk.newConversation(desk.guddesk.tenant, 'Hello')
  await page.addInitScript(() => {
    const shifts: number[] = []
    Object.assign(window, { shifts })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value)
    }).observe({ type: 'layout-shift', buffered: true })
  })
  await page.goto('/w/acme/inbox/open')
  await settle(page)
  const total = await page.evaluate(() =>
    (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
  )
  expect(total).toBeLessThan(0.02)
})
