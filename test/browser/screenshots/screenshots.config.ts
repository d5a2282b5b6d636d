import { defineConfig } from 'vitest/config'
import browser from '../vitest.config.ts'

/** Not a test: `npm run screenshots` takes the pictures in docs/screenshots the way the browser tests open pages. */
export default defineConfig({
  ...browser,
  test: { ...browser.test, include: ['test/browser/screenshots/screenshots.ts'], testTimeout: 300_000 },
})
