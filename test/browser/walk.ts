import type { Page } from 'playwright-core'

/** Nothing is being loaded or moved any more. */
export async function pageIsIdle(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('[role="status"] .visually-hidden') === null, undefined, {
    timeout: 15_000,
  })
  await page.waitForFunction(() => document.getElementById('root')?.childElementCount !== 0)
  // Transitions of the component library.
  await page.waitForTimeout(400)
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
