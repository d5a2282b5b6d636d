import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { until } from '../../support/until.ts'

const OWNER = 'ada@example.com'
const KEY = /gd_[\w-]{43}/

let installation: Installation
beforeAll(async () => {
  installation = await newInstallation()
})
afterAll(() => installation?.remove())

const isReady = (child: Child) => until(() => child.output().includes('is ready'))

const ask = (child: Child, key: string, query: string) =>
  fetch(`${child.origin}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  }).then((answer) => answer.json())

test('commands print a key, and the people with an unverified address', async () => {
  const first = await installation.start({ GUDDESK_OWNER_EMAIL: OWNER })
  await isReady(first)
  const invite = `mutation { inviteMember(input: { email: "eve@example.com", role: VIEWER }) { link } }`
  const { data } = await ask(first, first.key, invite)
  const token = String(data.inviteMember.link).split('/').at(-1)
  const accept = `mutation { acceptInvitation(input: { token: "${token}", name: "Eve", password: "long enough" }) { error { code } } }`
  expect(await ask(first, '', accept)).toMatchObject({
    data: { acceptInvitation: { error: null } },
  })
  first.signal('SIGTERM')
  await first.exited()

  expect(await installation.run('unverified-people')).toEqual({
    code: 0,
    output:
      '1 address is not verified:\n  eve@example.com  Eve: my-workspace (VIEWER)\n' +
      'Send each person a link from npm run sign-in-link. Using it ends their earlier passwords, sessions and API keys.\n',
  })
  expect(await installation.run('api-key')).toMatchObject({
    code: 2,
    output: expect.stringContaining('npm run api-key --'),
  })
  expect(await installation.run('api-key', 'nobody@example.com')).toMatchObject({ code: 1 })
  expect(await installation.run('api-key', OWNER, 'other-workspace')).toMatchObject({ code: 1 })
  const made = await installation.run('api-key', OWNER.toUpperCase(), 'my-workspace')
  expect(made).toMatchObject({
    code: 0,
    output: expect.stringContaining(`API key of ${OWNER} (FULL_ACCESS, limited by the role OWNER)`),
  })
  const key = KEY.exec(made.output)?.[0] ?? ''
  const viewer = KEY.exec((await installation.run('api-key', 'eve@example.com')).output)?.[0] ?? ''

  const second = await installation.start()
  await isReady(second)
  const permission = '{ viewer { permission } }'
  expect(await ask(second, key, permission)).toMatchObject({
    data: { viewer: { permission: 'FULL_ACCESS' } },
  })
  expect(await ask(second, viewer, permission)).toMatchObject({
    data: { viewer: { permission: 'READ_ONLY' } },
  })
  const log =
    '{ auditEntries(filter: { action: API_KEY_CREATED }) { edges { node { actor { displayName } targetName } } } }'
  const { data: logged } = await ask(second, key, log)
  expect(logged.auditEntries.edges).toHaveLength(2)
  expect(JSON.stringify(logged)).toContain("Operator's key")
}, 90_000)

test('a database with nothing in it says so', async () => {
  const empty = await newInstallation({ isNew: true })
  for (const [command, ...args] of [['api-key', OWNER], ['unverified-people']] as const) {
    expect(await empty.run(command, ...args)).toEqual({
      code: 1,
      output:
        'The database is empty, or was created by an older version. Start this version of GudDesk once, then try again.\n',
    })
  }
  await empty.remove()
}, 60_000)

describe.runIf(backend === 'postgres')('in production', () => {
  test('the first start prints no key, makes none, and says which command does', async () => {
    const fresh = await newInstallation()
    const env = { NODE_ENV: 'production', ENCRYPTION_KEY: 'ab'.repeat(32), PUBLIC_URL: 'https://desk.example.com' }
    const child = await fresh.start({ ...env, GUDDESK_API_KEY: '', GUDDESK_OWNER_EMAIL: OWNER, HOST: '127.0.0.1' })
    await isReady(child)
    expect(child.output()).not.toMatch(KEY)
    expect(child.output()).toContain(`npm run api-key -- ${OWNER}`)
    expect(child.output()).toContain(`npm run sign-in-link -- ${OWNER}`)
    const made = await fresh.runWith(env, 'api-key', OWNER)
    const key = KEY.exec(made.output)?.[0] ?? ''
    const answer = await fetch(`${child.origin}/api/v1/conversations`, { headers: { authorization: `Bearer ${key}` } })
    expect(answer.status).toBe(200)
    await fresh.remove()
  }, 60_000)
})
