import { type Agent, type Echo, startAgent, type Webhook } from './agent.ts'
import { type Client, type Conversation, type Customer, connect, type Message, SEND_MESSAGE } from './client.ts'
import { bold, detail, dim, green, ms, quote, say, step } from './print.ts'
import type { GudDeskProcess } from './process.ts'

export interface Scene {
  readonly admin: Client
  readonly agent: Agent
  readonly customer: Customer
  readonly conversationId: string
}

interface Timed<T> {
  readonly value: T
  readonly began: number
  readonly took: number
}

async function timed<T>(task: () => Promise<T>): Promise<Timed<T>> {
  const began = performance.now()
  const value = await task()
  return { value, began, took: performance.now() - began }
}

/** A customer writes, and an agent gets a webhook and replies. Prints each step. */
export async function runStory(guddesk: GudDeskProcess, cleanup: AsyncDisposableStack): Promise<Scene> {
  const admin = connect(guddesk.origin, guddesk.key)

  const installing = await timed(() => startAgent(admin, { name: 'EchoBot', echoes: true }, cleanup))
  const agent = installing.value
  step('An agent is installed', installing.took)
  detail('POST /api/v1/agents → 201', `${agent.id} receives events at ${agent.url}`)

  const person = { name: 'Vera Visitor', email: 'vera@example.com' }
  const creating = await timed(() => admin.call<Customer>('POST', '/api/v1/customers', person))
  const customer = creating.value.data
  step('A customer is created', creating.took)
  detail(`POST /api/v1/customers → ${creating.value.status}`, `${customer.id} is ${customer.name}`)

  const message = 'I want a refund for order #1234'
  const opening = { visitorId: customer.id, subject: 'Refund', message }
  const starting = await timed(() => admin.call<Conversation>('POST', '/api/v1/conversations', opening))
  const conversationId = starting.value.data.id
  step('The visitor writes', starting.took)
  detail(`POST /api/v1/conversations → ${starting.value.status}`, `${conversationId}: “${message}”`)

  const webhook = await messageWebhook(agent, message)
  showWebhook(agent, webhook, starting.began)
  const echo = await agent.echoes.find(({ messageId }) => messageId === webhook.data.messageId, "The agent's reply")
  showReply(echo)

  const scene = { admin, agent, customer, conversationId }
  await showGraphQL(scene)
  await showConversation(scene)
  const loop = echo.at - starting.began
  say()
  say(
    `    ${green('It works:')} ${bold(ms(loop))} from the visitor's first message to the agent's reply in the conversation.`,
  )
  return scene
}

/** @throws Error when the webhook does not arrive, or its signature is wrong */
async function messageWebhook({ webhooks }: Agent, text: string): Promise<Webhook> {
  const isIt = ({ event, data }: Webhook) => event === 'message.created' && data.body === text
  const webhook = await webhooks.find(isIt, 'The webhook message.created')
  if (!webhook.signature.isValid) throw new Error('The webhook message.created has a wrong signature')
  return webhook
}

function showWebhook({ webhooks }: Agent, webhook: Webhook, sentAt: number): void {
  const first = webhooks.items[0]
  step("The agent receives a signed webhook (since the visitor's POST)", webhook.at - sentAt)
  if (first !== undefined && first !== webhook) detail(`(${first.event} arrived first, after ${ms(first.at - sentAt)})`)
  detail(`POST ${webhook.path}`)
  for (const [name, value] of webhook.headers) {
    detail(`${dim(`${name}:`)} ${name === 'x-guddesk-signature' ? bold(value) : value}`)
  }
  quote(`\n${JSON.stringify(JSON.parse(webhook.text), null, 2)}`)

  step('The agent verifies the signature', webhook.verifiedAt - webhook.at)
  detail('HMAC-SHA256 of JSON.stringify(JSON.parse(body)), keyed by the webhook secret:')
  detail(`${webhook.signature.computed}`, `${green('✓')} matches X-GudDesk-Signature (compared in constant time)`)
}

function showReply({ status, replyId, sentAt, at }: Echo): void {
  step('The agent replies', at - sentAt)
  detail(`POST /api/agent/reply → ${status}`, `${replyId} is in the conversation`)
}

async function showGraphQL({ admin, agent, conversationId }: Scene): Promise<void> {
  const text = 'Thank you! شكرًا 谢谢 🙏'
  const writing = await timed(() => admin.writeAsVisitor(conversationId, text))
  const webhook = await messageWebhook(agent, text)
  const echo = await agent.echoes.find(({ messageId }) => messageId === writing.value, "The agent's second reply")
  step('The visitor writes again, this time through GraphQL', writing.took)
  quote(SEND_MESSAGE)
  detail(`signed webhook at the agent after ${ms(webhook.at - writing.began)}`)
  detail(`reply in the conversation after ${ms(echo.at - writing.began)}`)
}

/** @throws Error unless the conversation has exactly the four messages */
async function showConversation({ admin, conversationId }: Scene): Promise<void> {
  const path = `/api/v1/conversations/${conversationId}`
  const reading = await timed(() =>
    Promise.all([admin.call<object>('GET', path), admin.call<Message[]>('GET', `${path}/messages`)]),
  )
  const [conversation, { data: messages }] = reading.value
  step('The conversation, as the API returns it', reading.took)
  detail('GET /api/v1/conversations/:id')
  quote(JSON.stringify(conversation.data, null, 2))
  detail('GET /api/v1/conversations/:id/messages')
  const start = Date.parse(messages[0]?.createdAt ?? '')
  for (const { type, senderName, body, createdAt } of messages) {
    const after = `+${Date.parse(createdAt) - start} ms`.padStart(9)
    detail(`${dim(after)}  ${type.padEnd(7)}  ${senderName.padEnd(12)}  ${body}`)
  }
  const said = messages.map(({ type, body }) => `${type} ${body}`)
  const isEchoed = said.length === 4 && [0, 2].every((i) => said[i + 1] === said[i]?.replace('VISITOR ', 'BOT Echo: '))
  if (!isEchoed)
    throw new Error('The conversation should contain two messages of the visitor, each followed by its echo')
}
