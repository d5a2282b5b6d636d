import { parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { measure } from '../../../src/graphql/cost.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { UNKNOWN } from '../../support/contract/unknown.ts'
import { graphql, payload, type VariablesOf } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Digest, openDigest } from '../../support/rows/digest.ts'

let guddesk: TestGudDesk
let digest: Digest
let other: Tenant

beforeAll(async () => {
  // Without a dispatcher nothing but these requests writes.
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  digest = await openDigest(guddesk.deps.db)
  other = await guddesk.newTenant()
})

afterAll(() => guddesk?.stop())

const UPDATE = graphql(`mutation ($input: UpdateConversationsInput!) { updateConversations(input: $input) {
  results {
    conversationId
    conversation { id status priority tags }
    error { code message fields { path code message } retryAfterSeconds }
  }
  error { code message fields { path code message } }
} }`)

const ADD = graphql(`mutation ($input: AddTagsInput!) { addTags(input: $input) {
  results { conversationId conversation { tags } error { code fields { path message } } }
  error { code fields { path code message } }
} }`)

const REMOVE = graphql(`mutation ($input: RemoveTagsInput!) { removeTags(input: $input) {
  results { conversationId conversation { tags } error { code } }
  error { code fields { path code message } }
} }`)

type Update = VariablesOf<typeof UPDATE>['input']
type TagChange = VariablesOf<typeof ADD>['input']

const update = async (input: Update) => payload((await guddesk.query(UPDATE, { input })).updateConversations).results
const add = async (input: TagChange) => payload((await guddesk.query(ADD, { input })).addTags).results
const remove = async (input: TagChange) => payload((await guddesk.query(REMOVE, { input })).removeTags).results

const NOT_FOUND = { code: 'NOT_FOUND', message: 'Conversation not found', fields: [], retryAfterSeconds: null }

async function conversations(count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => guddesk.newConversation()))
}

const tagsOf = async (id: string) => (await guddesk.call('GET', `/api/v1/conversations/${id}`)).data.tags
const eventsOf = async (conversationId: string) => {
  const events = await guddesk.deps.db.prisma.event.findMany({ where: { conversationId }, orderBy: { seq: 'asc' } })
  return events.map(({ type, body }) => ({ type, data: JSON.parse(body).data }))
}

/** A call that is refused as a whole: its error, and whether nothing was written. */
async function refused(query: string, input: object, key = guddesk.tenant.key) {
  const before = await digest()
  const { body } = await guddesk.graphql(query, { input }, { key })
  expect(body.errors).toBeUndefined()
  expect(await digest()).toBe(before)
  const [value] = Object.values<{ results: unknown; error: object }>(body.data)
  expect(value?.results).toBeNull()
  return value?.error
}

