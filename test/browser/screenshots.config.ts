import { defineConfig, mergeConfig } from 'vitest/config'
import browser from './vitest.config.ts'

/** Not a test: `npm run screenshots` takes the pictures in docs/screenshots the way the browser tests open pages. */
const config = mergeConfig(browser, defineConfig({ test: { testTimeout: 300_000 } }))
config.test = { ...config.test, include: ['test/browser/screenshots.ts'] }
export default config
