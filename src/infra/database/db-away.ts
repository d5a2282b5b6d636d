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
  return someError(error, saysAway)
}

/** Whether a statement failed because it needed space on the database's disk. */
export function isDiskFull(error: unknown): boolean {
  return someError(error, (each) => stateOf(each) === '53100')
}

/** Whether a statement failed because its transaction may only read. */
export function isReadOnly(error: unknown): boolean {
  return someError(error, (each) => stateOf(each) === '25006')
}

/**
 * SQLSTATE classes for what a row holds or a trigger says about it: data, constraints, limits, a row that cannot be read. The
 * database refuses it as often as it is tried. Not what is wrong with a statement whatever the rows (class 42).
 */
const REFUSED_STATES = /^((21|22|23|38|39|44|54|P0)\w{3}|XX001)$/

/** Whether the database refused what a statement wanted to do with some row, and would refuse it again. */
export function isRefused(error: unknown): boolean {
  return sqlState(error) !== null
}

/** By which SQLSTATE it was refused; null when it failed for another reason. */
export function sqlState(error: unknown): string | null {
  let found: string | null = null
  someError(error, (each) => {
    const state = stateOf(each)
    if (typeof state === 'string' && REFUSED_STATES.test(state)) found = state
    return found !== null
  })
  return found
}

/** Whether it, or what it was caused by, is such an error. */
function someError(error: unknown, is: (error: object) => boolean): boolean {
  const seen = new Set<unknown>()
  const pending = [error]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if (is(next)) return true
    // Prisma keeps the driver's error in `meta`, and several addresses' errors are one AggregateError.
    for (const key of ['cause', 'meta', 'driverAdapterError']) pending.push(Reflect.get(next, key))
    if (next instanceof AggregateError) pending.push(...next.errors)
  }
  return false
}

/** An SQLSTATE, or Prisma's code. */
function stateOf(error: object): unknown {
  const { code, originalCode } = error as Record<string, unknown>
  return originalCode ?? code
}

function saysAway(error: object): boolean {
  const { code, kind, message, syscall } = error as Record<string, unknown>
  if (typeof syscall === 'string') return typeof code === 'string' && AWAY_NETWORK.has(code)
  if (typeof kind === 'string' && AWAY_KINDS.has(kind)) return true
  const state = stateOf(error)
  if (typeof state === 'string' && (AWAY_STATES.test(state) || AWAY_PRISMA.has(state))) return true
  return typeof message === 'string' && AWAY_MESSAGES.test(message)
}
