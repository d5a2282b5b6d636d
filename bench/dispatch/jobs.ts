import { type SigningKeys, signingKeys } from '../../src/dispatch/send/signature.ts'
import { createVault, type Vault } from '../../src/infra/secrets.ts'

/** What is sent, the same for everybody: 400 bytes to one of 100 endpoints, within one of 20 conversations each. */
export interface Job {
  /** `webhook-id`; unique within a run. */
  readonly id: string
  readonly endpoint: number
  readonly conversation: number
  readonly body: string
}

export const ENDPOINTS = 100
const CONVERSATIONS = 20
export const VAULT_KEY = Buffer.alloc(32, 7)
export const vault: Vault = createVault(VAULT_KEY)

export function job(n: number, prefix: string): Job {
  const text = 'I want a refund for order #1234, which has not arrived in the three weeks since. '.repeat(3)
  const data = { conversationId: `conv_${n % (ENDPOINTS * CONVERSATIONS)}`, body: text, sequence: n }
  return {
    id: `${prefix}${String(n).padStart(20, '0')}`,
    endpoint: n % ENDPOINTS,
    conversation: n % (ENDPOINTS * CONVERSATIONS),
    body: JSON.stringify({ event: 'message.created', data, timestamp: '2026-01-15T10:30:00.000Z' }),
  }
}

export const endpointId = (n: number) => `whk_${String(n).padStart(26, '0')}`
export const secretOf = (n: number) => String(n).padStart(64, '0')
export const urlOf = (port: number, n: number) => `http://127.0.0.1:${port}/${n}`

const keys = Array.from({ length: ENDPOINTS }, (_, n): SigningKeys => signingKeys(secretOf(n)))
export const keysOf = (n: number): SigningKeys => keys[n] ?? signingKeys(secretOf(n))
