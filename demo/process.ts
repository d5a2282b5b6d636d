import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newApiKey } from '../src/infra/secrets.ts'
import { START_ARGS } from './start.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const START_MS = 60_000
/** A stopping GudDesk can drain for longer than this, which is too long after Ctrl-C. */
const STOP_MS = 5000

/** GudDesk as a process of its own, on a database that nothing else uses. */
export interface GudDeskProcess {
  readonly origin: string
  /** The first FULL_ACCESS key. */
  readonly key: string
  readonly pid: number
  /** Its output so far, which includes warnings and errors. */
  output(): string
  /** Rejects when the process ends before it is stopped. */
  readonly died: Promise<never>
}

export interface Backend {
  /** The embedded database when left out. */
  readonly databaseUrl?: string | undefined
  readonly redisUrl?: string | undefined
  /** A prepared folder, which the caller removes. Default: a temporary folder. */
  readonly dataDir?: string | undefined
  /** The key in the prepared database. */
  readonly key?: string | undefined
}

/**
 * Runs what `npm start` runs.
 * @param cleanup stops the process and removes the folder, even when starting is interrupted
 */
export async function startGudDesk(backend: Backend, cleanup: AsyncDisposableStack): Promise<GudDeskProcess> {
  const dataDir = backend.dataDir ?? temporaryFolder(cleanup)
  const key = backend.key ?? newApiKey()
  const child = spawn(process.execPath, [...START_ARGS], {
    cwd: ROOT,
    env: { ...process.env, ...settings(backend), DATA_DIR: dataDir, GUDDESK_API_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let isStopping = false
  cleanup.defer(() => {
    isStopping = true
    return stop(child)
  })
  const output = gather(child)
  const died = once(child, 'exit').then(([code, signal]) => {
    if (isStopping) return new Promise<never>(() => undefined)
    throw new Error(`GudDesk ended with ${signal ?? `exit code ${code}`}:\n${output()}`)
  })
  died.catch(() => undefined) // callers race it
  const origin = await Promise.race([announcedOrigin(output), died])
  return { origin, key, pid: child.pid ?? 0, output, died }
}

/** Synchronous, so that no signal can arrive before the removal is registered. */
function temporaryFolder(cleanup: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'guddesk-demo-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Overrides the caller's settings for its own GudDesk; empty means unset. */
function settings({ databaseUrl = '', redisUrl = '' }: Backend): Record<string, string> {
  return {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: '',
    ENCRYPTION_KEY: '',
    GUDDESK_ROLES: '',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
  }
}

function gather({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return () => text.trim()
}

/** With PORT=0, the system picks the port. The start message contains it. */
async function announcedOrigin(output: () => string): Promise<string> {
  const end = performance.now() + START_MS
  while (performance.now() < end) {
    const port = /http:\/\/localhost:(\d+)/.exec(output())?.[1]
    if (port !== undefined) return `http://127.0.0.1:${port}`
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`GudDesk was not ready within ${START_MS / 1000} seconds:\n${output()}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exit
  clearTimeout(killer)
}
