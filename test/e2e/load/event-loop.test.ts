import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import {
  ANY_OPERATION,
  ATTEMPT,
  type HeavyRequest,
  heavyRequests,
  type Operation,
  TRANSPORTS,
} from '../../support/heavy/heavy.ts'
import { send } from '../../support/heavy/heavy-client.ts'
import { until } from '../../support/until.ts'

/** How long one request may keep the event loop from everybody else. */
const BOUND_MS = 50
/** Per transport; FUZZ_RUNS tries more, FUZZ_SEED others. */
const COUNT = Number(process.env['FUZZ_RUNS'] ?? 60)
const SEED = Number(process.env['FUZZ_SEED'] ?? 11)
/**
 * What exceeded the bound is sent again, and the least counts: a collection of garbage that many requests have left, or a
 * function that is compiled just then, is nothing that a request can make happen again. What is slow by itself is slow
 * each time: documents differ between attempts, so that none is found in a cache.
 */
const ATTEMPTS = 3
const WARM_UP = 20

const LONGEST_TURN = fileURLToPath(new URL('../../support/heavy/longest-turn.ts', import.meta.url))
const MANIFEST = fileURLToPath(new URL('../../../dashboard/documents.json', import.meta.url))

/** Each document of the dashboard with each of its variables. */
function trustedOperations(): Operation[] {
  const manifest = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(MANIFEST, 'utf8')))
  return Object.entries(manifest).flatMap(([documentId, text]) => {
    const variables = new Set([...text.matchAll(/\$(\w+)\s*:/g)].map(([, name]) => name ?? ''))
    return [...variables].map((name): Operation => [{ documentId }, name])
  })
}

describe.each([
  { name: 'any document', operations: ANY_OPERATION, env: {} },
  { name: 'trusted documents', operations: trustedOperations(), env: { GRAPHQL_DOCUMENTS: MANIFEST } },
])('with $name', ({ operations, env }) => {
  let installation: Installation
  let child: Child
  let conversationId: string
  let attempts = 0

  beforeAll(async () => {
    installation = await newInstallation()
    child = await installation.start({ NODE_OPTIONS: `--import=${LONGEST_TURN}`, LOG_LEVEL: 'error', ...env })
    const visitor = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
    const conversation = { visitorId: visitor.data.id }
    conversationId = (await post<{ data: { id: string } }>(child, '/api/v1/conversations', conversation)).data.id
    for (const transport of TRANSPORTS) {
      for (const heavy of heavyRequests(transport, operations, { count: WARM_UP, seed: -SEED })) await attempt(heavy)
    }
  })

  afterAll(() => installation?.remove())

  /** In milliseconds, since it was asked for last. */
  async function longestTurn(): Promise<number> {
    const turns = () => [...child.output().matchAll(/^turn (.+)$/gm)]
    const before = turns().length
    child.signal('SIGUSR2')
    await until(() => turns().length > before)
    return Number(turns().at(-1)?.[1])
  }

  /** @returns the longest turn, and what was answered */
  async function attempt(heavy: HeavyRequest): Promise<readonly [ms: number, answer: string]> {
    attempts += 1
    const path = heavy.path
      .replace('CONVERSATION', conversationId)
      .replace(encodeURIComponent(ATTEMPT), `%23${attempts}`)
    const body = heavy.body?.replace(ATTEMPT, `#${attempts}`)
    await longestTurn()
    const answer = await send(child.origin, { ...heavy, path, body }, child.key)
    return [await longestTurn(), answer]
  }

  test.each(TRANSPORTS)(
    `no request over %s keeps the event loop for more than ${BOUND_MS} ms`,
    async (transport) => {
      const slow: string[] = []
      const answers = new Set<string>()
      for (const heavy of heavyRequests(transport, operations, { count: COUNT, seed: SEED })) {
        let least = Number.POSITIVE_INFINITY
        for (let i = 0; i < ATTEMPTS && least > BOUND_MS; i++) {
          const [ms, answer] = await attempt(heavy)
          least = Math.min(least, ms)
          answers.add(answer)
        }
        if (least > BOUND_MS) slow.push(`${least} ms: ${heavy.name}, ${heavy.path.slice(0, 100)}`)
      }
      expect(slow).toEqual([])
      expect([...answers].filter((answer) => /^5\d\d$|^45|^1006|ECONNREFUSED/.test(answer))).toEqual([])
    },
    300_000,
  )
})
