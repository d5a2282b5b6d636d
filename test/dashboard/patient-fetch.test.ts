import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { patientFetch } from '../../dashboard/src/api/patientFetch.ts'
import { until } from '../support/until.ts'

/** What the server answers, one after the other; 200 afterwards. */
let answers: ((response: ServerResponse) => void)[] = []
let bodies: string[] = []
let waits: number[] = []

const server = createServer(async (request, response) => {
  bodies.push(Buffer.concat(await request.toArray()).toString())
  const answer = answers.shift()
  if (answer === undefined) response.end('{"data":{}}')
  else answer(response)
})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise((resolve) => server.close(resolve)))
beforeEach(() => {
  answers = []
  bodies = []
  waits = []
})

const limited = (seconds: string | null) => (response: ServerResponse) => {
  response.writeHead(429, seconds === null ? {} : { 'Retry-After': seconds }).end('{"errors":[]}')
}

const ask = (signal?: AbortSignal) => {
  const { port } = server.address() as AddressInfo
  const init = { method: 'POST', body: 'mutation', ...(signal && { signal }) }
  return patientFetch((seconds) => void waits.push(seconds))(`http://127.0.0.1:${port}`, init)
}

test('what was asked too often is asked again after the time that the server names, and says so', async () => {
  answers = [limited('1')]
  const began = performance.now()
  const response = await ask()
  expect(await response.json()).toEqual({ data: {} })
  expect(performance.now() - began).toBeGreaterThan(990)
  expect([bodies, waits]).toEqual([['mutation', 'mutation'], [1]])
})

test.each([
  ['a refusal that names no time', limited(null)],
  ['one that would take too long', limited('900')],
  ['another failure', (response: ServerResponse) => response.writeHead(503, { 'Retry-After': '1' }).end()],
])('%s is shown', async (_what, answer) => {
  answers = [answer]
  expect((await ask()).ok).toBe(false)
  expect([bodies.length, waits]).toEqual([1, []])
})

test('whoever leaves meanwhile does not come again', async () => {
  answers = [limited('60')]
  const left = new AbortController()
  const asked = ask(left.signal)
  await until(() => waits.length === 1)
  left.abort()
  await expect(asked).rejects.toThrow('aborted')
  expect(bodies).toHaveLength(1)
})
