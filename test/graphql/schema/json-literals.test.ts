import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

/** What is stored of a literal with variables in it. */
async function stored(literal: string, variables: object = {}): Promise<unknown> {
  const visitorId = await guddesk.newVisitor()
  const query = `mutation ($a: String, $b: Int, $constructor: String) {
    updateVisitor(input: { visitorId: "${visitorId}", metadata: ${literal} }) {
      visitor { metadata }
      error { code }
    }
  }`
  const { body } = await guddesk.graphql(query, variables)
  expect(body.errors).toBeUndefined()
  return body.data.updateVisitor.visitor.metadata
}

const LITERAL = '{ list: [$a, $b], field: $a, deep: { in: [{ field: $b }] }, own: [$constructor] }'

test('a variable that is left out of a JSON literal leaves out its field, and makes an item null', async () => {
  expect(await stored(LITERAL)).toEqual({ list: [null, null], deep: { in: [{}] }, own: [null] })
})

test('one that is null or has a value is what it is', async () => {
  expect(await stored(LITERAL, { a: null, b: 7, constructor: 'x' })).toEqual({
    list: [null, 7],
    field: null,
    deep: { in: [{ field: 7 }] },
    own: ['x'],
  })
})
