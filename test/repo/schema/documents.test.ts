import { expect, expectTypeOf, test } from 'vitest'
import { graphql, payload, type ResultOf, type VariablesOf } from '../../support/graphql.ts'

// What the types say is checked by `npm run typecheck`: a line here that should be an error and is none fails there.

const CONVERSATION = graphql(`query ($id: ID!) { conversation(id: $id) { id status createdAt metadata } }`)
const CLOSE = graphql(`mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) {
  conversation { id } error { code }
} }`)

test('a document is its text, with the types of its result and variables', () => {
  expect(CONVERSATION).toMatch(/^query/)
  expectTypeOf<NonNullable<ResultOf<typeof CONVERSATION>['conversation']>>().toEqualTypeOf<{
    readonly id: string
    readonly status: 'OPEN' | 'SNOOZED' | 'CLOSED'
    readonly createdAt: string
    readonly metadata: unknown
  }>()
  expectTypeOf<VariablesOf<typeof CONVERSATION>>().toEqualTypeOf<{ id: string }>()
  // @ts-expect-error: codegen.ts has not seen a text that is made at run time
  expect(graphql(CONVERSATION.trim())).toBe(CONVERSATION)
  const input: VariablesOf<typeof CLOSE>['input'] = { conversationId: 'conv_1', status: 'CLOSED' }
  // @ts-expect-error: no such status
  expect({ ...input, status: 'GONE' } satisfies typeof input).toMatchObject({ status: 'GONE' })
})

test('a mutation’s payload is what is left when its failures are ruled out', () => {
  type Result = NonNullable<ResultOf<typeof CLOSE>['updateConversation']>
  const closed: Result = { error: null, conversation: { id: 'conv_1' } }
  expect(payload<Result>(closed).conversation.id).toBe('conv_1')
  const refused: Result = { conversation: null, error: { code: 'NOT_FOUND' } }
  expect(() => payload<Result>(refused)).toThrow('NOT_FOUND')
})
