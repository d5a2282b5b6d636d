import type { PendingDelivery } from '../delivery.ts'
import { type Signers, signBody, signStandard } from './signature.ts'

/** The headers of one attempt (name, value, name, value, …); the body is the event's stored text. */
export function messageHeaders(
  { id, attempts, type, body }: PendingDelivery,
  agentId: string | null,
  signers: Signers,
  now: Date,
  userAgent: string,
): string[] {
  const timestamp = Math.floor(now.getTime() / 1000)
  const headers = [
    'Content-Type',
    'application/json; charset=utf-8',
    'Accept',
    '*/*',
    'User-Agent',
    userAgent,
    'X-GudDesk-Event',
    type,
    'X-GudDesk-Signature',
    signBody(signers, body),
    'X-GudDesk-Delivery',
    id,
    'X-GudDesk-Attempt',
    String(attempts + 1),
    'webhook-id',
    id,
    'webhook-timestamp',
    String(timestamp),
    'webhook-signature',
    signStandard(signers, id, timestamp, body),
  ]
  if (agentId !== null) headers.push('X-GudDesk-Agent-Id', agentId)
  return headers
}
