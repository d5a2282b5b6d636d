import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { census, ok, TIME } from '../objects.ts'
import { idsOf } from '../walk.ts'

const PATH = '/api/v1/customers'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

const post = (body: object) => guddesk.call('POST', PATH, body)
const patch = (id: string, body: object) => guddesk.call('PATCH', `${PATH}/${id}`, body)
const read = async (id: string) => (await ok(guddesk.call('GET', `${PATH}/${id}`))).data

describe('creating', () => {
  test('with everything', async () => {
    const given = {
      externalId: 'crm-1',
      name: 'Carla',
      email: 'carla@example.com',
      avatarUrl: 'https://example.com/c.png',
      metadata: { plan: 'gold', seats: [1, { deep: null }] },
    }
    const { status, data } = await post(given)
    expect(status).toBe(201)
    expect(data).toMatchObject({
      id: expect.stringMatching(/^vis_/),
      ...given,
      createdAt: expect.stringMatching(TIME),
      updatedAt: expect.stringMatching(TIME),
    })
    expect(await read(data.id)).toEqual({ ...data, conversations: [] })
  })

  test.each([{ name: 'Only' }, { email: 'only@example.com' }, { externalId: 'only-1' }])(
    'with %o alone',
    async (body) => {
      const { status, data } = await post(body)
      expect(status).toBe(201)
      expect(data).toMatchObject(body)
    },
  )

  test('needs one of name, email, externalId', async () => {
    const before = await census(guddesk)
    const bodies = [{}, { metadata: { a: 1 } }, { avatarUrl: 'https://example.com/x.png' }, { nonsense: 1 }]
    for (const body of [...bodies, { name: null, email: null, externalId: null }, { name: '  ' }]) {
      const { status, error } = await post(body)
      expect([body, status, error?.code]).toEqual([body, 400, 'bad_request'])
    }
    expect(await census(guddesk)).toEqual(before)
  })

  test('without externalId always makes another one', async () => {
    const body = { name: 'Twin', email: 'twin@example.com' }
    const [a, b] = [await post(body), await post(body)]
    expect([a.status, b.status]).toEqual([201, 201])
    expect(a.data.id).not.toBe(b.data.id)
  })
})

describe('upserting by externalId', () => {
  test('updates what is named, with 200, and keeps the rest', async () => {
    const first = await post({ externalId: 'up-1', name: 'Before', email: 'up@example.com', metadata: { a: 1 } })
    guddesk.clock.advance(1000)
    const second = await post({ externalId: 'up-1', name: 'After' })
    expect([first.status, second.status]).toEqual([201, 200])
    const { updatedAt, ...rest } = first.data
    expect(second.data).toEqual({ ...rest, name: 'After', updatedAt: expect.stringMatching(TIME) })
    expect(second.data.updatedAt > updatedAt).toBe(true)
    expect((await post({ externalId: 'up-1' })).data).toMatchObject({ id: first.data.id, name: 'After' })
  })

  test('keeps to its own workspace', async () => {
    const other = await guddesk.newTenant()
    const mine = await post({ externalId: 'same', name: 'Mine' })
    const theirs = await guddesk.call('POST', PATH, { externalId: 'same', name: 'Theirs' }, { key: other.key })
    expect([mine.status, theirs.status]).toEqual([201, 201])
    expect((await read(mine.data.id)).name).toBe('Mine')
  })

  test('20 at once make one customer: one 201, nineteen 200', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => post({ externalId: 'raced', name: `Racer ${i}` })),
    )
    expect(new Set(answers.map(({ data }) => data.id)).size).toBe(1)
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 19 }, () => 200), 201])
  })
})

