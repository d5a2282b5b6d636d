import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const run = promisify(execFile)
const read = (name: string) => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8')
const contract = read('contract.md')

/** The lines that a reader pastes, by the path that they call. */
const commandsOf = (page: string) =>
  [...page.matchAll(/```sh\n(curl [\s\S]*?)\n```/g)].map(([, command = '']) => {
    const method = /-X (\w+)/.exec(command)?.[1] ?? 'GET'
    return [`${method} ${/localhost:3000(\/[^\s"?]*)/.exec(command)?.[1]}`, command] as const
  })
const commands = commandsOf(contract)
const ofPeople = commandsOf(read('authentication.md'))

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

test('the contract shows how to install, register, start, read, change and reply', () => {
  expect(commands.map(([call]) => call)).toEqual(
    expect.arrayContaining([
      'POST /api/v1/agents',
      'POST /api/agent/webhooks',
      'POST /api/v1/customers',
      'POST /api/v1/conversations',
      'GET /api/v1/conversations/$CONVERSATION_ID/messages',
      'PATCH /api/v1/conversations/$CONVERSATION_ID',
      'POST /api/agent/reply',
    ]),
  )
})

test('how people sign in shows signing in, asking and signing out', () => {
  expect(ofPeople.map(([call]) => call)).toEqual(
    expect.arrayContaining(['POST /api/auth/sign-in/email', 'POST /graphql', 'POST /api/auth/sign-out']),
  )
})

test.each([...commands, ...ofPeople])('%s works as it is written', async (_call, command) => {
  const person = await guddesk.newMember(guddesk.tenant, 'Ann', 'OWNER')
  const PASSWORD = 'correct horse battery'
  await guddesk.setPassword(person, PASSWORD)
  const env = {
    EMAIL: `${person.userId}@example.com`,
    PASSWORD,
    TOKEN: await guddesk.newSession(person),
    PATH: process.env['PATH'],
    GUDDESK_API_KEY: guddesk.tenant.key,
    VISITOR_ID: await guddesk.newVisitor(),
    CONVERSATION_ID: await guddesk.newConversation(guddesk.tenant, 'I want a refund'),
  }
  const asked = command
    .replace('http://localhost:3000', guddesk.origin)
    .replace(/^curl/, "curl --silent --show-error --write-out '\\n%{http_code}'")
  const { stdout } = await run('bash', ['-c', asked], { env })
  const lines = stdout.split('\n')
  expect(['200', '201']).toContain(lines.at(-1))
  const answer = JSON.parse(lines.slice(0, -1).join('\n'))
  expect(answer).toHaveProperty('data')
  expect(answer).not.toHaveProperty('errors')
  expect(answer.data).not.toHaveProperty('skipped')
})
