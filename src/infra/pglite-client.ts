import { EventEmitter } from 'node:events'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'

type Callback<T> = (error: Error | null, result?: T) => void

/**
 * A `pg` client that speaks to PGlite in this process instead of a socket: with it, `pg.Pool` (`max: 1`, PGlite has one
 * session) queues for the embedded database, and the official Prisma adapter and all raw SQL run unchanged on both.
 * Implements what pg.Pool and @prisma/adapter-pg call: connect, query, end, and the events.
 */
export function pgliteClient(pglite: PGlite): typeof pg.Client {
  class PGliteClient extends EventEmitter {
    // pg.Pool reads these two to tell whether a client may be used again.
    readonly _queryable = true
    _ending = false

    connect(callback?: Callback<undefined>): Promise<void> {
      const ready = pglite.waitReady
      ready.then(
        () => callback?.(null),
        (error: unknown) => callback?.(asError(error)),
      )
      return ready
    }

    query(
      config: string | pg.QueryConfig,
      values?: unknown[] | Callback<pg.QueryResult>,
      callback?: Callback<pg.QueryResult>,
    ): Promise<pg.QueryResult> | undefined {
      const done = typeof values === 'function' ? values : callback
      const params = Array.isArray(values) ? values : typeof config === 'string' ? undefined : config.values
      const result = run(pglite, config, params)
      if (done === undefined) return result
      result.then(
        (rows) => done(null, rows),
        (error: unknown) => done(asError(error)),
      )
      return undefined
    }

    end(callback?: Callback<undefined>): Promise<void> {
      this._ending = true
      // PGlite outlives its clients: its owner closes it.
      process.nextTick(() => {
        this.emit('end')
        callback?.(null)
      })
      return Promise.resolve()
    }

    ref(): void {}
    unref(): void {}
  }
  // The pool needs only the members above; the rest of pg.Client is about sockets.
  return PGliteClient as unknown as typeof pg.Client
}

async function run(
  pglite: PGlite,
  config: string | pg.QueryConfig,
  values: unknown[] | undefined,
): Promise<pg.QueryResult> {
  const text = typeof config === 'string' ? config : config.text
  if (values === undefined || values.length === 0) {
    if (typeof config === 'string') {
      const results = await pglite.exec(text)
      // PGlite writes lists by the array types that it knew when it was opened: a list of a new type would arrive as text.
      if (CREATES_TYPE.test(text)) await pglite.refreshArrayTypes()
      return lastResult(results)
    }
  }
  const { rowMode, types = pg.types } = typeof config === 'string' ? {} : (config as pg.QueryArrayConfig)
  const { rows, fields, affectedRows } = await pglite.query<unknown[]>(text, values?.map(toParameter) ?? [], {
    rowMode: 'array',
    parsers: AS_TEXT,
  })
  const parsers = fields.map((field) => types.getTypeParser(field.dataTypeID, 'text') as Parser)
  const parsed = rows.map((row) => row.map((value, i) => (typeof value === 'string' ? parsers[i]?.(value) : value)))
  const named = () => parsed.map((row) => Object.fromEntries(row.map((value, i) => [fields[i]?.name, value])))
  return asQueryResult({ rows: rowMode === 'array' ? parsed : named(), fields, affectedRows: affectedRows ?? 0 })
}

/** As in migrations. */
const CREATES_TYPE = /\bCREATE\s+TYPE\b/i

type Parser = (text: string) => unknown

/** The array types' oids that `pg.types.builtins` leaves out (pg_type.dat). */
const ARRAY_OIDS = [
  199, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028, 1041, 1115, 1182, 1183, 1185, 1231,
  2951, 3807,
]

/** Makes PGlite hand over every value as the server's text, for the same parsers as `pg` uses. */
const AS_TEXT: Record<number, Parser> = Object.fromEntries(
  [...Object.values(pg.types.builtins), ...ARRAY_OIDS].map((oid) => [oid, (text: string) => text]),
)

interface PGliteResult {
  rows: unknown[]
  fields: { name: string; dataTypeID: number }[]
  affectedRows?: number
}

function asQueryResult(result: PGliteResult): pg.QueryResult {
  const { rows, fields, affectedRows } = result
  // A statement without result columns reports what it changed; every other, what it returned.
  const rowCount = fields.length === 0 ? (affectedRows ?? 0) : rows.length
  return { command: '', oid: 0, rowCount, rows, fields } as unknown as pg.QueryResult
}

function lastResult(results: PGliteResult[]): pg.QueryResult {
  return asQueryResult(results.at(-1) ?? { rows: [], fields: [] })
}

/** PGlite serialises by the parameter's type in the statement; only dates need the text that `pg` would send. */
function toParameter(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return value.toString()
  return value
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
