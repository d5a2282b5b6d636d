import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { GRAPHQL_OPERATIONS, type HostileRequest, REST_OPERATIONS, runs } from '../../support/heavy/hostile.ts'
import { until } from '../../support/until.ts'

const ROUND = 1200
const WARM_UP = 3
const ROUNDS = 3
/** What a request may leave behind on average. A body that is kept somewhere is several times that. */
const BYTES_PER_REQUEST = 1024
/** Resident memory is what garbage needed meanwhile, too. */
const RESIDENT_GROWTH = 1.05

const NODE_OPTIONS = `--expose-gc --import=${fileURLToPath(new URL('../../support/heavy/memory-on-signal.ts', import.meta.url))}`

let installation: Installation

beforeEach(async () => {
  installation = await newInstallation()
})

afterEach(() => installation?.remove())

/** Bytes after a garbage collection. */
async function memoryOf(child: Child): Promise<{ used: number; resident: number }> {
  const lines = () => [...child.output().matchAll(/^memory (\d+) (\d+)$/gm)]
  const before = lines().length
  child.signal('SIGUSR2')
  await until(() => lines().length > before)
  const [, used, resident] = lines().at(-1) ?? []
  return { used: Number(used), resident: Number(resident) }
}

/** @returns the statuses that came */
async function sendAll(child: Child, requests: HostileRequest[]): Promise<Set<number>> {
  const statuses = new Set<number>()
  const worker = async () => {
    for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
      const { method, path, body, headers } = next
      const response = await fetch(child.origin + path, {
        method,
        headers: { authorization: `Bearer ${child.key}`, 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      await response.arrayBuffer()
      statuses.add(response.status)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return statuses
}

test('requests that are made to break a server leave nothing behind in its memory', async () => {
  const child = await installation.start({ LOG_LEVEL: 'fatal', NODE_OPTIONS })
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  const of = { visitorId: visitor.id }
  const { data: conversation } = await post<{ data: { id: string } }>(child, '/api/v1/conversations', of)
  // Without its workspace the key would be worth nothing.
  const operations = [...REST_OPERATIONS, ...GRAPHQL_OPERATIONS].filter(
    ({ name }) => name !== 'DELETE /v1/workspaces/{id}',
  )
  const requests = fc.oneof(...operations.map((operation) => operation.requests([visitor.id, conversation.id])))
  const round = async () => {
    const statuses = await sendAll(child, fc.sample(requests, { ...runs(ROUND), numRuns: ROUND }))
    expect([...statuses].filter((status) => status >= 500 || status === 401)).toEqual([])
    return memoryOf(child)
  }
  for (let i = 1; i < WARM_UP; i++) await round()
  const warm = await round()
  for (let i = 1; i < ROUNDS; i++) await round()
  const end = await round()
  expect(end.used - warm.used).toBeLessThan(ROUNDS * ROUND * BYTES_PER_REQUEST)
  expect(end.resident / warm.resident).toBeLessThan(RESIDENT_GROWTH)
}, 120_000)