describe('updateConversations', () => {
  test('changes each as updateConversation does, with the same events', async () => {
    const ids = await conversations(3)
    const results = await update({ ids, status: 'CLOSED', priority: 2, addTags: ['refund'] })
    expect(results).toEqual(
      ids.map((id) => ({
        conversationId: id,
        conversation: { id, status: 'CLOSED', priority: 2, tags: ['refund'] },
        error: null,
      })),
    )
    const single = await guddesk.newConversation()
    await guddesk.call('PATCH', `/api/v1/conversations/${single}`, {
      status: 'CLOSED',
      priority: 2,
      addTags: ['refund'],
    })
    const seen = (events: Awaited<ReturnType<typeof eventsOf>>) =>
      events.map(({ type, data }) => [type, { ...data, conversationId: '', closedAt: '', visitorId: '' }])
    const [conversation, ...expected] = seen(await eventsOf(single))
    expect(conversation?.[0]).toBe('conversation.created')
    expect(expected.length).toBe(2)
    for (const id of ids) expect(seen(await eventsOf(id)).slice(1)).toEqual(expected)
  })

  test('refuses some and changes the others', async () => {
    const [full = '', free = ''] = await conversations(2)
    const theirs = await guddesk.newConversation(other)
    const many = Array.from({ length: 50 }, (_, i) => `tag ${i}`)
    await guddesk.call('PATCH', `/api/v1/conversations/${full}`, { tags: many })
    const ids = [UNKNOWN.conversation, full, theirs, free, '', 'x'.repeat(1000), '\u0000', UNKNOWN.visitor]
    const results = await update({ ids, addTags: ['one more'], priority: 3 })
    expect(results.map(({ conversationId }) => conversationId)).toEqual(ids)
    const [, refusedOne, , changed] = results
    expect(refusedOne).toMatchObject({
      conversation: null,
      error: { code: 'BAD_REQUEST', fields: [{ path: ['addTags'] }] },
    })
    expect(changed).toMatchObject({ conversation: { id: free, priority: 3, tags: ['one more'] }, error: null })
    for (const result of results.filter(({ conversationId }) => conversationId !== full && conversationId !== free)) {
      expect(result).toMatchObject({ conversation: null, error: NOT_FOUND })
    }
    // One that was refused is as it was, in whatever the call would have changed.
    const { data } = await guddesk.call('GET', `/api/v1/conversations/${full}`)
    expect(data).toMatchObject({ priority: 0, tags: many })
    const { data: foreign } = await guddesk.call('GET', `/api/v1/conversations/${theirs}`, undefined, {
      key: other.key,
    })
    expect(foreign).toMatchObject({ priority: 0, tags: [] })
  })

  test('an id that is named again counts once', async () => {
    const [one = '', two = ''] = await conversations(2)
    const results = await update({ ids: [two, one, two, two], priority: 1 })
    expect(results.map(({ conversationId }) => conversationId)).toEqual([two, one])
    expect((await eventsOf(two)).filter(({ type }) => type === 'conversation.updated')).toHaveLength(1)
  })

  test('of no ids changes nothing, and still refuses what no conversation can have', async () => {
    expect(await update({ ids: [], priority: 1 })).toEqual([])
    expect(await refused(UPDATE, { ids: [], priority: 9 })).toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('takes 100 ids, and refuses more as a whole', async () => {
    const id = await guddesk.newConversation()
    const hundred = [id, ...Array.from({ length: 99 }, (_, i) => `conv_${String(i).padStart(26, '0')}`)]
    const query = `mutation ($input: UpdateConversationsInput!) { updateConversations(input: $input) {
      results { conversation { priority } error { code } } error { code fields { path message } } } }`
    const { body } = await guddesk.graphql(query, { input: { ids: hundred, priority: 1 } })
    expect(body.data.updateConversations.results).toHaveLength(100)
    expect(body.data.updateConversations.results[0].conversation).toEqual({ priority: 1 })
    expect(await refused(query, { ids: [...hundred, id], priority: 2 })).toEqual({
      code: 'BAD_REQUEST',
      fields: [{ path: ['ids'], message: 'must have at most 100 ids' }],
    })
  })

  test.each([
    ['nothing to change', {}, []],
    ['a bad value', { priority: 4 }, ['priority']],
    ['tags twice', { tags: ['a'], addTags: ['b'] }, ['tags']],
    ['null for what has a value', { status: null }, ['status']],
  ])('%s is refused once, for all of them', async (_what, changes, path) => {
    const ids = await conversations(2)
    expect(await refused(UPDATE, { ids, ...changes })).toMatchObject({ code: 'BAD_REQUEST', fields: [{ path }] })
  })

  test('a member of another workspace is refused for each', async () => {
    const ids = await conversations(2)
    const results = await update({ ids, assigneeId: other.memberId })
    for (const { error } of results)
      expect(error).toMatchObject({ code: 'BAD_REQUEST', fields: [{ path: ['assigneeId'] }] })
  })
})

test.each([
  ['updateConversations', UPDATE, (ids: string[]) => ({ ids, priority: 1 })],
  ['addTags', ADD, (conversationIds: string[]) => ({ conversationIds, tags: ['a'] })],
  ['removeTags', REMOVE, (conversationIds: string[]) => ({ conversationIds, tags: ['a'] })],
])('%s is refused as a whole to who may only read', async (_name, query, input) => {
  const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  expect(await refused(query, input(await conversations(1)), key)).toMatchObject({ code: 'FORBIDDEN' })
})

describe('addTags and removeTags', () => {
  test('leave all other tags as they are, and do nothing a second time', async () => {
    const ids = await conversations(2)
    await guddesk.call('PATCH', `/api/v1/conversations/${ids[0]}`, { tags: ['vip', 'late'] })
    const added = await add({ conversationIds: ids, tags: ['refund', 'late', 'refund'] })
    expect(added.map(({ conversation }) => conversation?.tags)).toEqual([
      ['vip', 'late', 'refund'],
      ['refund', 'late'],
    ])
    const events = await eventsOf(ids[0] ?? '')
    expect(await add({ conversationIds: ids, tags: ['refund', 'late'] })).toEqual(added)
    expect(await eventsOf(ids[0] ?? '')).toEqual(events)
    expect(events.at(-1)).toMatchObject({ type: 'conversation.updated', data: { changed: ['tags'] } })
    const removed = await remove({ conversationIds: ids, tags: ['late', 'unheard of'] })
    expect(removed.map(({ conversation }) => conversation?.tags)).toEqual([['vip', 'refund'], ['refund']])
  })

  test('of many people at once are all kept', async () => {
    const ids = await conversations(3)
    await add({ conversationIds: ids, tags: ['old'] })
    const tags = Array.from({ length: 12 }, (_, i) => `tag ${i}`)
    await Promise.all([
      ...tags.map((tag, i) => add({ conversationIds: i % 2 === 0 ? ids : ids.toReversed(), tags: [tag] })),
      remove({ conversationIds: ids, tags: ['old'] }),
    ])
    for (const id of ids) expect((await tagsOf(id)).toSorted()).toEqual(tags.toSorted())
  })

  test('have the limits of a conversation’s tags', async () => {
    const [id = ''] = await conversations(1)
    await add({ conversationIds: [id], tags: Array.from({ length: 49 }, (_, i) => `tag ${i}`) })
    const [result] = await add({ conversationIds: [id], tags: ['a', 'b'] })
    expect(result?.error).toEqual({
      code: 'BAD_REQUEST',
      fields: [{ path: ['tags'], message: 'must have at most 50 tags' }],
    })
    expect(await tagsOf(id)).toHaveLength(49)
    for (const tags of [['x'.repeat(51)], [' '], Array.from({ length: 51 }, (_, i) => `t${i}`)]) {
      const input = { conversationIds: [id], tags }
      expect(await refused(ADD, input)).toMatchObject({ code: 'BAD_REQUEST' })
      expect(await refused(REMOVE, input)).toMatchObject({ code: 'BAD_REQUEST' })
    }
    const tooMany = Array.from({ length: 101 }, () => id)
    const path = ['conversationIds']
    expect(await refused(ADD, { conversationIds: tooMany.slice(0, 101), tags: ['a'] })).toMatchObject({
      fields: [{ path }],
    })
  })
})

describe('cost', () => {
  const costOf = (text: string, variables: object = {}) => {
    const document = parse(text)
    const [operation] = document.definitions
    if (operation?.kind !== 'OperationDefinition') throw new Error('not an operation')
    return measure(schema, document, operation, { ...variables }).complexity
  }
  const ids = Array.from({ length: 100 }, () => 'x')
  const fields = '{ results { conversationId conversation { id } error { code } } error { code } }'

  test('is 10 points for each conversation, besides the fields of its result', () => {
    // The field, 10 for each id, `results`, and 5 fields for each; `error` and its code.
    const expected = 1 + 100 * 10 + (1 + 100 * 5) + 2
    const written = ids.map((id) => `"${id}"`).join(', ')
    expect(costOf(`mutation { updateConversations(input: { ids: [${written}], priority: 1 }) ${fields} }`)).toBe(
      expected,
    )
    const variable = `mutation ($input: UpdateConversationsInput!) { updateConversations(input: $input) ${fields} }`
    expect(costOf(variable, { input: { ids } })).toBe(expected)
    const inner = `mutation ($ids: [ID!]!) { addTags(input: { conversationIds: $ids, tags: [] }) ${fields} }`
    expect(costOf(inner, { ids })).toBe(expected)
    const spread = `mutation ($input: AddTagsInput!) { addTags(input: $input) { ...F } } fragment F on AddTagsPayload ${fields}`
    expect(costOf(spread, { input: { conversationIds: ids } })).toBe(expected)
    expect(costOf(spread, { input: { conversationIds: ['x'] } })).toBe(1 + 10 + (1 + 5) + 2)
  })

  test('of 100 with every field of the errors is within the limit', () => {
    const all = 'error { code message fields { path code message } retryAfterSeconds }'
    const query = `mutation ($input: AddTagsInput!) { addTags(input: $input) { results { conversationId conversation { id } ${all} } } }`
    expect(costOf(query, { input: { conversationIds: ids } })).toBeLessThanOrEqual(5000)
  })

  test('of anything else is as before', () => {
    const one = 'mutation { updateConversation(input: { conversationId: "x", priority: 1 }) { conversation { id } } }'
    expect(costOf(one)).toBe(3)
  })
})
