import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listArticles } from '../../../src/domain/knowledge-base/articles.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
  tenant = await guddesk.newTenant()
})

afterAll(() => guddesk?.stop())

const call = (method: string, path: string, body?: unknown, key = tenant.key) =>
  guddesk.call(method, `/api/v1/articles${path}`, body, { key })
const create = (body: object, key?: string) => call('POST', '', body, key)

async function newCollection(name: string, key = tenant.key): Promise<string> {
  const query = `mutation ($input: CreateCollectionInput!) { createCollection(input: $input) {
    collection { id name description } } }`
  const { data } = await guddesk.graphql(query, { input: { name } }, { key })
  return data.createCollection.collection.id
}

describe('writing', () => {
  test('a title is enough; everything else has its default', async () => {
    const { status, data } = await create({ title: '  Übergabe & Rückgabe!  ' })
    expect([status, data]).toEqual([
      201,
      {
        id: expect.stringMatching(/^art_/),
        title: 'Übergabe & Rückgabe!',
        slug: 'ubergabe-ruckgabe',
        excerpt: null,
        collectionId: null,
        isPublished: false,
        publishedAt: null,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        body: '',
      },
    ])
    expect((await call('GET', `/${data.id}`)).data).toEqual(data)
  })

  test.each([
    ['Hello', 'hello'],
    ['--- Café au lait?! ---', 'cafe-au-lait'],
    ['ＦＡＱ ① ½', 'faq-1-1-2'],
    ['x'.repeat(200), 'x'.repeat(100)],
  ])('the slug of %j is %j', async (title, slug) => {
    const other = await guddesk.newTenant()
    expect((await create({ title }, other.key)).data.slug).toBe(slug)
  })

  test('a title without Latin letters gets the article’s id', async () => {
    const { data } = await create({ title: '退款' })
    expect(data.slug).toBe(data.id.replace('_', '-'))
  })

  test('a slug that is taken is a conflict, also one made from the title, and for one of two who race', async () => {
    await create({ title: 'Taken' })
    for (const body of [{ title: 'Taken' }, { title: 'Other', slug: 'taken' }]) {
      const { status, error } = await create(body)
      expect([status, error.code]).toEqual([409, 'conflict'])
    }
    const raced = await Promise.all(Array.from({ length: 10 }, () => create({ title: 'Raced' })))
    expect(raced.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)])
    const { data } = await create({ title: 'Third' })
    expect((await call('PATCH', `/${data.id}`, { slug: 'taken' })).status).toBe(409)
    expect((await create({ title: 'Taken' }, (await guddesk.newTenant()).key)).status).toBe(201)
  })

  test.each([
    ['no title', {}, 'title'],
    ['an empty title', { title: ' ' }, 'title'],
    ['a long title', { title: 'x'.repeat(201) }, 'title'],
    ['a bad slug', { title: 'X', slug: 'Not A Slug' }, 'slug'],
    ['a body that is no text', { title: 'X', body: 1 }, 'body'],
    ['a body that is too long', { title: 'X', body: 'x'.repeat(200_001) }, 'body'],
    ['U+0000', { title: 'X', body: 'a\u0000b' }, 'body'],
    ['an unknown collection', { title: 'X', collectionId: 'col_01k2m7q3w8e5rbt9y4x6z0c1vd' }, 'collectionId'],
    ['isPublished as text', { title: 'X', isPublished: 'yes' }, 'isPublished'],
  ])('%s is refused', async (_, body, path) => {
    const { status, error } = await create(body)
    expect([status, error.fields?.map((field) => field.path)]).toEqual([400, [path]])
  })

  test('another workspace’s collection is as good as none', async () => {
    const other = await guddesk.newTenant()
    const collectionId = await newCollection('Theirs', other.key)
    expect((await create({ title: 'Foreign', collectionId })).error.fields?.[0]?.path).toBe('collectionId')
  })

  test('publishing sets the time once, taking back clears it; a new title keeps the slug', async () => {
    const { data } = await create({ title: 'Draft', body: 'Text', isPublished: true })
    expect(data.publishedAt).toBe(data.createdAt)
    guddesk.clock.advance(60_000)
    const again = await call('PATCH', `/${data.id}`, { isPublished: true, title: 'Final' })
    expect(again.data).toMatchObject({ title: 'Final', slug: 'draft', body: 'Text', publishedAt: data.publishedAt })
    const back = await call('PATCH', `/${data.id}`, { isPublished: false })
    expect(back.data).toMatchObject({ isPublished: false, publishedAt: null })
    const later = await call('PATCH', `/${data.id}`, { isPublished: true })
    expect(Date.parse(later.data.publishedAt)).toBeGreaterThan(Date.parse(data.publishedAt))
    expect((await call('PATCH', `/${data.id}`, {})).status).toBe(400)
  })

  test('deleting needs FULL_ACCESS, and is noted in the audit log', async () => {
    const { data } = await create({ title: 'Short-lived' })
    const writer = await guddesk.newKey(tenant, 'READ_WRITE')
    expect((await call('DELETE', `/${data.id}`, undefined, writer)).status).toBe(403)
    expect((await call('DELETE', `/${data.id}`)).data).toEqual({ deleted: true })
    expect((await call('DELETE', `/${data.id}`)).status).toBe(404)
    expect((await call('GET', `/${data.id}`)).status).toBe(404)
    const entry = await guddesk.deps.db.prisma.auditEntry.findFirstOrThrow({ where: { targetId: data.id } })
    expect(entry).toMatchObject({ action: 'article.deleted', targetName: 'Short-lived' })
  })
})

