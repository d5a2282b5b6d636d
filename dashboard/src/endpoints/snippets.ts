/** Where a receiver listens, taken from the URL that it was registered with. */
export interface Listening {
  readonly port: number
  readonly path: string
}

/** A local URL says where the receiver listens; behind a public one something forwards to it. */
export function listeningAt(url: string): Listening {
  if (!URL.canParse(url)) return { port: 3001, path: '/webhook' }
  const { hostname, port, pathname, search } = new URL(url)
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  return { port: isLocal ? Number(port || 80) : 3001, path: pathname + search }
}

/** A receiver that verifies signatures, with nothing but Node. */
export function receiverInNode({ port, path }: Listening): string {
  return `// receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

function isSigned(body, signature = '') {
  const hmac = createHmac('sha256', process.env.WEBHOOK_SECRET).update(body)
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
  console.log(event, data)
}).listen(${port})
`
}

/** The same with nothing but Python. */
export function receiverInPython({ port, path }: Listening): string {
  return `# receiver.py
import hashlib, hmac, json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
        print(webhook["event"], webhook["data"], flush=True)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

ThreadingHTTPServer(("", ${port}), Webhook).serve_forever()
`
}
