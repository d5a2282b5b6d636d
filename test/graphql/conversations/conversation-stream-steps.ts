import { afterAll, beforeAll, beforeEach } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

export const CONVERSATION = graphql(`subscription ($id: ID!, $after: String) { conversation(id: $id, after: $after) {
  kind: __typename
  ... on MessageAdded { cursor message { id sequence type body senderName createdAt conversationId } }
  ... on ConversationChanged { cursor conversation { id status tags priority visitor { name } assignee { name } } }
  ... on TypingChanged { conversationId actor { type: __typename id displayName } isTyping expiresAt }
} }`)

export interface Update {
  readonly kind: 'MessageAdded' | 'ConversationChanged' | 'TypingChanged'
  readonly cursor: string
  readonly message: { id: string; sequence: number; type: string; body: string }
  readonly conversation: { id: string; status: string; tags: string[]; priority: number }
  readonly actor: { type: string; id: string; displayName: string }
  readonly isTyping: boolean
  readonly expiresAt: string
}

/** A cursor before everything. */
export const START = Buffer.from('["0","0",0]').toString('base64url')

export let guddesk: TestGudDesk
/** A workspace of its own for every test. */
export let tenant: Tenant
export let id: string

export const call = (method: string, path: string, body: object, key = tenant.key) =>
  guddesk.call(method, `/api${path}`, body, { key })
export const say = (body: string, type = 'AGENT', to = id) =>
  call('POST', `/v1/conversations/${to}/messages`, { body, type })

/** A running server, and a conversation for each test. */
export function useConversation(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(async () => {
    await guddesk?.stop()
  })
  beforeEach(async () => {
    tenant = await guddesk.newTenant()
    id = await guddesk.newConversation(tenant, 'hello')
    await quiet(guddesk)
  })
}
