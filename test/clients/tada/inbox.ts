import { initGraphQLTada, type ResultOf, type VariablesOf } from 'gql.tada'
import type { introspection } from './generated/schema.d.ts'

const graphql = initGraphQLTada<{
  introspection: introspection
  scalars: { DateTime: string; JSONObject: object; URL: string }
}>()

const inbox = graphql(`query Inbox($filter: ConversationFilter, $after: String) {
  conversations(filter: $filter, first: 20, after: $after) {
    totalCount
    nodes { id status subject visitor { displayName } assignee { displayName } }
  }
}`)

const close = graphql(`mutation Close($input: UpdateConversationInput!) {
  updateConversation(input: $input) { conversation { id status } error { code message fields { path message } } }
}`)

/** Fails to compile where the inferred types are not these. */
type Row = NonNullable<ResultOf<typeof inbox>['conversations']>['nodes'][number]
export const row: Row = {
  id: 'conv_1',
  status: 'OPEN',
  subject: null,
  visitor: { displayName: 'Vera' },
  assignee: null,
}
export const variables: VariablesOf<typeof inbox> = { filter: { statuses: ['OPEN'], assignee: { none: true } } }
export const input: VariablesOf<typeof close> = { input: { conversationId: 'conv_1', status: 'CLOSED' } }
// @ts-expect-error There is no such status.
export const wrong: VariablesOf<typeof close> = { input: { conversationId: 'conv_1', status: 'GONE' } }