describe('lists', () => {
  test('newest first, without bodies, by published, collectionId and q', async () => {
    const own = await guddesk.newTenant()
    const collectionId = await newCollection('Money', own.key)
    const made = [
      await create({ title: 'Refunds', body: 'Within 30 days, 100%', collectionId, isPublished: true }, own.key),
      await create({ title: 'Invoices', body: 'Ask_us', excerpt: 'About money', collectionId }, own.key),
      await create({ title: 'Shipping', body: 'By land', isPublished: true }, own.key),
    ].map(({ data }) => data)
    const titles = async (query: string) => {
      const { data, body } = await call('GET', query, undefined, own.key)
      expect(body.meta.total).toBe(data.length)
      for (const article of data) expect(article).not.toHaveProperty('body')
      return data.map(({ title }: { title: string }) => title)
    }
    expect(await titles('')).toEqual(['Shipping', 'Invoices', 'Refunds'])
    expect(await titles('?published=true')).toEqual(['Shipping', 'Refunds'])
    expect(await titles('?published=false')).toEqual(['Invoices'])
    expect(await titles(`?collectionId=${collectionId}&published=true`)).toEqual(['Refunds'])
    expect(await titles('?collectionId=col_01k2m7q3w8e5rbt9y4x6z0c1vd')).toEqual([])
    expect(await titles('?q=MONEY')).toEqual(['Invoices'])
    expect(await titles('?q=land')).toEqual(['Shipping'])
    expect(await titles('?q=%25')).toEqual(['Refunds'])
    expect(await titles('?q=_')).toEqual(['Invoices'])
    expect((await call('GET', '?published=maybe', undefined, own.key)).status).toBe(400)
    const first = await call('GET', '?limit=2', undefined, own.key)
    const second = await call('GET', `?limit=2&cursor=${first.body.meta.nextCursor}`, undefined, own.key)
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(made.map(({ id }) => id).reverse())
  })

  test('a visitor sees what is published only', async () => {
    const own = await guddesk.newTenant()
    await create({ title: 'Draft' }, own.key)
    await create({ title: 'Public', isPublished: true }, own.key)
    const visitor = { type: 'visitor', id: 'vis_x', name: 'V', permission: 'READ_ONLY', user: null } as const
    const actor = { ...visitor, workspaceId: own.workspaceId, role: null, origin: null }
    for (const filter of [{}, { isPublished: false }, { text: 'a' }]) {
      const { rows } = await listArticles(guddesk.deps, actor, filter, { limit: 10, cursor: null })
      expect(rows.filter(({ isPublished }) => !isPublished)).toEqual([])
    }
  })
})

describe('collections', () => {
  test('are made, changed and removed over GraphQL; their articles stay', async () => {
    const id = await newCollection('Old name')
    const { data } = await create({ title: 'Kept', collectionId: id })
    const update = `mutation ($input: UpdateCollectionInput!) { updateCollection(input: $input) {
      collection { name description } error { code } } }`
    const change = async (input: object) =>
      (await guddesk.graphql(update, { input: { collectionId: id, ...input } }, { key: tenant.key })).data
        .updateCollection
    expect(await change({ name: 'New name', description: 'About it' })).toEqual({
      collection: { name: 'New name', description: 'About it' },
      error: null,
    })
    expect(await change({ description: null })).toMatchObject({ collection: { name: 'New name', description: null } })
    expect(await change({})).toEqual({ collection: null, error: { code: 'BAD_REQUEST' } })
    const remove = `mutation ($input: DeleteCollectionInput!) { deleteCollection(input: $input) {
      deletedId error { code } } }`
    const removed = () => guddesk.graphql(remove, { input: { collectionId: id } }, { key: tenant.key })
    expect((await removed()).data.deleteCollection).toEqual({ deletedId: id, error: null })
    expect((await removed()).data.deleteCollection).toEqual({ deletedId: null, error: { code: 'NOT_FOUND' } })
    expect((await call('GET', `/${data.id}`)).data.collectionId).toBe(null)
  })

  test('one that is removed while articles are put into it leaves none behind that points to it', async () => {
    const id = await newCollection('Contested')
    const { data } = await create({ title: 'Contested' })
    const put = () => call('PATCH', `/${data.id}`, { collectionId: id })
    const remove = guddesk.graphql(
      'mutation ($input: DeleteCollectionInput!) { deleteCollection(input: $input) { error { code } } }',
      { input: { collectionId: id } },
      { key: tenant.key },
    )
    const [gone, ...answers] = await Promise.all([remove, ...Array.from({ length: 8 }, put)])
    expect(gone.data.deleteCollection).toEqual({ error: null })
    for (const { status } of answers) expect([200, 400]).toContain(status)
    expect((await call('GET', `/${data.id}`)).data.collectionId).toBe(null)
  })
})

