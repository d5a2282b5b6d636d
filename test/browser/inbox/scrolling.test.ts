import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { openBrowser } from '../browser.ts'
import { type Desk, openDesk } from '../people.ts'
import { pageIsIdle } from '../walk.ts'
import { traceFrames } from './frames.ts'

const COUNT = 10_000
const MAX_P95_MS = 32

let browser: Browser
let desk: Desk
beforeAll(async () => {
  browser = await openBrowser()
  desk = await openDesk(browser)
  await manyConversations()
}, 120_000)
afterAll(async () => {
  await desk.stop()
  await browser.close()
})

/** Written in bulk: only the reading of them is looked at. */
async function manyConversations(): Promise<void> {
  const { deps, tenant } = desk.guddesk
  const { workspaceId } = tenant
  const visitors = Array.from({ length: 50 }, (_, i) => ({ id: newId('visitor'), workspaceId, name: `Visitor ${i}` }))
  await deps.db.prisma.visitor.createMany({ data: visitors })
  const start = deps.clock.now().getTime()
  for (let from = 0; from < COUNT; from += 1000) {
    const data = Array.from({ length: 1000 }, (_, i) => {
      const at = new Date(start - (from + i) * 60_000)
      return {
        id: newId('conversation'),
        workspaceId,
        visitorId: visitors[i % visitors.length]?.id ?? '',
        subject: `Number ${from + i}`,
        lastMessagePreview: 'How long does the delivery take to the islands, and what does it cost?',
        createdAt: at,
        updatedAt: at,
        lastActivityAt: at,
        lastMessageAt: at,
        messageCount: 0,
      }
    })
    await deps.db.prisma.conversation.createMany({ data })
  }
}

interface Scrolled {
  readonly lastSubject: string
  readonly rowsInPage: number
}

/** Scrolls as fast as a hand does, to the end of what comes. */
function scrollToTheEnd(page: Page): Promise<Scrolled> {
  return page.evaluate(async () => {
    const list = document.querySelector('section[aria-label="Conversations"] [class*="scroller"]')
    if (!(list instanceof HTMLElement)) throw new Error('There is no list')
    let standing = 0
    // What is still being fetched ends a run for a moment, not for good.
    while (standing < 120) {
      const top = list.scrollTop
      list.scrollTop += 400
      await new Promise((resolve) => requestAnimationFrame(resolve))
      standing = list.scrollTop === top ? standing + 1 : 0
    }
    const rows = [...list.querySelectorAll('li')]
    return { lastSubject: rows.at(-1)?.textContent ?? '', rowsInPage: rows.length }
  })
}

test('10,000 conversations scroll without jerks, and only those in sight exist', async () => {
  const { page, faults } = await desk.signIn()
  await page.goto('/w/acme/inbox/open')
  await pageIsIdle(page)
  const { frames, result } = await traceFrames(browser, page, () => scrollToTheEnd(page))
  const { lastSubject, rowsInPage } = result
  const at = (part: number) => frames[Math.floor(frames.length * part)] ?? Number.NaN
  const figures = `p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms`
  console.log(`Scrolling ${COUNT} conversations: ${frames.length} frames, ${figures}`)
  expect(frames.length).toBeGreaterThan(1000)
  expect(lastSubject).toContain(`Number ${COUNT - 1}`)
  expect(rowsInPage).toBeLessThan(60)
  expect(at(0.95)).toBeLessThan(MAX_P95_MS)
  expect(faults).toEqual([])
}, 180_000)

test('somebody who has scrolled down is not moved by what comes in, and told of it', async () => {
  const { page } = await desk.signIn()
  await page.goto('/w/acme/inbox/open')
  await pageIsIdle(page)
  const list = page.locator('section[aria-label="Conversations"] [class*="scroller"]')
  await list.evaluate((element) => {
    element.scrollTop = 1500
  })
  await pageIsIdle(page)
  const seen = () =>
    list.evaluate((element) => ({ top: element.scrollTop, first: element.querySelector('li')?.textContent }))
  const before = await seen()
  await desk.guddesk.newConversation(desk.guddesk.tenant, 'Something new')
  const pill = page.getByRole('button', { name: '1 new' })
  await pill.waitFor()
  expect(await seen()).toEqual(before)
  await pill.click()
  await page.getByText('Something new').first().waitFor()
  expect((await seen()).top).toBe(0)
})
