import { Pool } from 'undici'
import { type Summary, summarize } from '../../demo/stats.ts'
import { processorTime } from '../usage.ts'

export interface Server {
  readonly origin: string
  readonly pid: number
}

/** A request that is sent over and over. */
export interface Shot extends Server {
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly headers?: Record<string, string>
  readonly body?: string
}

export interface Load {
  readonly perSecond: number
  /** Milliseconds. */
  readonly latency: Summary
  /** Milliseconds of the server's process, which other work on the machine does not change; null without /proc. */
  readonly processor: number | null
}

/**
 * Sends a request again and again over keep-alive connections, each waiting for its answer.
 * @throws Error for any answer but 200
 */
export async function load(shot: Shot, { connections, ms }: { connections: number; ms: number }): Promise<Load> {
  const pool = new Pool(shot.origin, { connections })
  const { path, method, headers = {}, body = null } = shot
  const samples: number[] = []
  const before = processorTime(shot.pid)
  const began = performance.now()
  const worker = async () => {
    for (let sent = began; sent - began < ms; ) {
      const answer = await pool.request({ path, method, headers, body })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${text}`)
      const now = performance.now()
      samples.push(now - sent)
      sent = now
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  const seconds = (performance.now() - began) / 1000
  await pool.close()
  const [from, to] = [await before, await processorTime(shot.pid)]
  const processor = from === null || to === null ? null : (to - from) / samples.length
  return { perSecond: samples.length / seconds, latency: summarize(samples), processor }
}
