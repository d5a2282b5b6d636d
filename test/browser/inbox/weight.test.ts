import { expect, test } from 'vitest'
import { desk, useDesk } from '../desk.ts'
import { pageIsIdle } from '../walk.ts'

const BUDGET = 250_000

useDesk()

test('the inbox loads at most 250 kB of compressed scripts', async () => {
  const { page } = await desk.signIn()
  // With gzip only, which is larger than brotli.
  await page.setExtraHTTPHeaders({ 'accept-encoding': 'gzip' })
  const scripts: number[] = []
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') scripts.push(Number(response.headers()['content-length']))
  })
  await page.goto('/w/acme/inbox/open')
  await pageIsIdle(page)
  const bytes = scripts.reduce((sum, size) => sum + size, 0)
  console.log(`The inbox loaded ${scripts.length} scripts: ${(bytes / 1000).toFixed(1)} kB`)
  expect(scripts.length).toBeGreaterThan(0)
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
  await pageIsIdle(page)
  const total = await page.evaluate(() =>
    (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
  )
  expect(total).toBeLessThan(0.02)
})
