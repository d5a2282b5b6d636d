import { expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { browser, desk, useDesk } from '../desk.ts'
import { watchFaults } from '../people.ts'
import { pageIsIdle } from '../walk.ts'

useDesk()

/** The path of a new invitation. */
async function invite(email: string): Promise<string> {
  const { body } = await desk.guddesk.graphql(
    `mutation { inviteMember(input: { email: "${email}", role: AGENT }) { link error { message } } }`,
  )
  return new URL(body.data.inviteMember.link).pathname
}

test('somebody new chooses a name and a password, and is in', async () => {
  const path = await invite('nina@acme.test')
  const context = await browser.newContext({ baseURL: desk.guddesk.origin })
  const page = await context.newPage()
  const faults = watchFaults(page)
  await page.goto(path)
  await page.getByRole('heading', { name: 'Join Acme' }).waitFor()
  await page.getByLabel('Your name').fill('Nina New')
  await page.getByLabel('Choose a password').fill('short')
  await page.getByRole('button', { name: 'Join' }).click()
  await page.getByText('Must have at least 10 characters').waitFor()
  expect(await page.getByLabel('Choose a password').getAttribute('aria-invalid')).toBe('true')
  expect(await violationsInBoth(page)).toEqual([])
  await page.getByLabel('Choose a password').fill('a long enough password')
  await page.getByRole('button', { name: 'Join' }).click()
  await page.waitForURL(/\/w\/acme\//)
  await page.getByRole('button', { name: /Nina New/ }).waitFor()
  expect(faults).toEqual([])
  await context.close()
})

test('an invitation that is over says so', async () => {
  const context = await browser.newContext({ baseURL: desk.guddesk.origin })
  const page = await context.newPage()
  await page.goto('/invitations/nothing')
  await page.getByText('This invitation is no longer valid').waitFor()
  expect(await violationsInBoth(page)).toEqual([])
  await context.close()
})

test('somebody with another account is told to change it', async () => {
  const other = await desk.guddesk.newTenant()
  const { email } = await desk.guddesk.deps.db.prisma.user.findUniqueOrThrow({ where: { id: other.userId } })
  const path = await invite(email)
  const { page } = await desk.signIn()
  await page.goto(path)
  await pageIsIdle(page)
  await page.getByText('but the invitation is for another address').waitFor()
  expect(await violationsInBoth(page)).toEqual([])
  await page.getByRole('button', { name: `Sign in as ${email}` }).waitFor()
})
