import { brotliCompressSync, gzipSync } from 'node:zlib'

/** What a receiver writes once a request has arrived; parts are written 20 ms apart. null: it closes, `reset`: it resets. */
export type Written = (string | Buffer | null | 'reset')[]

/** What is recorded of it: a status and the beginning of the body, or why there is none. */
export type Recorded = { status: number; response?: string | RegExp } | { error: string | RegExp }

export interface Answer {
  readonly name: string
  readonly written: Written
  readonly recorded: Recorded
}

const JSON_BODY = '{"error":"signature mismatch"}'
const COMPRESSED = /compressed/
const OK = { status: 200, response: 'ok' }
const NOT_HTTP = { error: 'The response is not valid HTTP' }
const CUT = { error: 'The receiver closed the connection before the response was complete' }
const head = (status: string, ...headers: string[]) =>
  `HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`
const okWith = (...headers: string[]) => `${head('200 OK', ...headers, 'Content-Length: 2')}ok`
const chunked = (status: string, body: string, ...headers: string[]) =>
  `${head(status, 'Transfer-Encoding: chunked', ...headers)}${body}`
const coded = (coding: string, bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(head('400 Bad Request', `Content-Encoding: ${coding}`, `Content-Length: ${bytes.length}`)),
    bytes,
  ])

const a = (name: string, written: string | Buffer | Written, recorded: Recorded): Answer => ({
  name,
  written: Array.isArray(written) ? written : [written],
  recorded,
})

const statusAnswers = [
  ['200 OK', 200],
  ['201 Created', 201],
  ['202 Accepted', 202],
  ['206 Partial Content', 206],
  ['226 IM Used', 226],
  ['299 Own', 299],
  ['300 Multiple Choices', 300],
  ['400 Bad Request', 400],
  ['401 Unauthorized', 401],
  ['403 Forbidden', 403],
  ['404 Not Found', 404],
  ['405 Method Not Allowed', 405],
  ['408 Request Timeout', 408],
  ['410 Gone', 410],
  ['413 Content Too Large', 413],
  ['418 I am a teapot', 418],
  ['422 Unprocessable Content', 422],
  ['429 Too Many Requests', 429],
  ['451 Unavailable For Legal Reasons', 451],
  ['500 Internal Server Error', 500],
  ['502 Bad Gateway', 502],
  ['503 Service Unavailable', 503],
  ['504 Gateway Timeout', 504],
  ['520 Web Server Returned an Unknown Error', 520],
  ['599 Own', 599],
].map(([line, status]) =>
  a(`${line}`, `${head(`${line}`, 'Content-Length: 2')}ok`, { status: Number(status), response: 'ok' }),
)

