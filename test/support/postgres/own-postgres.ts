import { execFile } from 'node:child_process'
import { chmod, chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../child.ts'
import { POSTGRES_PROGRAMS as BIN } from './programs.ts'

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

/** PostgreSQL refuses to run as root: there its own user runs it. */
async function asPostgres(command: string, args: readonly string[]): Promise<void> {
  const isRoot = userInfo().uid === 0
  const [file, all] = isRoot ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, [...args]]
  await run(file, all, { cwd: tmpdir() })
}

/**
 * @param settings of postgresql.conf
 * @throws Error where PostgreSQL's programs are not installed
 */
export async function startPostgres(settings: Record<string, string> = {}): Promise<OwnPostgres> {
  if (BIN === null) throw new Error('PostgreSQL is not on this machine: PG_BIN names the folder of its programs')
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-postgres-'))
  if (userInfo().uid === 0) {
    const { stdout } = await run('id', ['-u', 'postgres'])
    await chown(folder, Number(stdout), -1)
  }
  await chmod(folder, 0o700)
  const data = join(folder, 'data')
  await asPostgres(`${BIN}/initdb`, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'])
  const port = await freePort()
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, max_connections: '60', ...settings }
  const options = [`-p ${port}`, ...Object.entries(all).map(([name, value]) => `-c ${name}=${value}`)].join(' ')
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
