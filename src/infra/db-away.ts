/** SQLSTATE classes and codes that say that the server cannot serve anybody now. */
const AWAY_STATES = /^(08\w{3}|53300|57P0[1-5])$/
/** What the network says. */
const AWAY_NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** What Prisma makes of these: unreachable, timed out, closed, no place in the pool, too many connections. */
const AWAY_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037'])
const AWAY_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'])
/** pg and Prisma have no codes for these. */
const AWAY_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|The server closed the connection)|Unable to start a transaction in the given time/

/**
 * Whether a statement failed because the database cannot be reached, or takes no more connections: nothing is wrong with the
 * statement, and it may succeed in a moment.
 */
export function isDatabaseAway(error: unknown): boolean {
  const seen = new Set<unknown>()
  const pending = [error]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if (saysAway(next)) return true
    // Prisma keeps the driver's error in `meta`, and several addresses' errors are one AggregateError.
    for (const key of ['cause', 'meta', 'driverAdapterError']) pending.push(Reflect.get(next, key))
    if (next instanceof AggregateError) pending.push(...next.errors)
  }
  return false
}

function saysAway(error: object): boolean {
  const { code, originalCode, kind, message, syscall } = error as Record<string, unknown>
  if (typeof syscall === 'string') return typeof code === 'string' && AWAY_NETWORK.has(code)
  if (typeof kind === 'string' && AWAY_KINDS.has(kind)) return true
  const state = originalCode ?? code
  if (typeof state === 'string' && (AWAY_STATES.test(state) || AWAY_PRISMA.has(state))) return true
  return typeof message === 'string' && AWAY_MESSAGES.test(message)
}
