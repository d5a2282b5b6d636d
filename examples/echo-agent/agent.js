import { createHmac, timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'

const GUDDESK_URL = process.env.GUDDESK_URL || 'http://localhost:3000'
const PORT = Number(process.env.PORT || 3001)
const PUBLIC_URL = process.env.PUBLIC_URL || `http://localhost:${PORT}`
const WEBHOOK_URL = `${PUBLIC_URL.replace(/\/+$/, '')}/webhook`
const API_KEY = process.env.GUDDESK_API_KEY
if (!API_KEY) {
  console.error('Set GUDDESK_API_KEY to a FULL_ACCESS key or to the key of an installed agent.')
  process.exit(1)
}

const MAX_JSON_BYTES = 60_000
let secret // from the response to the registration
let isStopping = false

const app = express().disable('x-powered-by')
app.use(express.json()) // the default limit, 100 kB, is enough for every payload

app.post('/webhook', (req, res) => {
  // Not registered yet, or stopping: GudDesk retries later.
  if (secret === undefined || isStopping) return res.sendStatus(503)
  if (!isSigned(req)) return res.status(401).send('Invalid signature')
  // Respond first, then process the event: GudDesk waits at most 5 seconds.
  res.sendStatus(200)
  const { event, data } = req.body
  if (event !== 'message.created' || data.type !== 'VISITOR') return
  if (isDuplicate(req.get('X-GudDesk-Delivery'))) return
  reply(data).catch((error) => console.error(`Reply in ${data.conversationId} failed: ${error.message}`))
})

function isSigned(req) {
  const hmac = createHmac('sha256', secret).update(JSON.stringify(req.body ?? null))
  const expected = Buffer.from(`sha256=${hmac.digest('hex')}`)
  const received = Buffer.from(req.get('X-GudDesk-Signature') ?? '')
  return received.length === expected.length && timingSafeEqual(received, expected)
}

/** Delivery is at least once: the last 1,000 deliveries are remembered. */
const seen = new Set()
function isDuplicate(delivery) {
  if (seen.has(delivery)) return true
  seen.add(delivery)
  if (seen.size > 1000) seen.delete(seen.values().next().value)
  return false
}

async function reply({ conversationId, body }) {
  await guddesk('POST', '/api/agent/reply', { conversationId, body: cut(`Echo: ${body}`), senderName: 'EchoBot' })
}

/**
 * A visitor's message has at most 10,000 characters. A reply has at most 20,000 characters and 60,000 bytes as JSON, which only
 * a text full of control characters (six bytes each) exceeds. The text is cut between characters, never within an emoji.
 */
function cut(text) {
  const characters = [...text]
  while (Buffer.byteLength(JSON.stringify(characters.join(''))) - 2 > MAX_JSON_BYTES) characters.pop()
  return characters.join('')
}

async function guddesk(method, path, body) {
  const headers = { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' }
  const init = { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) }
  const response = await fetch(GUDDESK_URL + path, init)
  const { data, error } = await response.json()
  if (response.ok) return data
  throw Object.assign(new Error(error.message), { status: response.status })
}

/** Retries until GudDesk runs. Registering the same URL again returns the same endpoint. */
async function register() {
  for (let delay = 1000; ; delay = Math.min(2 * delay, 30_000)) {
    try {
      const { endpoint } = await guddesk('POST', '/api/agent/webhooks', { url: WEBHOOK_URL })
      secret = endpoint.secret
      return console.log(`Registered ${WEBHOOK_URL} at ${GUDDESK_URL}`)
    } catch (error) {
      if (error.status < 500 && error.status !== 429) throw error // a retry will not help
      console.error(`GudDesk is not ready (${error.message}); retrying in ${delay / 1000} s`)
      await sleep(delay)
    }
  }
}

/** GudDesk keeps the events of the last hour until this agent registers again. */
async function stop() {
  isStopping = true
  const unregister = () => guddesk('DELETE', '/api/agent/webhooks', { url: WEBHOOK_URL })
  if (secret !== undefined) await unregister().catch((error) => console.error(`Unregistering failed: ${error.message}`))
  process.exit(0)
}
process.once('SIGTERM', stop).once('SIGINT', stop)

app.listen(PORT, (error) => {
  if (error) throw error
  register().catch((error) => {
    console.error(`GudDesk refused to register ${WEBHOOK_URL}: ${error.message}`)
    process.exit(1)
  })
})
