import { afterAll, beforeAll, beforeEach } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

export const INBOX = graphql(`subscription ($after: String) { inbox(after: $after) {
  cursor removedIds
  conversations { id status priority messageCount lastMessagePreview lastActivityAt assignee { id } visitor { name } }
} }`)

export interface Update {
  readonly cursor: string
  readonly removedIds: string[]
  readonly conversations: {
    readonly id: string
    readonly status: string
    readonly priority: number
    readonly messageCount: number
    readonly lastMessagePreview: string | null
    readonly assignee: { id: string } | null
  }[]
}

export let guddesk: TestGudDesk
/** A workspace of its own for every test. */
export let tenant: Tenant

export const say = (id: string, body: string, key = tenant.key) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key })
export const change = (id: string, patch: object) =>
  guddesk.call('PATCH', `/api/v1/conversations/${id}`, patch, { key: tenant.key })

/** A running server, and a workspace for each test. */
export function useInboxes(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(async () => {
    await guddesk?.stop()
  })
  beforeEach(async () => {
    tenant = await guddesk.newTenant()
  })
}
