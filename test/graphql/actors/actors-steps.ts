import { afterAll, beforeAll } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

// Whoever acts, wherever the schema names them: with their type and name, and with what was recorded once they are gone.

export let guddesk: TestGudDesk
export let tenant: Tenant
/** The owner's, who sees everything. */
export let session: string

export const ENTRIES = graphql(`query ($filter: AuditEntryFilter) {
  auditEntries(filter: $filter) { edges { node { action actor { __typename id displayName } } } }
}`)

export const inWorkspace = ({ workspaceId } = tenant) => ({ headers: { 'x-workspace-id': workspaceId } })
export const as = (key: string) => ({ key, ...inWorkspace() })

/** A running server, and somebody who is signed in. */
export function useWorkspace(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    tenant = guddesk.tenant
    session = await guddesk.newSession(tenant)
  })
  afterAll(() => guddesk?.stop())
}
