import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { START_ARGS } from '../../demo/start.ts'
import { newApiKey } from '../../src/infra/secrets.ts'
import { backend, createPostgres } from './database.ts'
import { REDIS_URL } from './servers.ts'
import { until } from './until.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A server process as `npm start` runs it, that can be killed and started again on the same data. */
export interface Child {
  readonly origin: string
  readonly key: string
  /** Everything it printed. */
  output(): string
  readonly pid: number
  signal(name: NodeJS.Signals): void
  /** Its exit code, or the signal that ended it. */
  exited(): Promise<number | string>
}

export interface Ran {
  readonly code: number
  /** Everything it printed. */
  readonly output: string
}

export interface Running {
  /** Everything it has printed. */
  output(): string
  readonly ended: Promise<Ran>
}

export interface Installation {
  start(env?: Record<string, string>): Promise<Child>
  /** Runs one of the commands, or `main`, on the same data, to its end. */
  run(script: string, ...args: string[]): Promise<Ran>
  runWith(env: Record<string, string>, script: string, ...args: string[]): Promise<Ran>
  /** The same for a script that waits for something. */
  begin(env: Record<string, string>, script: string, ...args: string[]): Running
  remove(): Promise<void>
}

/**
 * An installation without data on the backend under test: a folder of its own, or a database of its own.
 * @param options isNew: without tables, as a user's first start finds it, which then takes seconds longer
 */
export async function newInstallation({ isNew = false } = {}): Promise<Installation> {
  const dataDir = await mkdtemp(join(tmpdir(), 'guddesk-child-'))
  const postgres =
    backend === 'postgres' ? await createPostgres(isNew ? undefined : inject('postgresTemplate')) : undefined
  if (backend === 'embedded' && !isNew) await unpack(inject('embeddedTemplate'), join(dataDir, 'pglite'))
  const key = newApiKey()
  const children: ChildProcess[] = []
  const backendEnv = { DATABASE_URL: postgres?.url ?? '', REDIS_URL: postgres === undefined ? '' : REDIS_URL }
  function begin(more: Record<string, string>, script: string, ...args: string[]): Running {
    const env = { PATH: process.env['PATH'], DATA_DIR: dataDir, ...backendEnv, ...more }
    const path = script === 'main' ? 'src/main.ts' : `src/cli/${script}.ts`
    const child = spawn(process.execPath, [path, ...args], { cwd: ROOT, env })
    children.push(child)
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    return { output: () => output, ended: once(child, 'close').then(([code]) => ({ code, output })) }
  }
  const runWith: Installation['runWith'] = (...script) => begin(...script).ended

  return {
    run: (script, ...args) => runWith({}, script, ...args),
    runWith,
    begin,
    async start(env = {}) {
      const port = await freePort()
      const child = spawn(process.execPath, [...START_ARGS], {
        cwd: ROOT,
        env: {
          PATH: process.env['PATH'],
          PORT: String(port),
          DATA_DIR: dataDir,
          GUDDESK_API_KEY: key,
          RATE_LIMIT_PER_MINUTE: '0',
          RATE_LIMIT_FAILURES_PER_MINUTE: '0',
          ...backendEnv,
          ...env,
        },
      })
      children.push(child)
      let output = ''
      const exit = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => signal ?? code ?? -1)
      child.stdout.on('data', (chunk) => (output += chunk))
      child.stderr.on('data', (chunk) => (output += chunk))
      const origin = `http://127.0.0.1:${port}`
      await until(
        () => {
          if (child.exitCode !== null) throw new Error(`It exited with ${child.exitCode}:\n${output}`)
          return fetch(`${origin}/healthz`).then(
            ({ status }) => status === 200,
            () => false,
          )
        },
        60_000,
        () => `no answer from ${origin}/healthz:\n${output}`,
      )
      return {
        origin,
        key,
        output: () => output,
        pid: child.pid ?? 0,
        signal: (name) => child.kill(name),
        exited: () => exit,
      }
    },
    async remove() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await postgres?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function unpack(archive: string, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 })
  await promisify(execFile)('tar', ['-xf', archive, '-C', folder])
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A JSON call to a child; fails when there is no 2xx. */
export async function post<T>(child: Child, path: string, body: unknown): Promise<T> {
  const response = await fetch(child.origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${child.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
  return JSON.parse(text) as T
}
