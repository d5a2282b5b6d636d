import { buildSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { request } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk

afterEach(() => guddesk.stop())

test('the schema is a file for tools, without a credential, and again only when it has changed', async () => {
  guddesk = await startGudDesk()
  const url = `${guddesk.origin}/graphql/schema.graphql`
  const response = await fetch(url)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  const text = await response.text()
  expect(printSchema(lexicographicSortSchema(buildSchema(text)))).toBe(printSchema(lexicographicSortSchema(schema)))

  // Not by fetch, which adds that it wants the whole.
  const again = await request(url, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } })
  expect(again.statusCode).toBe(304)
  expect(await again.body.text()).toBe('')
  const head = await fetch(url, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
  expect((await fetch(url, { method: 'POST' })).status).toBe(404)
})

test('where introspection is off, nobody gets the schema', async () => {
  guddesk = await startGudDesk({ env: { GRAPHQL_INTROSPECTION: 'off' } })
  const response = await fetch(`${guddesk.origin}/graphql/schema.graphql`)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
})
