import { readFile } from 'node:fs/promises'
import type { Agent } from '../demo/agent.ts'
import { startAgent } from '../demo/agent.ts'
import { type Client, type Customer, newConversation } from '../demo/client.ts'
import type { GudDeskProcess } from '../demo/process.ts'
import { inParallel, type Summary, summarize } from '../demo/stats.ts'

export interface Latency {
  readonly webhook: Summary
  /** The client POSTs an equal body straight to the receiver. */
  readonly baseline: Summary
}

export interface Drain {
  readonly messages: number
  /** Messages that the API accepted, a second. */
  readonly acceptedPerSecond: number
  /** Different X-GudDesk-Delivery values with a valid signature. */
  readonly delivered: number
  /** Arrivals with a X-GudDesk-Delivery that had come before. */
  readonly repeated: number
  /** From the first POST to the last arrival. */
  readonly deliveredPerSecond: number
}

const WARM_UP = 100
const LATENCY_MESSAGES = 200
const DRAIN_MESSAGES = 2000
const DRAIN_CONVERSATIONS = 200
const AT_A_TIME = 32
const DRAIN_PATIENCE_MS = 60_000

const NO_CONVERSATIONS = { events: { onConversationCreated: false } }

/** Sequential messages, each to its arrival at the receiver, and as many plain POSTs of the same body. */
export async function measureLatency(admin: Client): Promise<Latency> {
  await using cleanup = new AsyncDisposableStack()
  const agent = await startAgent(admin, { name: 'Latency', ...NO_CONVERSATIONS }, cleanup)
  const conversationId = await newConversation(admin, await newVisitor(admin))
  const throughGudDesk = async (): Promise<number> => {
    const began = performance.now()
    const id = await admin.writeAsVisitor(conversationId, 'I want a refund for order #1234')
    const { at } = await agent.webhooks.find(({ data }) => data.messageId === id, `The webhook of ${id}`)
    return at - began
  }
  const webhook = await repeat(throughGudDesk)
  const { text = '', headers = [] } = agent.webhooks.items.at(-1) ?? {}
  const sameHeaders = headers.filter(([name]) => !['host', 'connection', 'content-length'].includes(name))
  const straight = async (): Promise<number> => {
    const count = agent.webhooks.items.length
    const began = performance.now()
    const response = await fetch(agent.url, { method: 'POST', headers: Object.fromEntries(sameHeaders), body: text })
    await response.text()
    const arrival = agent.webhooks.items[count]
    if (arrival === undefined || !response.ok) throw new Error(`The baseline was answered with ${response.status}`)
    return arrival.at - began
  }
  const latency = { webhook, baseline: await repeat(straight) }
  await uninstall(admin, agent)
  return latency
}

async function repeat(measure: () => Promise<number>): Promise<Summary> {
  for (let i = 0; i < WARM_UP; i++) await measure()
  const samples: number[] = []
  for (let i = 0; i < LATENCY_MESSAGES; i++) samples.push(await measure())
  return summarize(samples)
}

/**
 * Concurrent messages over many conversations to one endpoint.
 * @throws Error unless every message arrived with a valid signature
 */
export async function measureDrain(admin: Client): Promise<Drain> {
  await using cleanup = new AsyncDisposableStack()
  const visitorId = await newVisitor(admin)
  const conversations: string[] = []
  await inParallel(Array(DRAIN_CONVERSATIONS).keys(), AT_A_TIME, async () => {
    conversations.push(await newConversation(admin, visitorId))
  })
  const agent = await startAgent(admin, { name: 'Drain', ...NO_CONVERSATIONS }, cleanup)

  const sent = new Set<string>()
  const began = performance.now()
  await inParallel(Array(DRAIN_MESSAGES).keys(), AT_A_TIME, async (i) => {
    const conversationId = conversations[i % conversations.length] ?? ''
    sent.add(await admin.writeAsVisitor(conversationId, `Message ${i + 1}`))
  })
  const accepted = performance.now()

  const arrivals = () => new Map(agent.webhooks.items.map((webhook) => [webhook.delivery, webhook]))
  while (arrivals().size < DRAIN_MESSAGES && performance.now() - accepted < DRAIN_PATIENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const valid = [...arrivals().values()].filter(({ signature }) => signature.isValid)
  const arrived = new Set(valid.map(({ data }) => data.messageId))
  const missing = [...sent].filter((id) => !arrived.has(id))
  if (missing.length > 0) throw new Error(`${missing.length} of ${sent.size} messages did not arrive`)
  const seconds = (until: number) => (until - began) / 1000
  await uninstall(admin, agent)
  return {
    messages: sent.size,
    acceptedPerSecond: sent.size / seconds(accepted),
    delivered: valid.length,
    repeated: agent.webhooks.items.length - arrivals().size,
    deliveredPerSecond: valid.length / seconds(Math.max(...valid.map(({ at }) => at))),
  }
}

async function newVisitor(admin: Client): Promise<string> {
  const { data } = await admin.call<Customer>('POST', '/api/v1/customers', { name: 'Vera Visitor' })
  return data.id
}

async function uninstall(admin: Client, { id }: Agent): Promise<void> {
  await admin.call('DELETE', `/api/v1/agents/${id}`)
}

/** Resident memory in MB; null where there is no /proc. */
export async function residentMemory({ pid }: GudDeskProcess): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]
  return kilobytes === undefined ? null : Number(kilobytes) / 1024
}
