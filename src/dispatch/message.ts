import type { Claimed } from './claim.ts'
import { type Signers, signBody, signStandard } from './signing.ts'

/** The headers of one attempt; the body is the event's stored text. */
export function messageHeaders(
  delivery: Claimed,
  signers: Signers,
  now: Date,
  userAgent: string,
): Record<string, string> {
  const { id, attempt, type, body, agentId } = delivery
  const timestamp = Math.floor(now.getTime() / 1000)
  return {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': userAgent,
    'x-guddesk-event': type,
    'x-guddesk-signature': signBody(signers, body),
    'x-guddesk-delivery': id,
    'x-guddesk-attempt': String(attempt),
    ...(agentId !== null && { 'x-guddesk-agent-id': agentId }),
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signStandard(signers, id, timestamp, body),
  }
}
