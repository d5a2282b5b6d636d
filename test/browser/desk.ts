import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { openBrowser } from './browser.ts'
import { type Desk, openDesk, type Visit } from './people.ts'

/*
 * What most test files begin with. These are live bindings: each file has its own, and sees what the hooks have put there.
 */

export let browser: Browser
export let desk: Desk
export let visit: Visit
export let page: Page

/** A browser and a running server for all tests of this file. */
export function useDesk(env?: Record<string, string>): void {
  beforeAll(async () => {
    browser = await openBrowser()
    desk = await openDesk(browser, env)
  })
  afterAll(async () => {
    await desk.stop()
    await browser.close()
  })
}

/** A page of a browser profile of its own for each test, which must end without faults. */
export function useVisits(): void {
  beforeEach(async () => {
    visit = await desk.signIn()
    page = visit.page
  })
  afterEach(async () => {
    expect(visit.faults).toEqual([])
    await visit.context.close()
  })
}
