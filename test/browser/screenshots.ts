import { mkdir, rm } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openBrowser } from './browser.ts'
import { OVERLAYS, PAGES } from './pages.ts'
import { type Desk, openDesk } from './people.ts'
import { tellStory } from './story.ts'
import { openPlace, settle } from './walk.ts'

const FOLDER = 'docs/screenshots'
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const

let close: () => Promise<void>
let desk: Desk
beforeAll(async () => {
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER, { recursive: true })
  const browser = await openBrowser()
  desk = await openDesk(browser)
  close = async () => {
    await desk.stop()
    await browser.close()
  }
  await tellStory(desk.guddesk)
}, 120_000)
afterAll(() => close())

const take = (page: Page, name: string, size: string, scheme: string) =>
  page.screenshot({ path: `${FOLDER}/${name}-${size}-${scheme}.png`, animations: 'disabled' })

describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
  test.each(['desktop', 'phone'] as const)('every page, %s', async (size) => {
    const { page, context } = await desk.signIn({ colorScheme, viewport: SIZES[size] })
    for (const { name, path } of PAGES) {
      await page.goto(path)
      await settle(page)
      await take(page, name, size, colorScheme)
    }
    await context.close()
  })

  test('every dialog', async () => {
    const { page, context } = await desk.signIn({ colorScheme, viewport: SIZES.desktop })
    for (const place of OVERLAYS) {
      await openPlace(page, place)
      await take(page, place.name, 'desktop', colorScheme)
    }
    await context.close()
  })
})
