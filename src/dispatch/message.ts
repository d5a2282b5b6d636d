import type { Claimed } from './claim.ts'
import { type Signers, signBody, signStandard } from './signing.ts'

/** The headers of one attempt (name, value, name, value, …); the body is the event's stored text. */
export function messageHeaders(
  { id, attempts, type, body }: Claimed,
  agentId: string | null,
  signers: Signers,
  now: Date,
  userAgent: string,
): string[] {
  const timestamp = Math.floor(now.getTime() / 1000)
  const headers = [
    'content-type',
    'application/json; charset=utf-8',
    'user-agent',
    userAgent,
    'x-guddesk-event',
    type,
    'x-guddesk-signature',
    signBody(signers, body),
    'x-guddesk-delivery',
    id,
    'x-guddesk-attempt',
    String(attempts + 1),
    'webhook-id',
    id,
    'webhook-timestamp',
    String(timestamp),
    'webhook-signature',
    signStandard(signers, id, timestamp, body),
  ]
  if (agentId !== null) headers.push('x-guddesk-agent-id', agentId)
  return headers
}
