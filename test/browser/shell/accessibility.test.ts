import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { openBrowser } from '../browser.ts'
import { DESKTOP, DOORS, OVERLAYS, PAGES, PHONE } from '../pages.ts'
import { type Desk, openDesk } from '../people.ts'
import { type Story, tellStory } from '../screenshots/story.ts'
import { openPlace, pageIsIdle } from '../walk.ts'

const SIZES = [
  { size: 'desktop', viewport: DESKTOP },
  { size: 'phone', viewport: PHONE },
]

let browser: Browser
let desk: Desk
let story: Story
beforeAll(async () => {
  browser = await openBrowser()
  desk = await openDesk(browser)
  story = await tellStory(desk.guddesk)
}, 120_000)
afterAll(async () => {
  await desk.stop()
  await story.close()
  await browser.close()
})

describe.each(SIZES)('on a $size', ({ viewport }) => {
  const places = viewport === PHONE ? OVERLAYS.filter((place) => 'isPage' in place) : OVERLAYS

  test.each([...PAGES, ...places])('$name', async (place) => {
    const { page, faults, context } = await desk.signIn({ viewport })
    await openPlace(page, place)
    expect(await violationsInBoth(page)).toEqual([])
    expect(await hangsOver(page)).toBe(false)
    expect(faults).toEqual([])
    await context.close()
  })

  test.each(DOORS)('$name', async ({ path }) => {
    const context = await browser.newContext({ baseURL: desk.guddesk.origin, viewport })
    const page = await context.newPage()
    await page.goto(path)
    await pageIsIdle(page)
    expect(await violationsInBoth(page)).toEqual([])
    await context.close()
  })
})

test('the menu on a phone', async () => {
  const { page, context } = await desk.signIn({ viewport: PHONE })
  await page.goto('/w/acme/inbox/open')
  await pageIsIdle(page)
  await page.getByRole('button', { name: 'Menu' }).click()
  await pageIsIdle(page)
  expect(await violationsInBoth(page)).toEqual([])
  await context.close()
})

/** Something is wider than the window, so that the page moves sideways. */
function hangsOver(page: Page): Promise<boolean> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('main, [role="dialog"]')].some(
      ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1,
    ),
  )
}

test('everything of the inbox is reached by keyboard, and shows where it is', async () => {
  const { page, context } = await desk.signIn()
  await page.goto('/w/acme/inbox/open')
  await pageIsIdle(page)
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
  for (const name of ['Skip to content', 'Unassigned', 'Webhooks', 'Talk as a visitor']) {
    expect(
      [...seen].some((each) => each.includes(name)),
      name,
    ).toBe(true)
  }
  await context.close()
})
