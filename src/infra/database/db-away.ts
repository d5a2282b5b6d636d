/** SQLSTATE classes and codes of a server that cannot accept statements now. */
const AWAY_STATES = /^(08\w{3}|53300|57P0[1-5])$/
/** Network errors. */
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
/** Prisma's codes for them: unreachable, timed out, closed, no free connection in the pool, too many connections. */
const AWAY_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037'])
const AWAY_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'])
/** Errors of pg and Prisma without codes. */
const AWAY_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|The server closed the connection)|Unable to start a transaction in the given time/

/**
 * Whether a statement failed because the database is unreachable, or accepts no more connections. The statement may be
 * valid and succeed later.
 */
export function isDatabaseAway(error: unknown): boolean {
  return someError(error, saysAway)
}

/** Whether a statement failed because the database's disk is full. */
export function isDiskFull(error: unknown): boolean {
  return someError(error, (each) => stateOf(each) === '53100')
}

/** Whether a statement failed because its transaction is read-only. */
export function isReadOnly(error: unknown): boolean {
  return someError(error, (each) => stateOf(each) === '25006')
}

/**
 * SQLSTATE classes of errors that the values of a row or a trigger cause: data, constraints, limits, unreadable rows.
 * The database refuses the row every time. Without class 42, which concerns the statement itself.
 */
const REFUSED_STATES = /^((21|22|23|38|39|44|54|P0)\w{3}|XX001)$/

/** Whether the database refused a row, and would refuse it again. */
export function isRefused(error: unknown): boolean {
  return sqlState(error) !== null
}

/** The SQLSTATE of the refusal; null for other errors. */
export function sqlState(error: unknown): string | null {
  let found: string | null = null
  someError(error, (each) => {
    const state = stateOf(each)
    if (typeof state === 'string' && REFUSED_STATES.test(state)) found = state
    return found !== null
  })
  return found
}

/** Whether the error, or one of its causes, matches. */
function someError(error: unknown, is: (error: object) => boolean): boolean {
  const seen = new Set<unknown>()
  const pending = [error]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if (is(next)) return true
    // Prisma keeps the driver's error in `meta`; errors of several addresses are an AggregateError.
    for (const key of ['cause', 'meta', 'driverAdapterError']) pending.push(Reflect.get(next, key))
    if (next instanceof AggregateError) pending.push(...next.errors)
  }
  return false
}

/** An SQLSTATE, or a code of Prisma. */
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
