import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

const run = promisify(execFile)
const contract = readFileSync(fileURLToPath(new URL('../../docs/contract.md', import.meta.url)), 'utf8')

/** The lines that a reader pastes, by the path that they call. */
const commands = [...contract.matchAll(/```sh\n(curl [\s\S]*?)\n```/g)].map(([, command = '']) => {
  const method = /-X (\w+)/.exec(command)?.[1] ?? 'GET'
  return [`${method} ${/localhost:3000(\/[^\s"?]*)/.exec(command)?.[1]}`, command] as const
})

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

test.each(commands)('%s works as it is written', async (_call, command) => {
  const env = {
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
  expect(answer.data).not.toHaveProperty('skipped')
})
