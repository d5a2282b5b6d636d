import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { until } from '../../support/until.ts'

let installation: Installation

beforeAll(async () => {
  installation = await newInstallation()
})

afterAll(() => installation?.remove())

const OWNER = 'ada@example.com'

const linkIn = (output: string) => /http:\S+(\/api\/auth\/sign-in\/link\?token=\S+)/.exec(output)?.[1]

/** It answers a moment before it says so. */
const isReady = (child: Child) => until(() => child.output().includes('is ready'))

/** Opens a link that was printed, at the server that runs now, and asks who that is. */
async function whoIs(child: Child, path: string | undefined): Promise<string> {
  const opened = await fetch(`${child.origin}${path}`, { method: 'POST', redirect: 'manual' })
  expect([opened.status, opened.headers.get('location')]).toEqual([303, '/'])
  const cookie = String(opened.headers.get('set-cookie')?.split(';')[0])
  const headers = { cookie, origin: child.origin, 'content-type': 'application/json' }
  const body = JSON.stringify({ query: '{ me { email } viewer { role } }' })
  const answer = await fetch(`${child.origin}/graphql`, { method: 'POST', headers, body })
  const { data } = (await answer.json()) as { data: { me: { email: string }; viewer: { role: string } } }
  return `${data.viewer.role} ${data.me.email}`
}

test('the first start prints a link for the owner, npm run sign-in-link another', async () => {
  expect(await installation.run('sign-in-link')).toMatchObject({ code: 2 })
  const first = await installation.start({ GUDDESK_OWNER_EMAIL: OWNER })
  await isReady(first)
  expect(await whoIs(first, linkIn(first.output()))).toBe(`OWNER ${OWNER}`)

  const beside = await installation.run('sign-in-link', OWNER)
  if (backend === 'postgres') {
    expect(beside.code, beside.output).toBe(0)
    expect(await whoIs(first, linkIn(beside.output))).toBe(`OWNER ${OWNER}`)
  } else {
    expect(beside.code).toBe(1)
    expect(beside.output).toMatch(
      /^A running server uses the embedded database in \S+\. Stop it, run this command again/,
    )
  }
  first.signal('SIGTERM')
  await first.exited()

  const unknown = await installation.run('sign-in-link', 'nobody@example.com')
  expect(unknown).toEqual({ code: 1, output: 'No user has the address nobody@example.com.\n' })
  const between = await installation.run('sign-in-link', OWNER.toUpperCase())
  expect(between.code, between.output).toBe(0)
  const second = await installation.start()
  await isReady(second)
  expect(linkIn(second.output())).toBeUndefined()
  expect(await whoIs(second, linkIn(between.output))).toBe(`OWNER ${OWNER}`)
}, 90_000)

test('an empty database is told from a wrong address', async () => {
  const empty = await newInstallation({ isNew: true })
  try {
    const { code, output } = await empty.run('sign-in-link', OWNER)
    expect([code, output]).toEqual([
      1,
      'The database is empty, or was created by an older version. Start this version of GudDesk once, then try again.\n',
    ])
  } finally {
    await empty.remove()
  }
})
