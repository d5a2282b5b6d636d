import type { TestGudDesk } from '../../support/guddesk.ts'

/** An answer as it came. */
export interface Got {
  readonly status: number
  readonly text: string
  readonly replayed: string | null
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

interface Sent {
  /** The owner's when left out; null: none. */
  readonly key?: string | null
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  /** Further members of the body. */
  readonly extra?: object
}

/** Sends a request with an Idempotency-Key; null: without one. */
export type Send = (query: string, variables: object, idempotencyKey: string | null, sent?: Sent) => Promise<Got>

export function sender({ origin, tenant }: TestGudDesk): Send {
  return async (query, variables, idempotencyKey, { key = tenant.key, headers = {}, signal, extra = {} } = {}) => {
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(idempotencyKey !== null && { 'idempotency-key': idempotencyKey }),
        ...headers,
      },
      body: JSON.stringify({ query, variables, ...extra }),
      ...(signal && { signal }),
    })
    const text = await response.text()
    const body = JSON.parse(/^(?:data: )?({.+})$/m.exec(text)?.[1] ?? 'null')
    return { status: response.status, text, replayed: response.headers.get('idempotency-replayed'), body }
  }
}

export const SEND = `mutation Send($conversationId: ID!, $body: String!) {
  sendMessage(input: { conversationId: $conversationId, body: $body, type: AGENT }) {
    message { id sequence body sender { __typename ... on Member { name role } } } error { code message } } }`

export const countOf = ({ deps }: TestGudDesk, body: string) => deps.db.prisma.message.count({ where: { body } })
export const codeOf = ({ body }: Got): unknown => body.errors?.[0]?.extensions?.code
/** Every connection is back in the pool. */
export const isIdle = ({ deps: { db } }: TestGudDesk) => db.pool.idleCount === db.pool.totalCount
export const keysOf = ({ deps }: TestGudDesk) => deps.db.prisma.idempotencyKey.count()

/** While no answer can be stored. */
export async function whileFull({ deps: { db } }: TestGudDesk, work: () => Promise<void>): Promise<void> {
  await db.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the disk is full'; END $$`)
  await db.sql('CREATE TRIGGER refuse BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION refuse()')
  try {
    await work()
  } finally {
    await db.sql('DROP TRIGGER refuse ON idempotency_keys')
    await db.sql('DROP FUNCTION refuse')
  }
}
