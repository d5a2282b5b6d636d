import { connect } from 'node:net'

/** Where the tests find PostgreSQL (any database on it; the tests make their own) and Redis. */
export const POSTGRES_URL = process.env['DATABASE_URL'] || 'postgresql://postgres@127.0.0.1:5432/postgres'
export const REDIS_URL = process.env['REDIS_URL'] || 'redis://127.0.0.1:6379'

/** Whether something listens at a URL's host and port. */
export function isListening(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) || (protocol.startsWith('redis') ? 6379 : 5432) })
  return new Promise((resolve) => {
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')))
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).then((answer) => {
    socket.destroy()
    return answer === true
  })
}

/** The same URL with another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}
