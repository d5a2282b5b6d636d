import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Backend } from '../../demo/process.ts'
import type { Server } from './load.ts'

/** Runs a hand-written server on a prepared database. @param script prints its origin */
export async function startPeer(script: string, backend: Backend, cleanup: AsyncDisposableStack): Promise<Server> {
  const { databaseUrl = '', redisUrl = '', dataDir = '' } = backend
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PORT: '0', DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanup.defer(async () => {
    const exit = once(child, 'exit')
    child.kill()
    await exit
  })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The hand-written server ended')))
  const [line] = await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => undefined)
  return { origin: String(line).trim(), pid: child.pid ?? 0 }
}
