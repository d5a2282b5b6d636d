import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { violations } from '../axe.ts'
import { browser, desk, useDesk } from '../desk.ts'
import { EMAIL, PASSWORD, watchFaults } from '../people.ts'

useDesk()

/** Another site, which wants people who have just signed in. */
const elsewhere = createServer((_request, response) => response.end('Sign in again'))
let host = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
})
afterAll(() => void elsewhere.close())

test.each([
  (to: string) => `/.//${to}/`,
  (to: string) => `/\\${to}/`,
  (to: string) => `/%2e//${to}/`,
  (to: string) => `http://${to}/`,
])('signing in never leads to another site (%#)', async (next) => {
  const context = await browser.newContext({ baseURL: desk.guddesk.origin })
  const page = await context.newPage()
  await page.goto(`/sign-in?${new URLSearchParams({ next: next(host) })}`)
  await page.getByLabel('Email').fill(EMAIL)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/w\/acme\/inbox/)
  expect(new URL(page.url()).origin).toBe(desk.guddesk.origin)
  await context.close()
})

test.each(['light', 'dark'] as const)('a sign-in link has one button, which signs in, %s', async (colorScheme) => {
  const { guddesk } = desk
  const token = String(await guddesk.people.makeLink(EMAIL))
  const context = await browser.newContext({ baseURL: guddesk.origin, colorScheme })
  const page = await context.newPage()
  const faults = watchFaults(page)
  const path = `/api/auth/sign-in/link?token=${token}`
  await page.goto(path)
  await page.getByRole('heading', { name: 'Sign in to GudDesk' }).waitFor()
  expect(await violations(page)).toEqual([])
  expect(await page.getByRole('button').count()).toBe(1)
  await page.reload()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/w\/acme\/inbox/)
  expect(faults).toEqual([])

  await page.goto(path)
  await context.clearCookies()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('has expired or was already used').waitFor()
  await context.close()
})
