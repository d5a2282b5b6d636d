import { existsSync } from 'node:fs'
import { buildPages } from '../../src/http/pages/dashboard.ts'
import { CHROMIUM } from './browser.ts'

/** Builds the dashboard when it is not what the sources say. Without a browser the run fails: nothing is skipped. */
export async function setup(): Promise<void> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`There is no Chromium at ${CHROMIUM}. Set CHROMIUM, or: apt-get install -y chromium`)
  }
  await buildPages()
}
