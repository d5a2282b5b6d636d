import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { routes } from '../../../src/rest/app.ts'
import { expectDocumented } from '../../support/contract/openapi.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ROUTES } from '../contract-routes.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
const document: any = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'))

test('is served as it is committed, without a key', async () => {
  const { status, headers, body } = await guddesk.call('GET', '/api/openapi.json', undefined, { key: null })
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  expect(body).toEqual(document)
})

test('has every route of the contract, and no other', () => {
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  )
  expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
  for (const { name } of ROUTES) expect(documented).toContain(name)
})

test('names each operation once, and refers to nothing that is not there', () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods as object))
  const names = operations.map(({ operationId }) => operationId)
  expect(new Set(names).size).toBe(routes.length)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, pointer = '']) => pointer)
  expect(references.length).toBeGreaterThan(50)
  for (const pointer of references) {
    // biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
    const found = pointer.split('/').reduce<any>((at, key) => at?.[key.replaceAll('~1', '/')], document)
    expect([pointer, typeof found]).toEqual([pointer, 'object'])
  }
})

test('its schemas are JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ strict: false })
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    expect([name, ajv.validateSchema(schema as object)]).toEqual([name, true])
  }
})

test('request bodies that the contract shows fit it', () => {
  const install = document.paths['/v1/agents'].post.requestBody.content['application/json'].schema
  const ajv = new Ajv2020({ strict: false })
  const validate = ajv.compile(install)
  expect(validate({ name: 'RefundBot', webhookUrl: 'https://your-agent.com/webhook' })).toBe(true)
  expect(validate({ name: 'RefundBot' })).toBe(false)
  expect(validate({ name: 'x'.repeat(101), webhookUrl: 'https://your-agent.com/webhook' })).toBe(false)
})

test('the check of every answer in these tests finds what is missing, and what is too much', () => {
  const workspace = { id: `ws_${'0'.repeat(26)}`, name: 'A', slug: 'a', plan: 'PRO' }
  const times = { createdAt: '2026-01-15T10:30:00.000Z', updatedAt: '2026-01-15T10:30:00.000Z' }
  const meta = { perPage: 25, total: 1, nextCursor: null, cursor: null }
  const answer = (row: object) => () => expectDocumented('GET', '/api/v1/workspaces', 200, { data: [row], meta })
  expect(answer({ ...workspace, ...times })).not.toThrow()
  expect(answer(workspace)).toThrow(/createdAt/)
  expect(answer({ ...workspace, ...times, createdAt: 'yesterday' })).toThrow(/date-time/)
  expect(answer({ ...workspace, ...times, secret: 'x' })).toThrow(/additional/)
  expect(() => expectDocumented('GET', '/api/v1/workspaces', 400, { error: { code: 'oops' } })).toThrow(/message/)
})
