import type { ObjectRef } from '@pothos/core'
import { ValidationError } from '../domain/errors.ts'
import { DEFAULT_LIMIT, MAX_LIMIT, type Page, type PageRequest } from '../domain/page.ts'
import { builder, type Types } from './builder.ts'

/** A page as a Relay connection. */
export interface Connection<Row> {
  edges: { cursor: string; node: Row }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
  totalCount(): Promise<number>
}

export interface ForwardArgs {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
}

/** @throws ValidationError when `first` is not 1 to 100 */
export function pageRequest({ first, after }: ForwardArgs): PageRequest {
  const limit = first ?? DEFAULT_LIMIT
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new ValidationError([{ path: 'first', message: `must be 1 to ${MAX_LIMIT}` }])
  }
  return { limit, cursor: after ?? null }
}

export function toConnection<Row>(page: Page<Row>, after: string | null | undefined): Connection<Row> {
  const edges = page.rows.map((node, i) => ({ cursor: page.cursors[i] ?? '', node }))
  const pageInfo = {
    hasNextPage: page.nextCursor !== null,
    hasPreviousPage: after != null,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  }
  return { edges, pageInfo, totalCount: page.total }
}

type Kinds = PothosSchemaTypes.ExtendDefaultTypes<Types>

/** Defines NameConnection and NameEdge for a type. */
export function connectionOf<Row>(type: ObjectRef<Kinds, Row>, name: string): ObjectRef<Kinds, Connection<Row>> {
  const edge = builder.edgeObject({ type, name: `${name}Edge` })
  const connection = builder.connectionObject(
    {
      type,
      name: `${name}Connection`,
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are on all pages; counted only when asked for.',
          resolve: (page) => (page as unknown as Connection<Row>).totalCount(),
        }),
      }),
    },
    edge,
  )
  // Pothos knows of edges and pageInfo only; what toConnection makes has the count as well.
  return connection as unknown as ObjectRef<Kinds, Connection<Row>>
}

/** Descriptions of the arguments that every list takes. */
export const FIRST = { description: `1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} when left out.` }
export const AFTER = { description: 'A cursor: what comes after it.' }
