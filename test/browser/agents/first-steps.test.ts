import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { openBrowser } from '../browser.ts'
import { DESKTOP, PHONE } from '../pages.ts'
import { type Desk, openDesk, type Visit } from '../people.ts'
import { pageIsIdle } from '../walk.ts'

let browser: Browser
let desk: Desk
let visit: Visit
let page: Page
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

describe.each([
  { size: 'desktop', viewport: DESKTOP },
  { size: 'phone', viewport: PHONE },
])('an empty workspace on a $size', ({ size, viewport }) => {
  beforeEach(async () => {
    desk = await openDesk(browser)
    visit = await desk.signIn({ viewport })
    page = visit.page
  })
  afterEach(async () => {
    expect(visit.faults).toEqual([])
    await desk.stop()
  })

  test('leads by the hand to the first webhook delivered', async () => {
    await page.goto('/w/acme')
    await page.getByRole('heading', { name: 'Three steps to your first answer' }).waitFor()
    await pageIsIdle(page)
    expect(await violationsInBoth(page)).toEqual([])
    const guide = page.getByRole('region', { name: 'First steps' })
    const began = performance.now()
    await guide.getByRole('button', { name: 'Install the echo agent' }).click()
    await step('Install an agent').getByRole('img', { name: 'Done' }).waitFor()
    await guide.getByRole('button', { name: 'Talk as a visitor' }).click()
    const visitor = page.getByRole('region', { name: 'Talk as a visitor' })
    await visitor.getByRole('textbox', { name: 'Your message' }).fill('Is anybody there?')
    await visitor.getByRole('button', { name: 'Start the conversation' }).click()
    await visitor.getByText('You wrote: Is anybody there?').waitFor()
    const listed = page.getByRole('region', { name: 'Conversations' }).getByRole('listitem')
    await listed.filter({ hasText: 'You wrote: Is anybody there?' }).waitFor()
    if (size === 'phone') await visitor.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('heading', { name: 'Your first webhook was delivered' }).waitFor()
    await guide.getByRole('link', { name: 'View delivery' }).click()
    const delivery = page.getByRole('article', { name: 'Delivery' })
    await delivery.getByText('Delivered').first().waitFor()
    await delivery.getByText('Attempt 1').waitFor()
    expect(await visitor.count()).toBe(0)
    console.log(`From the first click to the delivery: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  })
})

const step = (name: string) =>
  page.getByRole('region', { name: 'First steps' }).getByRole('listitem').filter({ hasText: name })
