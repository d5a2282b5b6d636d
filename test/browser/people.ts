import type { Browser, BrowserContext, Page } from 'playwright-core'
import { readPages } from '../../src/http/pages/dashboard.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { DESKTOP } from './pages.ts'

/** A running server with the dashboard, and its owner's browser. */
export interface Desk {
  readonly guddesk: TestGudDesk
  /** A signed-in browser profile of its own. */
  signIn(options?: { colorScheme?: 'light' | 'dark'; viewport?: { width: number; height: number } }): Promise<Visit>
  stop(): Promise<void>
}

export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** Scripts' errors, and what the page's Content-Security-Policy refused. Both are faults. */
  readonly faults: string[]
}

export const EMAIL = 'olivia@acme.test'
export const PASSWORD = 'correct horse battery'

export async function openDesk(browser: Browser, env: Record<string, string> = {}): Promise<Desk> {
  const guddesk = await startGudDesk({ pages: readPages(), env })
  const { prisma } = guddesk.deps.db
  const { userId, workspaceId } = guddesk.tenant
  await prisma.user.update({ where: { id: userId }, data: { name: 'Olivia Owens', email: EMAIL } })
  await prisma.workspace.update({ where: { id: workspaceId }, data: { name: 'Acme', slug: 'acme' } })
  await guddesk.setPassword({ userId }, PASSWORD)
  const contexts: BrowserContext[] = []
  // Once: tries are limited.
  const storageState = await signInOnce(browser, guddesk.origin)
  return {
    guddesk,
    async signIn({ colorScheme = 'light', viewport = DESKTOP } = {}) {
      const context = await browser.newContext({ baseURL: guddesk.origin, colorScheme, viewport, storageState })
      contexts.push(context)
      const page = await context.newPage()
      return { context, page, faults: watchFaults(page) }
    },
    async stop() {
      for (const context of contexts) await context.close()
      await guddesk.stop()
    },
  }
}

async function signInOnce(browser: Browser, origin: string) {
  const context = await browser.newContext()
  const answer = await context.request.post(`${origin}/api/auth/sign-in/email`, {
    data: { email: EMAIL, password: PASSWORD },
    headers: { origin },
  })
  if (!answer.ok()) throw new Error(`Signing in answered ${answer.status()}: ${await answer.text()}`)
  const state = await context.storageState()
  await context.close()
  return state
}

export function watchFaults(page: Page): string[] {
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    const text = message.text()
    // A refused request is the business of the test that caused it.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) faults.push(text)
  })
  return faults
}

/** Playwright waits by itself; this waits for anything else. */
export async function eventually(check: () => Promise<void>, ms = 5000): Promise<void> {
  const end = Date.now() + ms
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
