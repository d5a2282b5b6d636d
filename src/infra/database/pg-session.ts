import type pg from 'pg'

/**
 * Session settings that the code relies on when it reads and writes values, and when it locks rows. A database, a role
 * or the URL could set others.
 */
export const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ['timezone', 'UTC'],
  ['datestyle', 'ISO, MDY'],
  ['intervalstyle', 'postgres'],
  ['bytea_output', 'hex'],
  ['extra_float_digits', '1'],
  ['standard_conforming_strings', 'on'],
  ['array_nulls', 'on'],
  ['transform_null_equals', 'off'],
  ['default_transaction_isolation', 'read committed'],
]

/** What only saves time: statements that touch few rows are compiled longer than they run where their cost is overestimated. */
const SAVINGS = [['jit', 'off']] as const

/** Set as connection options, which the end of a transaction or a reset does not undo. */
export const SESSION = [...SETTINGS, ...SAVINGS]
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ')

/** The same as statements, for sessions that are not opened by a handshake. */
export const SET_SESSION = SETTINGS.map(([name, value]) => `SET ${name} = '${value}'`).join(';')

/**
 * The connection settings for a URL: with the URL's own `options` first, which pg would otherwise use instead of ours.
 */
export function postgresConnection(url: string): pg.ClientConfig {
  const own = new URL(url)
  const given = own.searchParams.get('options')
  if (given === null) return { connectionString: url, options: SESSION }
  own.searchParams.delete('options')
  return { connectionString: own.href, options: `${given} ${SESSION}` }
}

/**
 * The backend of a connection, as the handshake named it; behind a pooler, an invented number. pg keeps it for
 * cancelling queries, and omits it from its types.
 */
export function handshakePid(client: pg.Client): number | null {
  const pid: unknown = Reflect.get(client, 'processID')
  return typeof pid === 'number' ? pid : null
}
