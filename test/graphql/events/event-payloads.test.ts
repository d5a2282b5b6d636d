import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type EventType, WEBHOOK_EVENT_TYPES } from '../../../src/domain/events/events.ts'
import { quiet, START } from '../../support/event-log.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { EVENT_TYPES, type EveryEvent, everyEvent } from '../../support/rows/every-event.ts'
import { until } from '../../support/until.ts'

// `payload` is the text of `data` in the webhook, wherever and however it is asked for.

const NASTY = `"quotes" \\ </script> \u2028 line\nbreak \t \u0001 ünï \u{1f600} {"data":{}},"timestamp":"x"}`

/** Queries are compiled after a few runs. */
const RUNS = 8

let guddesk: TestGudDesk
let receiver: Receiver
let endpointId: string
let made: EveryEvent

beforeAll(async () => {
  guddesk = await startGudDesk()
  receiver = await startReceiver()
  const flags = ['onMessageCreated', 'onConversationCreated', 'onConversationClosed', 'onConversationAssigned']
  const events = Object.fromEntries(flags.map((flag) => [flag, true]))
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url, events })
  endpointId = data.endpoint.id
  made = await everyEvent(guddesk, guddesk.tenant, { endpoint: { id: endpointId, agentId: null }, message: NASTY })
  await receiver.waitFor(WEBHOOK_EVENT_TYPES.length)
  await quiet(guddesk)
})

afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
})

/** The text of `data` in a webhook's body. */
function dataIn(body: string): string {
  const data = /^\{"event":"[a-z.]+","data":(\{.*\}),"timestamp":"[^"]+"\}$/s.exec(body)?.[1]
  if (data === undefined) throw new Error(`This is no webhook: ${body}`)
  return data
}

function webhook(type: EventType) {
  const found = receiver.received.find(({ event }) => event === type)
  if (found === undefined) throw new Error(`No webhook of ${type} arrived`)
  return found
}

const headers = () => ({ authorization: `Bearer ${guddesk.tenant.key}`, 'content-type': 'application/json' })

/** An answer as it comes over the wire. */
async function answerTo(query: string, variables: object): Promise<string> {
  const body = JSON.stringify({ query, variables })
  const response = await fetch(`${guddesk.origin}/graphql`, { method: 'POST', headers: headers(), body })
  return response.text()
}

const SUBSCRIPTION = `subscription { events(after: "${START}", filter: { includeTests: true }) { event { type payload } } }`

/** Everything that a subscription to the whole log sends, as it comes over the wire. */
async function sentOverSse(): Promise<string> {
  const options = { method: 'POST', headers: { ...headers(), accept: 'text/event-stream' } }
  const asked = request(`${guddesk.origin}/graphql`, options)
  asked.end(JSON.stringify({ query: SUBSCRIPTION }))
  const [answer] = await once(asked, 'response')
  const chunks: Buffer[] = []
  answer.on('data', (chunk: Buffer) => chunks.push(chunk))
  const text = () => Buffer.concat(chunks).toString('utf8')
  await until(() => EVENT_TYPES.every((type) => text().includes(enumName(type))))
  answer.destroy()
  return text()
}

async function sentOverWebSocket(): Promise<string> {
  const socket = new WebSocket(`${guddesk.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  let text = ''
  socket.on('message', (data) => {
    text += String(data)
    if (!String(data).includes('connection_ack')) return
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION } }))
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init', payload: headers() }))
  await until(() => EVENT_TYPES.every((type) => text.includes(enumName(type))))
  socket.close()
  return text
}

const enumName = (type: EventType) => type.toUpperCase().replace('.', '_')

describe.each(WEBHOOK_EVENT_TYPES)('%s', (type) => {
  test('has the text of the webhook’s data as payload', async () => {
    const { text, headers } = webhook(type)
    const delivery = headers['x-guddesk-delivery']
    const ofDelivery = 'query ($id: ID!) { node(id: $id) { ... on Delivery { event { payload } } } }'
    const start = `{"data":{"node":{"event":{"payload":${dataIn(text)}}}}`
    for (let i = 0; i < RUNS; i++) expect(await answerTo(ofDelivery, { id: delivery })).toContain(start)
    const ofEvent = 'query ($id: ID!) { node(id: $id) { ... on Event { payload } } }'
    expect(await answerTo(ofEvent, { id: made.ids[type] })).toContain(`{"data":{"node":{"payload":${dataIn(text)}}}`)
  })

  test('has the text of a test webhook’s data as payload', async () => {
    const test = 'mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { delivery { id } } }'
    const { data } = await guddesk.graphql(test, { input: { endpointId, type: enumName(type) } })
    const { id } = data.sendTestEvent.delivery
    await until(() => receiver.received.some(({ headers }) => headers['x-guddesk-delivery'] === id))
    const sent = receiver.received.find(({ headers }) => headers['x-guddesk-delivery'] === id)
    const query = 'query ($id: ID!) { node(id: $id) { ... on Delivery { event { isTest payload } } } }'
    const start = `{"data":{"node":{"event":{"isTest":true,"payload":${dataIn(sent?.text ?? '')}}}}`
    expect(await answerTo(query, { id })).toContain(start)
  })
})

test.each([
  ['server-sent events', sentOverSse],
  ['graphql-ws', sentOverWebSocket],
])('every event has the text of its body’s data over %s', async (_name, sent) => {
  const text = await sent()
  for (const type of EVENT_TYPES) {
    const { body } = await guddesk.deps.db.prisma.event.findUniqueOrThrow({ where: { id: made.ids[type] } })
    if (WEBHOOK_EVENT_TYPES.some((each) => each === type)) expect(body).toBe(webhook(type).text)
    expect(text).toContain(`{"type":"${enumName(type)}","payload":${dataIn(body)}}`)
  }
})

test('events that are no webhooks have what docs/graphql.md says', async () => {
  const keys = async (type: EventType) => {
    const { data } = await guddesk.graphql(`{ node(id: "${made.ids[type]}") { ... on Event { payload } } }`)
    return Object.keys(data.node.payload)
  }
  expect(await keys('note.created')).toEqual(['conversationId', 'messageId', 'workspaceId', 'sequence', 'actor'])
  expect((await keys('conversation.updated')).sort()).toEqual(['actor', 'changed', 'conversationId', 'workspaceId'])
  expect(await keys('visitor.updated')).toEqual(['visitorId', 'changed', 'workspaceId', 'actor'])
  const endpoint = ['endpointId', 'url', 'agentId']
  expect(await keys('endpoint.disabled')).toEqual([...endpoint, 'reason', 'workspaceId', 'actor'])
  expect(await keys('endpoint.failing')).toEqual([...endpoint, 'failingSince', 'disabledAt', 'workspaceId', 'actor'])
})
