import type pg from 'pg'

/**
 * What the code relies on when it reads and writes values, and when it locks rows. A database, a role and the URL may set
 * all of these otherwise.
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

/** They are options of the connection: what ends a transaction or resets a session leaves them. */
export const SESSION = SETTINGS.map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`).join(' ')

/** The same as statements, for a session that is not opened by a handshake. */
export const SET_SESSION = SETTINGS.map(([name, value]) => `SET ${name} = '${value}'`).join(';')

/** How to connect to a URL: with its own `options`, and then with ours, for pg would let the former replace the latter. */
export function postgresConnection(url: string): pg.ClientConfig {
  const own = new URL(url)
  const given = own.searchParams.get('options')
  if (given === null) return { connectionString: url, options: SESSION }
  own.searchParams.delete('options')
  return { connectionString: own.href, options: `${given} ${SESSION}` }
}

/**
 * The server's process at the other end, as the handshake named it: a pooler's invention when there is one between. pg keeps
 * it for cancelling queries, and leaves it out of its types.
 */
export function handshakePid(client: pg.Client): number | null {
  const pid: unknown = Reflect.get(client, 'processID')
  return typeof pid === 'number' ? pid : null
}
