import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashPassword } from 'better-auth/crypto'
import { authenticateKey } from '../../src/auth/api-key.ts'
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticate.ts'
import { createAuthFailureThrottle } from '../../src/auth/failure-throttle.ts'
import { apiKeyRow } from '../../src/domain/credentials/api-keys.ts'
import { DISPATCH_TOPIC } from '../../src/domain/events/events.ts'
import type { Actor } from '../../src/domain/shared/actor.ts'
import type { Deps } from '../../src/domain/shared/deps.ts'
import { newId } from '../../src/domain/shared/ids.ts'
import { omitUndefined } from '../../src/domain/shared/input.ts'
import type { ApiKeyPermission, MemberRole } from '../../src/generated/prisma/enums.ts'
import type { Pages } from '../../src/http/pages/dashboard.ts'
import { readConfig } from '../../src/infra/config.ts'
import type { Database } from '../../src/infra/database/db.ts'
import { createLog } from '../../src/infra/log.ts'
import type { Resolve } from '../../src/infra/net/resolve.ts'
import { newApiKey } from '../../src/infra/secrets.ts'
import { buildServer, type GudDesk } from '../../src/server.ts'
import { type TestClock, testClock } from './clock.ts'
import { expectDocumented } from './contract/openapi.ts'
import { backend, openTestDatabase } from './database.ts'
import type { TypedDocument } from './graphql.ts'
import { REDIS_URL } from './servers.ts'
import { openWitness, type Witness } from './witness.ts'

/** A REST answer. `data` and `error` are the envelope's parts. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly data: any
  readonly error: { code: string; message: string; status: number; fields?: { path: string; message: string }[] }
}

export interface Call {
  readonly key?: string | null
  readonly headers?: Record<string, string>
  /** Sent as it is, in place of JSON. */
  readonly raw?: string | Buffer
}

/** One workspace with a person in it and a FULL_ACCESS key. */
export interface Tenant {
  readonly workspaceId: string
  readonly userId: string
  readonly memberId: string
  readonly key: string
}

/** The data of an operation of which no root field was refused. */
export type Unrefused<Result> = { [Field in keyof Result]: NonNullable<Result[Field]> }

/** A running GudDesk on a database of its own, with what tests need around it. */
export interface TestGudDesk extends GudDesk {
  readonly origin: string
  readonly clock: TestClock
  /** Everything it logged, as parsed lines. */
  readonly logs: Record<string, unknown>[]
  /** The first workspace. */
  readonly tenant: Tenant
  call(method: string, path: string, body?: unknown, call?: Call): Promise<Answer>
  /** Any text: what is malformed, refused, or made at run time. */
  graphql(query: string, variables?: object, call?: Call): Promise<Answer>
  /**
   * An operation that succeeds; its data. Root fields count as non-null, since a refusal throws.
   * @throws Error with the errors of the answer
   */
  query<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    ...rest: Arguments<Variables>
  ): Promise<Unrefused<Result>>
  newTenant(role?: MemberRole): Promise<Tenant>
  /** Who a key acts as: of its one workspace, or of the one that is named. */
  actorOf(key: string, workspaceId?: string): Promise<Actor>
  newKey(tenant: Tenant, permission: ApiKeyPermission, scope?: 'workspace' | 'all'): Promise<string>
  newMember(tenant: Tenant, name: string, role?: MemberRole): Promise<{ memberId: string; userId: string }>
  /** Signed in without a password: the credential for "Authorization: Bearer …". */
  newSession(person: { userId: string }): Promise<string>
  setPassword(person: { userId: string }, password: string): Promise<void>
  newVisitor(tenant?: Tenant, name?: string): Promise<string>
  newConversation(tenant?: Tenant, message?: string): Promise<string>
  /** Moves time and wakes the dispatcher. */
  advance(ms: number): void
  /**
   * Waits until the dispatcher has sent everything that is due: what has not arrived by then does not come. It makes events
   * of a workspace of its own.
   */
  dispatched(): Promise<void>
}

/** For servers that a test puts together itself. */
export function anAuthenticator(deps: Deps): Authenticator {
  const tokens = { secret: 'test', previousSecret: null, isSecure: false }
  const failures = createAuthFailureThrottle(
    0,
    { hit: async () => ({ hits: 0, endsInMs: 0, fits: true }) },
    async () => [],
    deps.clock,
  )
  return createAuthenticator(deps, { trustProxy: 0, tokens, own: { origins: new Set(), allowHost: true }, failures })
}
/** Variables may be left out when all of them may. */
type Arguments<Variables> =
  Record<string, never> extends Variables ? [variables?: Variables, call?: Call] : [variables: Variables, call?: Call]

export interface Options {
  readonly env?: Record<string, string>
  /** The dashboard; there is none otherwise. */
  readonly pages?: Promise<Pages | null>
  /** How webhooks' names become addresses; the machine's own way when left out. */
  readonly resolve?: Resolve
  /** One of the backend's own when left out. Of a further node on one database, `tenant.key` is not valid. */
  readonly db?: Database
}

