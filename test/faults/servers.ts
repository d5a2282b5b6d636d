import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../support/child.ts'
import { isListening } from '../support/servers.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)

/** A PostgreSQL server of this test's own, which may be restarted, killed and stopped. */
export interface OwnPostgres {
  readonly url: string
  /** Ends every connection and every transaction under way, as a crash does, and comes back. */
  restart(): Promise<void>
  /** Takes the server away until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
  /** No process of it runs any more, as if the network were cut; connections stay open. */
  pause(): Promise<void>
  resume(): Promise<void>
  remove(): Promise<void>
}

const BIN = process.env['PG_BIN'] ?? '/usr/lib/postgresql/15/bin'

/** PostgreSQL refuses to run as root: there its own user runs it. */
async function asPostgres(command: string, args: readonly string[]): Promise<void> {
  const isRoot = userInfo().uid === 0
  const [file, all] = isRoot ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, [...args]]
  await run(file, all, { cwd: tmpdir() })
}

export async function startPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-postgres-'))
  if (userInfo().uid === 0) {
    const { stdout } = await run('id', ['-u', 'postgres'])
    await chown(folder, Number(stdout), -1)
  }
  await chmod(folder, 0o700)
  const data = join(folder, 'data')
  await asPostgres(`${BIN}/initdb`, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'])
  const port = await freePort()
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c max_connections=60`
  const control = (...args: string[]) => asPostgres(`${BIN}/pg_ctl`, ['-D', data, '-w', ...args])
  const start = () => control('start', '-l', join(folder, 'log'), '-o', options)
  const signalAll = async (signal: NodeJS.Signals) => {
    const { stdout } = await run('pgrep', ['-f', `postgres.*${data}`]).catch(() => ({ stdout: '' }))
    const [postmaster] = stdout.trim().split('\n').map(Number)
    if (postmaster === undefined) throw new Error('the server does not run')
    const { stdout: children } = await run('pgrep', ['-P', String(postmaster)]).catch(() => ({ stdout: '' }))
    for (const pid of [postmaster, ...children.trim().split('\n').map(Number)]) if (pid > 1) process.kill(pid, signal)
  }
  await start()
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    restart: async () => {
      await control('stop', '-m', 'immediate')
      await start()
    },
    stop: () => control('stop', '-m', 'immediate'),
    start,
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    async remove() {
      if (await stat(join(data, 'postmaster.pid')).catch(() => null)) await control('stop', '-m', 'immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

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
