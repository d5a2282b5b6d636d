import { existsSync } from 'node:fs'
import { CHROMIUM } from '../browser/browser.ts'
import { EXAMPLE, run, TOOLS } from './run.ts'

/** Installs the tools and the example from their lockfiles. Fails without them, or without a browser: nothing is skipped. */
export async function setup(): Promise<void> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`There is no Chromium at ${CHROMIUM}. Set CHROMIUM, or: apt-get install -y chromium`)
  }
  for (const folder of [TOOLS, EXAMPLE]) await run(folder, 'npm', ['ci', '--no-audit', '--no-fund'])
  await run(EXAMPLE, 'npm', ['run', 'build'])
}
