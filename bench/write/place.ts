import { type Client, type Conversation, type Customer, connect } from '../../demo/client.ts'
import { type Backend, startGudDesk } from '../../demo/process.ts'
import { startPeer } from '../graphql/peer-process.ts'

/** A server with conversations to which messages are added. */
export interface Place {
  readonly origin: string
  readonly pid: number
  readonly key: string
  readonly databaseUrl: string | undefined
  readonly conversationIds: readonly string[]
}

const CONVERSATIONS = 100

/** GudDesk, as `npm start` runs it, without rate limits. */
export async function startPlace(backend: Backend, cleanup: AsyncDisposableStack): Promise<Place & { client: Client }> {
  process.env['RATE_LIMIT_PER_MINUTE'] = '0'
  const { origin, pid, key } = await startGudDesk(backend, cleanup)
  const client = connect(origin, key)
  const { data: visitor } = await client.call<Customer>('POST', '/api/v1/customers', { name: 'Vera Visitor' })
  const conversationIds: string[] = []
  for (let i = 0; i < CONVERSATIONS; i++) {
    const of = { visitorId: visitor.id }
    conversationIds.push((await client.call<Conversation>('POST', '/api/v1/conversations', of)).data.id)
  }
  return { origin, pid, key, databaseUrl: backend.databaseUrl, conversationIds, client }
}

/** The hand-written server, on a database that GudDesk has prepared and left. Its deliveries wait for ever. */
export async function startByHand(backend: Backend, url: string, cleanup: AsyncDisposableStack): Promise<Place> {
  const prepare = async (): Promise<Place> => {
    await using inner = new AsyncDisposableStack()
    const place = await startPlace(backend, inner)
    await installAgent(place.client, url)
    return place
  }
  const prepared = await prepare()
  return { ...prepared, ...(await startPeer('bench/write/by-hand.ts', backend, cleanup)) }
}

/** @returns the agent's API key */
export async function installAgent(client: Client, webhookUrl: string): Promise<string> {
  const { data } = await client.call<{ credentials: { apiKey: string } }>('POST', '/api/v1/agents', {
    ...{ name: 'Bench', webhookUrl, ignoreOwnEvents: true },
    events: { onMessageCreated: true, onConversationCreated: false },
  })
  return data.credentials.apiKey
}
