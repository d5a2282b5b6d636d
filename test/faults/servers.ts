import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../support/child.ts'
import { isListening } from '../support/servers.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)

/** A Redis server of this test's own. */
export interface OwnRedis {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
  pause(): void
  resume(): void
  /** Closes every client's connection. */
  flush(): Promise<void>
  remove(): Promise<void>
}

export async function startRedis(): Promise<OwnRedis> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    server = spawn('redis-server', args, { stdio: 'ignore' })
    await until(() => isListening(url), 10_000)
  }
  const kill = async () => {
    if (server === undefined) return
    const exit = once(server, 'exit')
    server.kill('SIGKILL')
    server.kill('SIGCONT')
    await exit
    server = undefined
  }
  await start()
  return {
    url,
    kill,
    start,
    pause: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
    async flush() {
      await run('redis-cli', ['-p', String(port), 'flushall'])
      await run('redis-cli', ['-p', String(port), 'client', 'kill', 'type', 'pubsub'])
    },
    remove: kill,
  }
}

const PGBOUNCER = ['/usr/sbin/pgbouncer', '/usr/local/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find((path) =>
  existsSync(path),
)

/** A PgBouncer of this test's own. */
export interface OwnPgBouncer {
  readonly port: number
  remove(): Promise<void>
}

/** @param configure its pgbouncer.ini, for a port */
export async function startPgBouncer(configure: (port: number) => string): Promise<OwnPgBouncer> {
  if (PGBOUNCER === undefined) throw new Error('PgBouncer is not installed: apt-get install pgbouncer')
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-pgbouncer-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(file, configure(port))
  // It refuses to run as root.
  const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const server = spawn(PGBOUNCER, [...user, file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exit = once(server, 'exit')
  let said = ''
  server.stderr.on('data', (chunk) => (said += chunk))
  await until(
    () => isListening(`postgresql://127.0.0.1:${port}`),
    10_000,
    () => said,
  )
  return {
    port,
    async remove() {
      server.kill('SIGKILL')
      await exit
      await rm(folder, { recursive: true, force: true })
    },
  }
}