/** How real servers answer, each as it was seen or as RFC 9112 allows it. */
export const ANSWERS: Answer[] = [
  ...statusAnswers,
  a('no reason phrase, as nginx with http2 behind it', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', OK),
  a('no blank before the missing reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', OK),
  a('a reason in UTF-8', 'HTTP/1.1 200 D’accord\r\nContent-Length: 2\r\n\r\nok', OK),
  a('HTTP/1.0 that closes, as Python’s http.server', ['HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6\r\n\r\nok', null], OK),
  a('HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok', OK),
  a('HTTP/1.1 that closes without a length', [head('200 OK', 'Connection: close'), 'ok', null], OK),
  a('Connection: close with a length', [okWith('Connection: close'), null], OK),
  a('Keep-Alive: timeout=5', okWith('Connection: keep-alive', 'Keep-Alive: timeout=5, max=100'), OK),
  a('a length of nothing', head('200 OK', 'Content-Length: 0'), { status: 200, response: '' }),
  a('204', head('204 No Content'), { status: 204, response: '' }),
  a('204 with a length of zero', head('204 No Content', 'Content-Length: 0'), { status: 204 }),
  a('204 with a length, as Django’s runserver', head('204 No Content', 'Content-Length: 2'), { status: 204 }),
  a('204 with a length and a body', `${head('204 No Content', 'Content-Length: 2')}ok`, { status: 204 }),
  a('304', head('304 Not Modified'), { status: 304 }),
  a('two equal lengths', `${head('200 OK', 'Content-Length: 2', 'content-length: 2')}ok`, OK),
  a('two different lengths', `${head('200 OK', 'Content-Length: 2', 'Content-Length: 3')}ok`, {
    error: /Content-Length/,
  }),
  a('a length that is no number', `${head('200 OK', 'Content-Length: two')}ok`, NOT_HTTP),
  a('a negative length', `${head('200 OK', 'Content-Length: -2')}ok`, NOT_HTTP),
  a('fewer bytes than it says', [`${head('200 OK', 'Content-Length: 9')}ok`, null], CUT),
  a('more bytes than it says', `${head('200 OK', 'Content-Length: 2')}okay`, OK),
  a('chunked', chunked('200 OK', '2\r\nok\r\n0\r\n\r\n'), OK),
  a('chunked, in pieces', [chunked('200 OK', '1\r\no\r\n'), '1\r\nk\r\n', '0\r\n\r\n'], OK),
  a('chunked with an extension', chunked('200 OK', '2;name=value\r\nok\r\n0\r\n\r\n'), OK),
  a(
    'chunked with trailers',
    chunked('200 OK', '2\r\nok\r\n0\r\nServer-Timing: app;dur=3\r\n\r\n', 'Trailer: Server-Timing'),
    OK,
  ),
  a('chunked with upper-case sizes', chunked('200 OK', `1A\r\n${'x'.repeat(26)}\r\n0\r\n\r\n`), {
    status: 200,
    response: 'x'.repeat(26),
  }),
  a('chunked with leading zeros, as some Java servers', chunked('200 OK', '0002\r\nok\r\n0000\r\n\r\n'), OK),
  a('chunked without an end', [chunked('200 OK', '2\r\nok\r\n'), null], CUT),
  a('chunked and empty', chunked('200 OK', '0\r\n\r\n'), { status: 200, response: '' }),
  a('a chunk size that is no number', chunked('200 OK', 'zz\r\nok\r\n0\r\n\r\n'), NOT_HTTP),
  a('unsolicited 100 Continue', `${head('100 Continue')}${okWith()}`, OK),
  a('100 Continue, then a pause', [head('100 Continue'), okWith()], OK),
  a('100 Continue twice', `${head('100 Continue')}${head('100 Continue')}${okWith()}`, OK),
  a('102 Processing', [head('102 Processing'), okWith()], OK),
  a('103 Early Hints with links', [head('103 Early Hints', 'Link: </style.css>; rel=preload'), okWith()], OK),
  a('100 and no more', [head('100 Continue'), null], { error: /closed/ }),
  a('101 to another protocol', [head('101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'), null], {
    error: /./,
  }),
  a('9 kB of one header', okWith(`Content-Security-Policy: ${'a'.repeat(9000)}`), OK),
  a('30 kB of one header', okWith(`Content-Security-Policy: ${'a'.repeat(30_000)}`), OK),
  a('410 with 9 kB of headers', head('410 Gone', `Content-Security-Policy: ${'a'.repeat(9000)}`, 'Content-Length: 0'), {
    status: 410,
  }),
  a('200 cookies', okWith(...Array.from({ length: 200 }, (_, i) => `Set-Cookie: c${i}=${'v'.repeat(40)}`)), OK),
  a('70 kB of headers', okWith(`X-Long: ${'a'.repeat(70_000)}`), {
    error: 'The response headers are larger than 64 kB',
  }),
  a('a header without a value', okWith('X-Empty:'), OK),
  a('blanks around a value', okWith('X-Blank:   \t value \t '), OK),
  a('a header in Latin-1', Buffer.from(okWith('X-Name: Zoë'), 'latin1'), OK),
  a('names in upper case', `HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 2\r\nCONTENT-TYPE: TEXT/PLAIN\r\n\r\nok`, OK),
  a('a name with a blank before the colon', `HTTP/1.1 200 OK\r\nX-Odd : 1\r\nContent-Length: 2\r\n\r\nok`, NOT_HTTP),
  a('a head byte by byte', [...`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n`].concat('ok'), OK),
  a('status 000', head('000 Nothing', 'Content-Length: 0'), { error: /status 000/ }),
  a('status 099', head('099 Nothing', 'Content-Length: 0'), { error: /status 099/ }),
  a('a status of two digits', `HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n`, NOT_HTTP),
  a('a status of four digits', `HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n`, NOT_HTTP),
  a('a version of its own', `HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok`, OK),
  a('HTTP/0.9', ['<html>ok</html>', null], NOT_HTTP),
  a('an SSH server', 'SSH-2.0-OpenSSH_9.2\r\n', NOT_HTTP),
  a('an SMTP server', '220 mail.example.com ESMTP\r\n', NOT_HTTP),
  a('a TLS alert, from a port that speaks TLS', Buffer.from([21, 3, 1, 0, 2, 2, 70]), NOT_HTTP),
  a('no answer and a close', [null], CUT),
  a('no answer and a reset', ['reset'], { error: 'The receiver reset the connection' }),
  a('a head and a reset', [head('200 OK', 'Content-Length: 2'), 'reset'], {
    error: 'The receiver reset the connection',
  }),
  a('half a head and a close', ['HTTP/1.1 200 OK\r\nContent-', null], { error: /closed|not valid/ }),
  a('gzip', coded('gzip', gzipSync(JSON_BODY)), { status: 400, response: COMPRESSED }),
  a('brotli', coded('br', brotliCompressSync(JSON_BODY)), { status: 400, response: COMPRESSED }),
  a(
    'identity',
    `${head('400 Bad Request', 'Content-Encoding: identity', `Content-Length: ${JSON_BODY.length}`)}${JSON_BODY}`,
    { status: 400, response: JSON_BODY },
  ),
  a('Latin-1', Buffer.from(`${head('400 Bad Request', 'Content-Length: 3')}Zoë`, 'latin1'), {
    status: 400,
    response: 'Zo\ufffd',
  }),
  a(
    'UTF-8 in two parts',
    [
      Buffer.concat([Buffer.from(head('400 Bad Request', 'Content-Length: 3')), Buffer.from('€').subarray(0, 1)]),
      Buffer.from('€').subarray(1),
    ],
    { status: 400, response: '€' },
  ),
  a('a body with U+0000', `${head('400 Bad Request', 'Content-Length: 3')}a\u0000b`, {
    status: 400,
    response: 'a\ufffdb',
  }),
  a('an HTML page of 10 kB', `${head('500 Internal Server Error', 'Content-Length: 10000')}${'<p>'.repeat(3333)}x`, {
    status: 500,
    response: /^<p>/,
  }),
  a('an error of 100 kB', `${head('500 Internal Server Error', 'Content-Length: 100000')}${'y'.repeat(100_000)}`, {
    status: 500,
    response: /^y{4096}$/,
  }),
  a('a success of 100 kB with its length', `${head('200 OK', 'Content-Length: 100000')}${'y'.repeat(100_000)}`, {
    status: 200,
  }),
  a('a success of 100 kB without', [head('200 OK', 'Connection: close'), 'y'.repeat(100_000)], {
    error: 'The response is longer than 64 kB',
  }),
  a('a redirect', head('307 Temporary Redirect', 'Location: https://example.com/hook/', 'Content-Length: 0'), {
    status: 307,
  }),
  a('a redirect to a path', head('301 Moved Permanently', 'Location: /hook/', 'Content-Length: 0'), { status: 301 }),
  a('a redirect without a target', head('302 Found', 'Content-Length: 0'), { status: 302 }),
  ...['120', 'Thu, 15 Jan 2099 10:30:00 GMT', 'soon', '-5', '1e9', '3.5', ''].map((value) =>
    a(`Retry-After: ${value}`, head('503 Service Unavailable', `Retry-After: ${value}`, 'Content-Length: 0'), {
      status: 503,
    }),
  ),
]
