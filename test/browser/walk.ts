import type { Page } from 'playwright-core'

/** Frames in a row, some 150 ms: what is loaded or moved begins within a few. */
const STILL_FRAMES = 9

/** Nothing is being loaded or moved any more, transitions included. */
export async function pageIsIdle(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getElementById('root')?.childElementCount !== 0)
  await page.evaluate(
    (frames) =>
      new Promise<void>((resolve) => {
        const isMoving = (animation: Animation) =>
          animation.playState === 'running' &&
          animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY
        let still = 0
        const look = () => {
          const isLoading = document.querySelector('[role="status"] .visually-hidden') !== null
          still = isLoading || document.getAnimations().some(isMoving) ? 0 : still + 1
          if (still === frames) resolve()
          else requestAnimationFrame(look)
        }
        look()
      }),
    STILL_FRAMES,
  )
}

/** The page's own connection stands. "Live" alone would be found in the navigation as well. */
export async function pageIsLive(page: Page): Promise<void> {
  await page.locator('output[data-state="live"]').first().waitFor()
}

interface Place {
  readonly path: string
  /** `wait` lets the page pageIsIdle before the next key. */
  readonly keys?: readonly string[]
  /** Buttons and links to press afterwards, by the beginning of their names. */
  readonly presses?: readonly string[]
}

export async function openPlace(page: Page, { path, keys = [], presses = [] }: Place): Promise<void> {
  await page.goto(path)
  await pageIsIdle(page)
  for (const key of keys) {
    if (key === 'wait') await pageIsIdle(page)
    else await page.keyboard.press(key)
  }
  for (const name of presses) {
    await pageIsIdle(page)
    const named = { name: new RegExp(`^${name}`) }
    await page
      .getByRole('button', named)
      .or(page.getByRole('link', named))
      .or(page.getByRole('menuitem', named))
      .first()
      .click()
  }
  await pageIsIdle(page)
}
