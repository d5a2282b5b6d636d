import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { DeliveryStatus } from '../../../src/generated/prisma/enums.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

export let guddesk: TestGudDesk
export let tenant: Tenant
export let endpointId: string

export async function newEndpoint(key = tenant.key): Promise<string> {
  const url = `http://127.0.0.1:9/${Math.random()}`
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key })
  return data.endpoint.id
}

export interface Given {
  readonly at: Date
  readonly status: DeliveryStatus
  /** Milliseconds each, the first one `late` milliseconds after the event. */
  readonly durations?: number[]
  readonly late?: number
  readonly endpoint?: string
  readonly statusCode?: number | null
  readonly conversationId?: string
  readonly type?: string
  readonly isTest?: boolean
}

export let seq = 0n

/** A delivery as the dispatcher leaves it. */
export async function deliver(given: Given): Promise<string> {
  const { at, status, durations = [], late = 0, endpoint = endpointId, statusCode = 200 } = given
  const { prisma } = guddesk.deps.db
  const { workspaceId } = tenant
  const { type = 'message.created', conversationId = null, isTest = false } = given
  const event = { id: newId('event'), workspaceId, type, conversationId, body: '{"data":{}}', isTest, createdAt: at }
  await prisma.event.create({ data: event })
  const state = {
    status,
    attempts: durations.length,
    nextAttemptAt: status === 'PENDING' ? at : null,
    isTest,
    createdAt: at,
  }
  const id = newId('delivery')
  const about = { workspaceId, eventId: event.id, endpointId: endpoint, conversationId, seq: seq++ }
  await prisma.delivery.create({ data: { id, ...about, ...state } })
  for (const [i, durationMs] of durations.entries()) {
    const startedAt = new Date(at.getTime() + late + i * 60_000)
    await prisma.deliveryAttempt.create({ data: { deliveryId: id, number: i + 1, startedAt, durationMs, statusCode } })
  }
  return id
}

export async function ask(query: string, variables: object = {}, key = tenant.key) {
  const { body } = await guddesk.graphql(query, variables, { key })
  expect(body.errors).toBeUndefined()
  return body.data
}

/** A running server, and a workspace with an endpoint for each test. */
export function useEndpoint(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  })
  afterAll(() => guddesk?.stop())
  beforeEach(async () => {
    tenant = await guddesk.newTenant()
    endpointId = await newEndpoint()
  })
}