test('articles over GraphQL: write, find with body and collection, change, remove', async () => {
  const own = await guddesk.newTenant()
  const ask = async (query: string, variables: object = {}) => {
    const { body } = await guddesk.graphql(query, variables, { key: own.key })
    expect(body.errors).toBeUndefined()
    return body.data
  }
  const collectionId = await newCollection('Money', own.key)
  const input = { title: 'Refunds', body: '# Yes', collectionId, isPublished: true }
  const { createArticle } = await ask(
    `mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { id slug body publishedAt collection { name } } } }`,
    { input },
  )
  const { article } = createArticle
  expect(article).toMatchObject({ slug: 'refunds', body: '# Yes', collection: { name: 'Money' } })
  const { articles } = await ask(`{ articles(filter: { isPublished: true, text: "yes" }) {
    totalCount edges { node { id title body } } } }`)
  expect(articles).toEqual({ totalCount: 1, edges: [{ node: { id: article.id, title: 'Refunds', body: '# Yes' } }] })
  const { updateArticle } = await ask(
    `mutation ($input: UpdateArticleInput!) { updateArticle(input: $input) {
      article { isPublished publishedAt body collection { id } } } }`,
    { input: { articleId: article.id, isPublished: false, collectionId: null } },
  )
  expect(updateArticle.article).toEqual({ isPublished: false, publishedAt: null, body: '# Yes', collection: null })
  const { deleteArticle } = await ask(
    `mutation ($input: DeleteArticleInput!) { deleteArticle(input: $input) {
      deletedId } }`,
    { input: { articleId: article.id } },
  )
  expect(deleteArticle).toEqual({ deletedId: article.id })
})

describe('include=body', () => {
  test('a list has the bodies, page by page, and one of another workspace’s has none of them', async () => {
    const one = await guddesk.newTenant()
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      made.unshift((await create({ title: `Text ${i}`, body: `Body ${i}` }, one.key)).data.id)
    }
    const first = await call('GET', '?include=body&limit=3', undefined, one.key)
    expect(first.data.map(({ body }: { body: string }) => body)).toEqual(['Body 4', 'Body 3', 'Body 2'])
    const [article] = first.data
    expect((await call('GET', `/${article.id}`, undefined, one.key)).data).toEqual(article)
    const { nextCursor } = first.body.meta
    const rest = await call('GET', `?include=body&limit=3&cursor=${nextCursor}`, undefined, one.key)
    expect([...first.data, ...rest.data].map(({ id }: { id: string }) => id)).toEqual(made)
    expect(rest.body.meta).toMatchObject({ nextCursor: null, total: 5 })
    const other = await guddesk.newTenant()
    expect((await call('GET', '?include=body', undefined, other.key)).data).toEqual([])
    const plain = await call('GET', '', undefined, one.key)
    expect(plain.data[0]).not.toHaveProperty('body')
  })

  test('a page ends at 2 MiB, and none is empty while there is more', async () => {
    const one = await guddesk.newTenant()
    for (let i = 0; i < 7; i++) {
      const answer = await create({ title: `Long ${i}`, body: '\n\u{1f600}'.repeat(99_999) + i }, one.key)
      expect(answer.status).toBe(201)
    }
    const seen: string[] = []
    let cursor = ''
    let pages = 0
    do {
      const answer = await call('GET', `?include=body&limit=100${cursor}`, undefined, one.key)
      expect(answer.data.length).toBeGreaterThan(0)
      expect(Buffer.byteLength(JSON.stringify(answer.body))).toBeLessThan(2.1 * 2 ** 20)
      seen.push(...answer.data.map(({ body }: { body: string }) => body.at(-1) ?? ''))
      cursor = answer.body.meta.nextCursor === null ? '' : `&cursor=${answer.body.meta.nextCursor}`
      pages += 1
    } while (cursor !== '')
    expect(seen).toEqual(['6', '5', '4', '3', '2', '1', '0'])
    expect(pages).toBeLessThanOrEqual(4)
  })

  test('anything else is refused by name', async () => {
    const answer = await call('GET', '?include=author')
    expect([answer.status, answer.error.fields?.[0]?.path]).toEqual([400, 'include'])
  })
})
