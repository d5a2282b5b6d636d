import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import { type EventType, recordEvent, SYSTEM } from '../../../src/domain/events/events.ts'
import type { Tenant, TestGudDesk } from '../guddesk.ts'

/** All types of events, in the order in which `everyEvent` makes one of each. */
const TYPES = {
  'conversation.created': true,
  'message.created': true,
  'note.created': true,
  'conversation.updated': true,
  'conversation.assigned': true,
  'conversation.closed': true,
  'visitor.updated': true,
  ping: true,
  'endpoint.disabled': true,
  'endpoint.failing': true,
} as const satisfies Record<EventType, true>

export const EVENT_TYPES = Object.keys(TYPES) as EventType[]

/** The object type of events of a type: as its name in `EventType`, in camel case. */
export const objectTypeOf = (type: EventType) =>
  `${type.replaceAll(/(?:^|\.)(\w)/g, (_match, letter: string) => letter.toUpperCase())}Event`

export interface EveryEvent {
  /** By type. */
  readonly ids: Readonly<Record<EventType, string>>
  readonly conversationId: string
}

interface Cast {
  readonly endpoint: { readonly id: string; readonly agentId: string | null }
  /** Who is assigned; the tenant's own member by default. */
  readonly memberId?: string
  /** The first one, by the visitor. */
  readonly message?: string
}

export const FAILING_SINCE = '2026-01-15T10:00:00.000Z'
export const DISABLE_AT = '2026-01-20T10:00:00.000Z'

/**
 * One event of every type: a conversation that begins with a message, gets a note, is assigned and closed; its visitor gets an
 * email address; then a test of an endpoint, and what befalls it.
 */
export async function everyEvent(
  guddesk: TestGudDesk,
  tenant: Tenant,
  { endpoint, memberId = tenant.memberId, message = 'hello' }: Cast,
): Promise<EveryEvent> {
  const { deps, clock } = guddesk
  const { key, workspaceId } = tenant
  const visitorId = await guddesk.newVisitor(tenant)
  const call = async (method: string, path: string, body: object) => {
    const { status, data } = await guddesk.call(method, `/api/v1${path}`, body, { key })
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status}`)
    return data
  }
  const { id } = await call('POST', '/conversations', { visitorId, message, subject: message })
  await call('POST', `/conversations/${id}/messages`, { body: 'psst', type: 'NOTE' })
  await call('PATCH', `/conversations/${id}`, { assigneeId: memberId, status: 'CLOSED' })
  await call('PATCH', `/customers/${visitorId}`, { email: 'vera@example.com' })
  const ping = `mutation { sendTestEvent(input: { endpointId: "${endpoint.id}", type: PING }) { error { code } } }`
  const { body } = await guddesk.graphql(ping, {}, { key })
  if (body.data?.sendTestEvent?.error !== null) throw new Error(`No ping was sent: ${JSON.stringify(body)}`)
  const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: clock.now() }
  const about = { endpointId: endpoint.id, url: 'http://127.0.0.1:9/then', agentId: endpoint.agentId }
  await inEventTransaction(deps, { workspaceId }, async (tx) => {
    const disabled = { ...about, reason: 'gone' as const, workspaceId }
    await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.disabled', data: disabled })
    const failing = { ...about, failingSince: FAILING_SINCE, disabledAt: DISABLE_AT, workspaceId }
    await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.failing', data: failing })
  })
  const sql = 'SELECT DISTINCT ON (type) type, id FROM events WHERE workspace_id = $1 ORDER BY type, xid DESC, seq DESC'
  const rows = await deps.db.sql<{ type: EventType; id: string }>(sql, [workspaceId])
  const ids = Object.fromEntries(rows.map((row) => [row.type, row.id])) as Record<EventType, string>
  return { ids, conversationId: id }
}
