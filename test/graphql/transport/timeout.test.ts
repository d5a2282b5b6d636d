import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSchema, createYoga } from 'graphql-yoga'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compiledQueries } from '../../../src/graphql/fast-path/compiled-queries.ts'
import { executionTimeout } from '../../../src/graphql/plugins.ts'
import { until } from '../../support/until.ts'

describe('an operation that takes too long', () => {
  const started: string[] = []
  const aborted: unknown[] = []
  let server: Server

  /** A field that never ends. */
  const hang = (name: string) => (_root: unknown, _args: unknown, _context: unknown, info: object) => {
    started.push(name)
    const { signal } = info as { signal: AbortSignal }
    signal.addEventListener('abort', () => aborted.push(signal.reason))
    return new Promise(() => undefined)
  }

  beforeAll(async () => {
    const typeDefs = 'type Query { quick: Int slow: Int } type Mutation { first: Int second: Int }'
    const resolvers = {
      Query: { quick: () => 1, slow: hang('slow') },
      Mutation: { first: hang('first'), second: hang('second') },
    }
    const schema = createSchema({ typeDefs, resolvers })
    const yoga = createYoga({
      schema,
      plugins: [compiledQueries(() => undefined), executionTimeout(100)],
      logging: false,
    })
    server = createServer((req, res) => void yoga(req, res))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })

  afterAll(() => server?.close())

  async function ask(query: string) {
    const headers = { 'content-type': 'application/json' }
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
    return { status: response.status, body: await response.json() }
  }

  test.each(['{ quick slow }', 'mutation { first second }'])('%s ends with 503', async (query) => {
    started.length = 0
    aborted.length = 0
    const { status, body } = await ask(query)
    expect(status).toBe(503)
    expect(body).toEqual({
      errors: [{ message: expect.stringContaining('longer than 0.1 s'), extensions: { code: 'timeout' } }],
    })
    await until(() => aborted.length > 0)
    expect(started).toHaveLength(1)
    expect(aborted).toMatchObject([{ extensions: { code: 'timeout' } }])
  })

  test('one that is quick enough is answered', async () => {
    expect(await ask('{ quick }')).toEqual({ status: 200, body: { data: { quick: 1 } } })
  })

  test('one that comes again and again, and is compiled, ends with 503 too', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => ask('{ quick again: slow }')))
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 503))
    expect(await ask('{ quick again: slow }')).toMatchObject({
      body: { errors: [{ extensions: { code: 'timeout' } }] },
    })
  })
})