export async function startGudDesk({ env = {}, pages, resolve, db }: Options = {}): Promise<TestGudDesk> {
  const dataDir = await mkdtemp(join(tmpdir(), 'guddesk-test-'))
  const key = newApiKey()
  const logs: Record<string, unknown>[] = []
  const log = createLog('debug', { write: (line: string) => void logs.push(JSON.parse(line)) })
  const config = readConfig({
    PORT: '0',
    DATA_DIR: dataDir,
    GUDDESK_API_KEY: key,
    RATE_LIMIT_PER_MINUTE: '0',
    WEBHOOK_ENDPOINTS_PER_WORKSPACE: '10000',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0',
    ...(backend === 'postgres' && { REDIS_URL }),
    ...env,
  })
  const clock = testClock()
  const guddesk = await buildServer({
    config,
    log,
    clock,
    db: db ?? (await openTestDatabase()),
    ...omitUndefined({ pages, resolve }),
  })
  await new Promise<void>((resolve) => guddesk.server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(guddesk.server.address() as AddressInfo).port}`
  const { prisma } = guddesk.deps.db
  const { firstStart } = guddesk
  const owner = await prisma.member.findFirstOrThrow({
    where: firstStart === null ? {} : { workspaceId: firstStart.workspaceId },
  })
  const tenant = { workspaceId: owner.workspaceId, userId: owner.userId, memberId: owner.id, key }

  const call: TestGudDesk['call'] = async (method, path, body, { key: given = key, headers = {}, raw } = {}) => {
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...(given !== null && { authorization: `Bearer ${given}` }),
        ...((body !== undefined || raw !== undefined) && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...((body !== undefined || raw !== undefined) && {
        body: raw === undefined ? JSON.stringify(body) : asBody(raw),
      }),
    })
    const text = await response.text()
    const parsed = text === '' ? {} : JSON.parse(text)
    expectDocumented(method, path, response.status, parsed)
    return { status: response.status, headers: response.headers, body: parsed, data: parsed.data, error: parsed.error }
  }

  async function newUser(name: string): Promise<string> {
    const id = newId('user')
    await prisma.user.create({ data: { id, email: `${id}@example.com`, name, emailVerifiedAt: clock.now() } })
    return id
  }

  let witness: Promise<Witness> | undefined
  const witnessIn = async (where: Tenant) =>
    openWitness({ ...where, deps: guddesk.deps, call, conversationId: await self.newConversation(where) })

  const self: TestGudDesk = {
    ...guddesk,
    origin,
    clock,
    logs,
    tenant,
    call,
    graphql: (query, variables = {}, options) => call('POST', '/graphql', { query, variables }, options),
    async query<Result, Variables>(document: TypedDocument<Result, Variables>, ...rest: Arguments<Variables>) {
      const [variables = {}, options] = rest
      const { body } = await call('POST', '/graphql', { query: document, variables }, options)
      if (body.errors !== undefined) throw new Error(`The operation failed: ${JSON.stringify(body.errors)}`)
      return body.data
    },
    async newTenant(role = 'OWNER') {
      const workspaceId = newId('workspace')
      await prisma.workspace.create({ data: { id: workspaceId, name: 'Other', slug: workspaceId.replace('_', '-') } })
      const userId = await newUser('Otto Owner')
      const memberId = newId('member')
      await prisma.member.create({ data: { id: memberId, workspaceId, userId, role } })
      const made = { workspaceId, userId, memberId, key: '' }
      return { ...made, key: await self.newKey(made, 'FULL_ACCESS') }
    },
    async actorOf(key, workspaceId) {
      return (await authenticateKey(guddesk.deps, key)).actorIn(workspaceId)
    },
    async newKey({ workspaceId, userId }, permission, scope = 'workspace') {
      const made = newApiKey()
      const where = { userId, workspaceId: scope === 'all' ? null : workspaceId }
      await prisma.apiKey.create({ data: { ...apiKeyRow(made), ...where, name: `${permission} key`, permission } })
      return made
    },
    async newMember({ workspaceId }, name, role = 'AGENT') {
      const userId = await newUser(name)
      const memberId = newId('member')
      await prisma.member.create({ data: { id: memberId, workspaceId, userId, role } })
      return { memberId, userId }
    },
    newSession: async ({ userId }) => (await guddesk.people.openSession(userId, null)).token,
    async setPassword({ userId }, password) {
      const id = newId('account')
      const hash = await hashOf(password)
      const credential = { id, userId, providerId: 'credential', accountId: userId, password: hash }
      await prisma.account.create({ data: credential })
    },
    async newVisitor(where = tenant, name = 'Vera Visitor') {
      const { data } = await call('POST', '/api/v1/customers', { name }, { key: where.key })
      return data.id
    },
    async newConversation(where = tenant, message) {
      const visitorId = await self.newVisitor(where)
      const { data } = await call('POST', '/api/v1/conversations', { visitorId, message }, { key: where.key })
      return data.id
    },
    advance(ms) {
      clock.advance(ms)
      guddesk.deps.bus.notify(DISPATCH_TOPIC)
    },
    async dispatched() {
      witness ??= witnessIn(await self.newTenant())
      await (await witness).settled()
    },
    async stop() {
      await guddesk.stop()
      await (await witness)?.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return self
}

const hashes = new Map<string, Promise<string>>()

/** The same hash for the same password: making one takes a core for a tenth of a second. */
function hashOf(password: string): Promise<string> {
  const hash = hashes.get(password) ?? hashPassword(password)
  hashes.set(password, hash)
  return hash
}

function asBody(raw: string | Buffer): string | Uint8Array<ArrayBuffer> {
  return typeof raw === 'string' ? raw : new Uint8Array(raw)
}
