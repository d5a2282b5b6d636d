import { type Agent, startAgent, type Webhook } from './agent.ts'
import { type Client, type Customer, newConversation } from './client.ts'
import { many, ms, red, say, step, table } from './print.ts'
import { inParallel, type Summary, summarize } from './stats.ts'
import type { Scene } from './story.ts'

/** On an idle machine, the median is far below this. */
const MEDIAN_MS = 100
const CONVERSATIONS = 20
const AT_A_TIME = 16
/** Longer than the first retry (10 s), so that one lost request does not fail the run. */
const PATIENCE_MS = 15_000

/**
 * Messages one after another, each echoed before the next one is sent.
 * @throws Error when one is not delivered or echoed
 */
export async function measureOneByOne({ admin, agent, customer }: Scene, count: number): Promise<void> {
  const conversationId = await newConversation(admin, customer.id)
  const delivered: number[] = []
  const echoed: number[] = []
  const began = performance.now()
  for (let i = 1; i <= count; i++) {
    const sentAt = performance.now()
    const id = await admin.writeAsVisitor(conversationId, `Message ${i} of ${count}`)
    const webhook = await agent.webhooks.find(({ data }) => data.messageId === id, `The webhook of message ${i}`)
    if (!webhook.signature.isValid) throw new Error(`The webhook of message ${i} has a wrong signature`)
    const echo = await agent.echoes.find(({ messageId }) => messageId === id, `The reply to message ${i}`)
    delivered.push(webhook.at - sentAt)
    echoed.push(echo.at - sentAt)
  }
  step(`The visitor writes ${count} more, one after another`, performance.now() - began)
  const latency = summarize(delivered)
  say()
  table(HEAD, [
    row("POST of the visitor's message → signed webhook at the agent", count, latency),
    row("POST of the visitor's message → reply in the conversation", count, summarize(echoed)),
  ])
  say()
  if (latency.p50 >= MEDIAN_MS)
    say(red(`    The median is ${ms(latency.p50)}. On an idle machine, it is under ${MEDIAN_MS} ms.`))
}

/**
 * Many messages at once, each for every agent. The agents do not reply: that would exceed the limit of bot messages, and
 * cause webhooks that are not counted here.
 * @throws Error unless every agent got every message with a valid signature
 */
export async function measureBurst(
  admin: Client,
  agentCount: number,
  messageCount: number,
  cleanup: AsyncDisposableStack,
): Promise<void> {
  const preparing = performance.now()
  const agents: Agent[] = []
  const events = { onConversationCreated: false }
  for (let i = 1; i <= agentCount; i++) {
    agents.push(await startAgent(admin, { name: `Agent ${i}`, path: `/agents/${i}/webhook`, events }, cleanup))
  }
  const { data: customer } = await admin.call<Customer>('POST', '/api/v1/customers', { name: 'Vera Visitor' })
  const conversations = await Promise.all(
    Array.from({ length: Math.min(CONVERSATIONS, messageCount) }, () => newConversation(admin, customer.id)),
  )
  step(
    `${many(agentCount, 'agent')} installed, ${many(conversations.length, 'conversation')} started`,
    performance.now() - preparing,
  )

  const sentAt = new Map<string, number>()
  const began = performance.now()
  await inParallel(Array(messageCount).keys(), AT_A_TIME, async (i) => {
    const now = performance.now()
    const conversationId = conversations[i % conversations.length] ?? ''
    sentAt.set(await admin.writeAsVisitor(conversationId, `Message ${i + 1} of ${messageCount}`), now)
  })
  step(`${many(messageCount, 'message')} accepted, ${AT_A_TIME} at a time`, performance.now() - began)

  const expected = agentCount * messageCount
  await quiet(agents, expected)
  const arrivals = agents.map(({ webhooks }) => validArrivals(webhooks.items, sentAt))
  const samples = arrivals.flatMap((byMessage) => [...byMessage.values()])
  const finished = Math.max(began, ...agents.flatMap(({ webhooks }) => webhooks.items.map(({ at }) => at)))
  step(`${many(samples.length, 'signed webhook')} received`, finished - began)
  say()
  table(HEAD, [
    row(`${many(agentCount, 'agent')} × ${many(messageCount, 'message')}`, messageCount, summarize(samples)),
  ])
  say()
  if (samples.length === expected) return
  const invalid = agents.flatMap(({ webhooks }) => webhooks.items.filter(({ signature }) => !signature.isValid))
  throw new Error(`${samples.length} of ${expected} webhooks were delivered; ${invalid.length} had a wrong signature`)
}

/** Waits until all webhooks have arrived, or none has for PATIENCE_MS. Retries are not counted twice. */
async function quiet(agents: readonly Agent[], expected: number): Promise<void> {
  const arrived = () => agents.reduce((sum, { webhooks }) => sum + webhooks.items.length, 0)
  const different = () => new Set(agents.flatMap(({ webhooks }) => webhooks.items.map(({ delivery }) => delivery))).size
  let seen = -1
  let since = performance.now()
  while (performance.now() - since < PATIENCE_MS) {
    if (arrived() > seen) since = performance.now()
    seen = arrived()
    if (seen >= expected && different() >= expected) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Milliseconds from POST to first arrival, by message. */
function validArrivals(webhooks: readonly Webhook[], sentAt: ReadonlyMap<string, number>): Map<string, number> {
  const arrivals = new Map<string, number>()
  for (const { event, data, signature, at } of webhooks) {
    const posted = sentAt.get(data.messageId ?? '')
    if (event !== 'message.created' || !signature.isValid || posted === undefined) continue
    if (data.messageId !== undefined && !arrivals.has(data.messageId)) arrivals.set(data.messageId, at - posted)
  }
  return arrivals
}

const HEAD = ['', 'sent', 'delivered', 'p50', 'p99', 'max']

function row(what: string, sent: number, { count, p50, p99, max }: Summary): string[] {
  return [what, sent.toLocaleString('en'), count.toLocaleString('en'), ms(p50), ms(p99), ms(max)]
}
