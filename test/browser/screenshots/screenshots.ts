import { mkdir, rm } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openBrowser } from '../browser.ts'
import { DESKTOP, DOORS, OVERLAYS, PAGES, PHONE } from '../pages.ts'
import { type Desk, openDesk } from '../people.ts'
import { openPlace } from '../walk.ts'
import { type Story, tellStory } from './story.ts'

const FOLDER = 'docs/screenshots'
const SIZES = { desktop: DESKTOP, phone: PHONE } as const

let browser: Browser
let desk: Desk
let story: Story
beforeAll(async () => {
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER, { recursive: true })
  browser = await openBrowser()
  desk = await openDesk(browser)
  story = await tellStory(desk.guddesk)
}, 120_000)
afterAll(async () => {
  await desk.stop()
  await story.close()
  await browser.close()
})

const take = (page: Page, name: string, size: string, scheme: string) =>
  page.screenshot({ path: `${FOLDER}/${name}-${size}-${scheme}.png`, animations: 'disabled' })

const isLive = ({ name }: { name: string }) => name.startsWith('live')

describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
  test.each(['desktop', 'phone'] as const)('every page and dialog, %s', async (size) => {
    const { page, context } = await desk.signIn({ colorScheme, viewport: SIZES[size] })
    const door = await browser.newPage({ baseURL: desk.guddesk.origin, colorScheme, viewport: SIZES[size] })
    const isWhole = size === 'desktop' && colorScheme === 'light'
    const overlays = isWhole ? OVERLAYS : OVERLAYS.filter((place) => 'isPage' in place)
    for (const place of DOORS) {
      await openPlace(door, place)
      await take(door, place.name, size, colorScheme)
    }
    for (const place of [...PAGES.filter((each) => !isLive(each)), ...overlays]) {
      await openPlace(page, place)
      await take(page, place.name, size, colorScheme)
    }
    await door.close()
    await context.close()
  })
})

// Last, because visitors write meanwhile: the inbox is not to be full of it.
describe.each(['light', 'dark'] as const)('%s, while something happens', (colorScheme) => {
  test.each(['desktop', 'phone'] as const)('%s', async (size) => {
    const { page, context } = await desk.signIn({ colorScheme, viewport: SIZES[size] })
    for (const place of PAGES.filter(isLive)) {
      await openPlace(page, place)
      await story.talk(8000)
      await take(page, place.name, size, colorScheme)
    }
    await context.close()
  })
})