describe('reading', () => {
  test('one, with the 10 latest conversations', async () => {
    const { data: customer } = await post({ name: 'Talkative' })
    const ids: string[] = []
    for (let i = 0; i < 12; i++) {
      guddesk.clock.advance(1000)
      const { data } = await ok(guddesk.call('POST', '/api/v1/conversations', { visitorId: customer.id }))
      ids.unshift(data.id)
    }
    const { conversations } = await read(customer.id)
    expect(idsOf(conversations)).toEqual(ids.slice(0, 10))
    expect(conversations[0]).toMatchObject({ status: 'OPEN', messageCount: 0, createdAt: expect.stringMatching(TIME) })
    guddesk.clock.advance(1000)
    await ok(guddesk.call('POST', `/api/v1/conversations/${ids[11]}/messages`, { body: 'Bump' }))
    expect(idsOf((await read(customer.id)).conversations)).toEqual([ids[11], ...ids.slice(0, 9)])
  })

  test('the list by email', async () => {
    const { data } = await post({ email: 'findme@example.com' })
    await post({ email: 'xfindme@example.com' })
    const find = (email: string) => guddesk.call('GET', `${PATH}?${new URLSearchParams({ email })}`)
    const found = await find('findme@example.com')
    expect(idsOf(found.data)).toEqual([data.id])
    expect(found.body.meta.total).toBe(1)
    expect((await find('nobody@example.com')).data).toEqual([])
    expect((await find('not an address')).status).toBe(400)
    expect((await find('\u0000@example.com')).status).toBe(400)
  })

  test('an unknown one is 404', async () => {
    for (const id of [newId('visitor'), newId('conversation'), 'me', 'vis_']) {
      for (const answer of [await guddesk.call('GET', `${PATH}/${id}`), await patch(id, { name: 'X' })]) {
        expect([id, answer.status, answer.error.message]).toEqual([id, 404, 'Customer not found'])
      }
    }
  })
})

describe('an email address of any script', () => {
  test.each([
    ['Jürgen@Example.com', 'jürgen@example.com'],
    ['ju\u0308rgen@example.com', 'jürgen@example.com'],
    ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
    ['info@Bücher.example', 'info@xn--bcher-kva.example'],
    ['info@xn--bcher-kva.example', 'info@xn--bcher-kva.example'],
    ['उपयोगकर्ता@उदाहरण.कॉम', 'उपयोगकर्ता@xn--p1b6ci4b4b3a.xn--11b4c3d'],
    ["o'hara+tag@sub.example.com", "o'hara+tag@sub.example.com"],
  ])('%s is kept as %s, and found by both', async (given, kept) => {
    const { status, data } = await post({ email: given })
    expect([status, data.email]).toEqual([201, kept])
    for (const email of [given, kept]) {
      const found = await guddesk.call('GET', `${PATH}?${new URLSearchParams({ email })}`)
      expect(idsOf(found.data)).toContain(data.id)
    }
    expect((await patch(data.id, { email: given })).data.email).toBe(kept)
  })

  test.each([
    'jürgen',
    'jürgen@',
    '@bücher.example',
    'jür gen@example.com',
    'jür\u00a0gen@example.com',
    'jür\u200bgen@example.com',
    'a@b@bücher.example',
    'info@bücher',
    'info@bü%63her.example',
    'info@bücher.example/x',
    'info@127.0.0.1',
    'info@bücher..example',
    '.jürgen@example.com',
    `jürgen@${'ü'.repeat(300)}.example`,
  ])('%s is none', async (email) => {
    const { status, error } = await post({ email })
    expect([status, error?.fields?.map(({ path }) => path)]).toEqual([400, ['email']])
  })
})

describe('changing', () => {
  test('what is named changes, the rest stays, null clears', async () => {
    const { data: before } = await post({ externalId: 'ch-1', name: 'Chris', email: 'chris@example.com' })
    const { status, data } = await patch(before.id, { name: 'Christine', metadata: { vip: true } })
    expect(status).toBe(200)
    const changed = { name: 'Christine', metadata: { vip: true }, updatedAt: expect.stringMatching(TIME) }
    expect(data).toEqual({ ...before, ...changed })
    expect((await patch(before.id, { email: null })).data).toMatchObject({ email: null, name: 'Christine' })
    expect(await read(before.id)).toMatchObject({ email: null, name: 'Christine', externalId: 'ch-1' })
  })

  test('nothing known in it is 400', async () => {
    const { data } = await post({ name: 'Still' })
    for (const body of [{}, { nonsense: 1 }, { id: 'vis_x', createdAt: '2020-01-01T00:00:00.000Z' }]) {
      expect((await patch(data.id, body)).status).toBe(400)
    }
    expect(await read(data.id)).toEqual({ ...data, conversations: [] })
  })

  test('to an externalId that another customer has is 409, which names that customer', async () => {
    const { data: holder } = await post({ externalId: 'taken' })
    const { data } = await post({ externalId: 'free' })
    const { status, error } = await patch(data.id, { externalId: 'taken' })
    expect([status, error.code]).toEqual([409, 'conflict'])
    expect(error.message).toContain(holder.id)
    expect((await read(data.id)).externalId).toBe('free')
  })
})
