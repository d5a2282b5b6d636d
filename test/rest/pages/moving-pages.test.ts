import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { nextUrl, ok } from '../objects.ts'
import { idsOf, walk } from '../walk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  // Writers make endpoints for as long as a walk takes.
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

/** How often each of `ids` stands in `seen`: once, if the walk neither skipped nor repeated. */
function occurrences(ids: readonly string[], seen: readonly string[]): number[] {
  const counts = new Map<string, number>()
  for (const id of seen) counts.set(id, (counts.get(id) ?? 0) + 1)
  return ids.map((id) => counts.get(id) ?? 0)
}

const once = (ids: readonly string[]) => ids.map(() => 1)

/** Keeps three writers busy until `work` is done. */
async function whileWriting<T>(write: (i: number) => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  let isDone = false
  let written = 0
  const writers = Array.from({ length: 3 }, async () => {
    while (!isDone) await write(written++)
  })
  try {
    return await work()
  } finally {
    isDone = true
    await Promise.all(writers)
    expect(written).toBeGreaterThan(3)
  }
}

describe('conversations, while messages reorder them', () => {
  let ids: string[]

  beforeAll(async () => {
    ids = await Promise.all(
      Array.from({ length: 40 }, (_, i) => guddesk.newConversation(guddesk.tenant, i % 3 === 0 ? undefined : 'Hello')),
    )
  })

  const say = (id: string | undefined, type = 'AGENT') =>
    ok(guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'Bump', type }))

  test.each([1, 3, 7, 25])('pages of %i, writers at work all the time', async (limit) => {
    const write = async (i: number) => {
      await say(ids[(i * 17) % ids.length], i % 5 === 0 ? 'NOTE' : 'AGENT')
      if (i % 8 === 0) await guddesk.newConversation(guddesk.tenant, 'New')
    }
    const seen = await whileWriting(write, () => walk(guddesk, '/api/v1/conversations', { limit }))
    expect(occurrences(ids, idsOf(seen))).toEqual(once(ids))
    expect(new Set(idsOf(seen)).size).toBe(seen.length)
  })

  test('the rows that are still to come jump to the top, and those seen stay there', async () => {
    const before = idsOf(await walk(guddesk, '/api/v1/conversations', { limit: 100 }))
    const seen = await walk(guddesk, '/api/v1/conversations', {
      limit: 4,
      between: async (rows) => {
        const unseen = before.filter((id) => !idsOf(rows).includes(id))
        await say(unseen[0])
        await say(unseen.at(-1))
        await say(rows.at(-1)?.id)
      },
    })
    expect(idsOf(seen)).toEqual(before)
  })

  test('two walks that began at different times each see their own order', async () => {
    const path = '/api/v1/conversations?limit=5'
    const orderA = idsOf(await walk(guddesk, '/api/v1/conversations', { limit: 100 }))
    const a = await guddesk.call('GET', path)
    await say(orderA.at(-1))
    const orderB = idsOf(await walk(guddesk, '/api/v1/conversations', { limit: 100 }))
    const b = await guddesk.call('GET', path)
    await say(orderA[10])
    const next = async (cursor: string) => idsOf((await guddesk.call('GET', `${path}&cursor=${cursor}`)).data)
    expect(await next(a.body.meta.nextCursor)).toEqual(orderA.slice(5, 10))
    expect(await next(b.body.meta.nextCursor)).toEqual(orderB.slice(5, 10))
  })

  test('many walkers at once', async () => {
    const write = (i: number) => say(ids[(i * 7) % ids.length])
    const walks = await whileWriting(write, () =>
      Promise.all([2, 3, 5, 8].map((limit) => walk(guddesk, '/api/v1/conversations', { limit }))),
    )
    for (const seen of walks) expect(occurrences(ids, idsOf(seen))).toEqual(once(ids))
  })
})

describe('other lists, while rows are added', () => {
  const create = {
    customers: {
      path: '/api/v1/customers',
      body: (i: number) => ({ name: `Customer ${i}` }),
    },
    agents: {
      path: '/api/v1/agents',
      body: (i: number) => ({ name: `Agent ${i}`, webhookUrl: nextUrl() }),
    },
    'webhook endpoints': {
      path: '/api/agent/webhooks',
      body: () => ({ url: nextUrl() }),
    },
  }

  test.each(Object.entries(create))('%s', async (_, { path, body }) => {
    const { key } = await guddesk.newTenant()
    const add = (i: number) => ok(guddesk.call('POST', path, body(i), { key }))
    for (let i = 0; i < 15; i++) await add(i)
    const before = idsOf(await walk(guddesk, path, { key, limit: 100 }))
    for (const limit of [1, 4]) {
      const seen = await whileWriting(add, () => walk(guddesk, path, { key, limit }))
      expect(occurrences(before, idsOf(seen))).toEqual(once(before))
      expect(new Set(idsOf(seen)).size).toBe(seen.length)
    }
  })

  // In workspaces of their own: the tests above leave hundreds of endpoints, and each message would go to all of them.
  test('messages keep their order and new ones come at the end', async () => {
    const tenant = await guddesk.newTenant()
    const { key } = tenant
    const id = await guddesk.newConversation(tenant, 'First')
    const path = `/api/v1/conversations/${id}/messages`
    const add = (i: number) => ok(guddesk.call('POST', path, { body: `Message ${i}`, type: 'AGENT' }, { key }))
    for (let i = 0; i < 15; i++) await add(i)
    const before = idsOf(await walk(guddesk, path, { key, limit: 100 }))
    let added = 0
    const seen = await walk(guddesk, path, {
      key,
      limit: 3,
      between: async () => {
        if (added++ < 4) await add(added)
      },
    })
    expect(idsOf(seen).slice(0, before.length)).toEqual(before)
    expect(new Set(idsOf(seen)).size).toBe(seen.length)
    expect(seen).toHaveLength(20)
  })

  test('deleting the row that a cursor names loses nothing', async () => {
    const { key } = await guddesk.newTenant()
    const path = '/api/agent/webhooks'
    for (let i = 0; i < 15; i++) await ok(guddesk.call('POST', path, { url: nextUrl() }, { key }))
    const before = idsOf(await walk(guddesk, path, { key, limit: 100 }))
    expect(before).toHaveLength(15)
    const seen = await walk(guddesk, path, {
      key,
      limit: 1,
      between: async (rows) => {
        if (rows.length === 1) await ok(guddesk.call('DELETE', path, { endpointId: before[0] }, { key }))
      },
    })
    expect(idsOf(seen)).toEqual(before)
  })
})
