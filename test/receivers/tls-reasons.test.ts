import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../../src/dispatch/send/http-client.ts'

/** How a certificate is made: by the authority unless `x509` says otherwise. */
interface Certificate {
  readonly key?: string[]
  readonly subject?: string
  readonly extensions?: string[]
  readonly sign?: string[]
  readonly by?: string | null
}

const LOCALHOST = ['subjectAltName=DNS:localhost,IP:127.0.0.1']
const RSA_2048 = ['-newkey', 'rsa:2048']

let folder: string
let sender: HttpClient
const defaults = getCACertificates('default')
const closing: (() => void)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guddesk-tls-'))
  await make('authority', { extensions: ['basicConstraints=critical,CA:TRUE'], by: null })
  await make('intermediate', { extensions: ['basicConstraints=critical,CA:TRUE'] })
  setDefaultCACertificates([...defaults, await readFile(join(folder, 'authority.pem'), 'utf8')])
  sender = createHttpClient({ requireHttps: false, allowLoopback: true })
})

afterAll(async () => {
  sender?.close()
  for (const close of closing) close()
  setDefaultCACertificates(defaults)
  await rm(folder, { recursive: true, force: true })
})

/** Makes a key and a certificate with OpenSSL. @param by the issuer; null: itself */
async function make(
  name: string,
  { key = RSA_2048, extensions = LOCALHOST, sign = [], by = 'authority' }: Certificate,
): Promise<void> {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const added = extensions.flatMap((extension) => ['-addext', extension])
  const days = sign.some((option) => option.startsWith('-not_')) ? [] : ['-days', '30']
  const issuer = by === null ? [] : ['-CA', `${by}.pem`, '-CAkey', `${by}.key`]
  const files = ['-nodes', '-keyout', `${name}.key`, '-out', `${name}.pem`]
  openssl('req', '-x509', ...key, ...files, '-subj', `/CN=${name}`, ...added, ...days, ...sign, ...issuer)
}

async function serve(options: ServerOptions): Promise<number> {
  const server = createServer(options, (request, response) => request.resume().on('end', () => response.end('ok')))
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  return (server.address() as AddressInfo).port
}

const filesOf = async (name: string) => ({
  key: await readFile(join(folder, `${name}.key`)),
  cert: await readFile(join(folder, `${name}.pem`)),
})

const post = (port: number) => sender.post(`https://localhost:${port}/hook`, {}, '{}')

test('a good certificate of a known authority is taken', async () => {
  await make('good', {})
  expect(await post(await serve(await filesOf('good')))).toMatchObject({ kind: 'answered', statusCode: 200 })
})

test.each<[string, Certificate, RegExp, ServerOptions]>([
  [
    'a key of 1,024 bits',
    { key: ['-newkey', 'rsa:1024'] },
    /key of a certificate is too weak: use P-256/,
    { ciphers: 'DEFAULT@SECLEVEL=0' },
  ],
  ['a signature with SHA-1', { sign: ['-sha1'] }, /SHA-1 or MD5: reissue it/, { ciphers: 'DEFAULT@SECLEVEL=0' }],
  [
    'a certificate for clients',
    { extensions: [...LOCALHOST, 'extendedKeyUsage=clientAuth'] },
    /not valid for servers/,
    {},
  ],
  ['a self-signed certificate', { by: null }, /self-signed: use a certificate from/, {}],
  ['another host name', { extensions: ['subjectAltName=DNS:example.com'] }, /does not cover this host name/, {}],
  ['a chain without its intermediate', { by: 'intermediate' }, /an intermediate certificate is missing/, {}],
  [
    'TLS 1.1 only',
    {},
    /neither TLS 1.2 nor TLS 1.3/,
    { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
  ],
])('%s', async (name, certificate, reason, options) => {
  const file = name.replaceAll(/\W/g, '-')
  await make(file, certificate)
  const exchange = await post(await serve({ ...(await filesOf(file)), ...options }))
  expect(exchange).toEqual({ kind: 'failed', error: expect.stringMatching(reason) })
  expect(exchange).toEqual({ kind: 'failed', error: expect.stringMatching(/^TLS: /) })
})

test('a port that speaks plain HTTP', async () => {
  const server = createHttpServer((_request, response) => response.end('ok'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const exchange = await post((server.address() as AddressInfo).port)
  expect(exchange).toEqual({ kind: 'failed', error: expect.stringContaining('the port does not serve TLS') })
})
