import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violations } from './axe.ts'
import { openBrowser } from './browser.ts'
import { DOORS, OVERLAYS, PAGES } from './pages.ts'
import { type Desk, openDesk } from './people.ts'
import { tellStory } from './story.ts'
import { openPlace, settle } from './walk.ts'

let browser: Browser
let desk: Desk
beforeAll(async () => {
  browser = await openBrowser()
  desk = await openDesk(browser)
  await tellStory(desk.guddesk)
}, 120_000)
afterAll(async () => {
  await desk.stop()
  await browser.close()
})

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each(PAGES)('$name', async ({ path }) => {
    const { page, faults, context } = await desk.signIn({ colorScheme })
    await page.goto(path)
    await settle(page)
    expect(await violations(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  test.each(OVERLAYS)('$name', async (place) => {
    const { page, faults, context } = await desk.signIn({ colorScheme })
    await openPlace(page, place)
    expect(await violations(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  test.each(DOORS)('$name', async ({ path }) => {
    const context = await browser.newContext({ baseURL: desk.guddesk.origin, colorScheme })
    const page = await context.newPage()
    await page.goto(path)
    await settle(page)
    expect(await violations(page)).toEqual([])
    await context.close()
  })

  test('the inbox on a phone, and its menu', async () => {
    const { page, context } = await desk.signIn({ colorScheme, viewport: { width: 390, height: 844 } })
    await page.goto('/w/acme/inbox/open')
    await settle(page)
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Menu' }).click()
    await settle(page)
    expect(await violations(page)).toEqual([])
    await context.close()
  })
})

test('everything of the inbox is reached by keyboard, and shows where it is', async () => {
  const { page, context } = await desk.signIn()
  await page.goto('/w/acme/inbox/open')
  await settle(page)
  const seen = new Set<string>()
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      if (element === null || element === document.body) return null
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      return {
        name: element.textContent?.slice(0, 30) ?? '',
        isOutlined: outlineStyle !== 'none' && outlineWidth !== '0px',
      }
    })
    if (focused === null) break
    expect(focused, JSON.stringify(focused)).toMatchObject({ isOutlined: true })
    seen.add(focused.name)
  }
  for (const name of ['Skip to the page', 'Unassigned', 'Webhooks', 'Talk as a visitor']) {
    expect(
      [...seen].some((each) => each.includes(name)),
      name,
    ).toBe(true)
  }
  await context.close()
})
