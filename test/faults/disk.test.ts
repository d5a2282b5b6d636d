import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isDatabaseAway } from '../../src/infra/database/db-away.ts'
import { Embedded } from '../../src/infra/database/embedded/embedded.ts'
import { createLog } from '../../src/infra/log.ts'
import { type Child, type Installation, newInstallation } from '../support/child.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { type Flow, startFlow, tell } from './flow.ts'

const run = promisify(execFile)
const MB = 2 ** 20

interface Disk {
  readonly folder: string
  /** Leaves so many bytes free, if there are as many. */
  fill(leave: number): Promise<void>
  empty(): Promise<void>
  free(): Promise<number>
  remove(): Promise<void>
}

/** A file system of its own that can be filled; null where this user may not mount one. */
async function smallDisk(): Promise<Disk | null> {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', folder])
  } catch {
    await rm(folder, { recursive: true })
    return null
  }
  let fillers = 0
  const free = async () => {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  }
  return {
    folder,
    free,
    async fill(leave) {
      const size = (await free()) - leave
      // What the database takes meanwhile is missing at the end.
      if (size > 0)
        await run('fallocate', ['-l', String(size), join(folder, `filler-${++fillers}`)]).catch(() => undefined)
    },
    async empty() {
      for (; fillers > 0; fillers--) await rm(join(folder, `filler-${fillers}`))
    },
    async remove() {
      await run('umount', ['-l', folder])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

let disk: Disk | null
let installation: Installation
let receiver: Receiver
let child: Child
let flow: Flow

beforeEach(async () => {
  disk = await smallDisk()
  if (disk === null) {
    console.warn('NOT RUN: a full disk under the embedded database, because this user may not mount a tmpfs.')
    return
  }
  installation = await newInstallation()
  receiver = await startReceiver()
  child = await installation.start({ DATABASE_URL: '', REDIS_URL: '', DATA_DIR: join(disk.folder, 'data') })
  flow = await startFlow(() => child, [receiver])
})

afterEach(async () => {
  if (disk === null) return
  await installation.remove()
  await receiver.close()
  await disk.remove()
})

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(child.origin + path, {
    method,
    headers: { authorization: `Bearer ${child.key}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const ballast = (folder: string) =>
  stat(join(folder, 'data', 'ballast')).then(
    ({ size }) => size,
    () => 0,
  )

const SENTENCE = 'The disk of the database is full: only reading works. Free some space on it, then try again'
const upsertVisitor = (headers?: Record<string, string>) => call('POST', '/api/v1/customers', { name: 'Vera' }, headers)
const health = async () => (await call('GET', '/healthz')).text

test('a disk that is nearly full: writes are refused with a sentence, reads go on, and all is well with space', async () => {
  if (disk === null) return
  const { folder } = disk
  await until(async () => (await ballast(folder)) === 32 * MB)
  await flow.write(40)
  const writing = flow.write(200)
  await disk.fill(50 * MB)
  await until(async () => (await health()).includes('read_only'))
  const graphql = (query: string) => call('POST', '/graphql', { query }, { 'x-guddesk-csrf': '1' })
  for (const { status, headers, text } of [
    await upsertVisitor(),
    await upsertVisitor({ 'Idempotency-Key': 'while-full' }),
    await graphql('mutation { upsertVisitor(input: { name: "Vera" }) { __typename } }'),
  ]) {
    expect([status, text.includes(SENTENCE), headers.get('retry-after')]).toEqual([503, true, '2'])
  }
  expect((await call('GET', '/api/v1/conversations')).status).toBe(200)
  expect((await graphql('{ conversations { totalCount } }')).status).toBe(200)
  // Others use up the rest: the ballast goes.
  await disk.fill(4 * MB)
  await until(async () => (await ballast(folder)) === 0)
  expect((await call('GET', '/api/v1/conversations')).status).toBe(200)
  await disk.empty()
  await writing
  expect((await upsertVisitor({ 'Idempotency-Key': 'while-full' })).status).toBe(201)
  await until(async () => (await ballast(folder)) === 32 * MB)
  expect(await health()).toContain('ok')
  tell('disk nearly full', await flow.arrived(), 240)
  const said = child.output().match(/"level":50/g) ?? []
  expect(said).toHaveLength(1)
})

test('PGlite aborts, because its log cannot be written: it is opened again by itself, with all that was acknowledged', async () => {
  const small = await smallDisk()
  if (small === null) return console.warn('NOT RUN: PGlite aborts, because this user may not mount a tmpfs.')
  const folder = join(small.folder, 'data')
  const embedded = await Embedded.open(folder)
  const insert = () =>
    embedded.pool.query(
      "WITH line AS (INSERT INTO lines VALUES ('x')) SELECT pg_logical_emit_message(true, 'x', repeat('x', 100000))",
    )
  const count = async () => (await embedded.pool.query('SELECT count(*)::int AS n FROM lines')).rows[0]
  await embedded.pool.query('CREATE TABLE lines (text text)')
  // Too little for another segment of the log.
  await small.fill(12 * MB)
  let acknowledged = 0
  let failure: unknown
  while (failure === undefined) {
    await insert().then(
      () => acknowledged++,
      (error: unknown) => (failure = error),
    )
  }
  // The statement that found no space is refused; the abort may come with the next one.
  for (let i = 0; i < 5 && !isDatabaseAway(failure); i++) failure = await insert().catch((error: unknown) => error)
  expect(isDatabaseAway(failure)).toBe(true)
  await expect(embedded.pool.query('SELECT 1')).rejects.toThrow('The embedded database has stopped')
  await expect(Embedded.open(folder)).rejects.toThrow('Another process is using')
  const stop = embedded.watch(createLog('silent'))
  await small.empty()
  await until(() =>
    count().then(
      () => true,
      () => false,
    ),
  )
  expect((await count()).n).toBeGreaterThanOrEqual(acknowledged)
  await until(async () => !embedded.isFull)
  await insert()
  await stop()
  await embedded.pool.end()
  await embedded.close()
  await small.remove()
})
