import type { Listening } from '../../endpoints/snippets.ts'

/** What a small agent has to know. */
export interface Setup extends Listening {
  /** Where GudDesk is. */
  readonly origin: string
  readonly name: string
}

/** An agent that verifies signatures and answers visitors, with nothing but Node. */
export function agentInNode({ origin, name, port, path }: Setup): string {
  return `// agent.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const { GUDDESK_URL = ${JSON.stringify(origin)}, GUDDESK_API_KEY, WEBHOOK_SECRET } = process.env

function isSigned(body, signature = '') {
  const hmac = createHmac('sha256', WEBHOOK_SECRET).update(body)
  const expected = Buffer.from('sha256=' + hmac.digest('hex'))
  const received = Buffer.from(signature)
  return received.length === expected.length && timingSafeEqual(received, expected)
}

createServer(async (request, response) => {
  if (request.url !== ${JSON.stringify(path)}) return response.writeHead(404).end()
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  if (!isSigned(body, request.headers['x-guddesk-signature'])) {
    return response.writeHead(401).end('Invalid signature')
  }
  response.writeHead(200).end('OK') // answer first, work afterwards
  const { event, data } = JSON.parse(body)
  console.log(event)
  if (event === 'message.created' && data.type === 'VISITOR') await reply(data)
}).listen(${port})

async function reply({ conversationId, body }) {
  const response = await fetch(GUDDESK_URL + '/api/agent/reply', {
    method: 'POST',
    headers: { Authorization: 'Bearer ' + GUDDESK_API_KEY, 'Content-Type': 'application/json' },
    body: JSON.stringify({ conversationId, body: 'You said: ' + body, senderName: ${JSON.stringify(name)} }),
  })
  if (!response.ok) console.error('No reply:', await response.text())
}
`
}

/** The same with nothing but Python. */
export function agentInPython({ origin, name, port, path }: Setup): string {
  return `# agent.py
import hashlib, hmac, json, os, threading, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ.get("GUDDESK_URL", ${JSON.stringify(origin)})
KEY = os.environ["GUDDESK_API_KEY"]
SECRET = os.environ["WEBHOOK_SECRET"].encode()

class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        if self.path != ${JSON.stringify(path)}:
            return self.answer(404)
        if not hmac.compare_digest(expected, self.headers.get("X-GudDesk-Signature", "")):
            return self.answer(401)
        self.answer(200)  # answer first, work afterwards
        webhook = json.loads(body)
        print(webhook["event"], flush=True)
        if webhook["event"] == "message.created" and webhook["data"]["type"] == "VISITOR":
            threading.Thread(target=reply, args=[webhook["data"]]).start()

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

def reply(data):
    message = {
        "conversationId": data["conversationId"],
        "body": "You said: " + data["body"],
        "senderName": ${JSON.stringify(name)},
    }
    headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(URL + "/api/agent/reply", json.dumps(message).encode(), headers)
    urllib.request.urlopen(request)

ThreadingHTTPServer(("", ${port}), Webhook).serve_forever()
`
}

/** The calls of the API by hand: what waits, and an answer to it. */
export function agentInCurl({ origin, name }: Pick<Setup, 'origin' | 'name'>): string {
  const message = JSON.stringify({ conversationId: 'conv_…', body: 'Hello from my agent', senderName: name })
  return `# The conversations that are open: take an id from the answer.
curl ${quoted(`${origin}/api/v1/conversations?status=OPEN`)} \\
  -H "Authorization: Bearer $GUDDESK_API_KEY"

# Answer in one of them.
curl -X POST ${quoted(`${origin}/api/agent/reply`)} \\
  -H "Authorization: Bearer $GUDDESK_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d ${quoted(message)}
`
}

/** For a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\\\''")}'`
}
