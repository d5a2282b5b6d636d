import type { ArgBuilder, ObjectRef } from '@pothos/core'
import { ValidationError } from '../domain/shared/errors.ts'
import type { PageBudget } from '../domain/shared/page-budget.ts'
import { DEFAULT_LIMIT, MAX_LIMIT, type Page, type PageRequest } from '../domain/shared/pagination.ts'
import { builder, type Types } from './builder.ts'

/** A page as a Relay connection. What costs something is a getter or function: worked out only when asked for. */
export interface Connection<Row> {
  edges: { readonly cursor: string; node: Row }[]
  pageInfo: {
    readonly hasNextPage: Promise<boolean>
    readonly hasPreviousPage: Promise<boolean>
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
  totalCount(): Promise<number>
}

type Kinds = PothosSchemaTypes.ExtendDefaultTypes<Types>

/** The arguments that every connection takes, for a field's `args`: `...pageArgs(t.arg)`. */
export function pageArgs(arg: ArgBuilder<Kinds>) {
  return {
    first: arg.int({ description: `So many from the start: 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} when left out.` }),
    after: arg.string({ description: 'A cursor: what comes after it.' }),
    last: arg.int({ description: 'So many from the end, in the same order: instead of `first`.' }),
    before: arg.string({ description: 'A cursor: what comes before it; alone, the values directly before it.' }),
  }
}

export interface PageArgs {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/**
 * @param budget the operation's
 * @throws ValidationError when `first` or `last` is not 1 to 100, or both are given
 */
export function pageRequest({ first, after, last, before }: PageArgs, budget: PageBudget): PageRequest {
  if (first != null && last != null) {
    throw new ValidationError([{ path: 'last', message: 'must be left out when `first` is given' }])
  }
  const limit = first ?? last ?? DEFAULT_LIMIT
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new ValidationError([{ path: last == null ? 'first' : 'last', message: `must be 1 to ${MAX_LIMIT}` }])
  }
  // Whoever names only an end wants what lies before it.
  const fromEnd = last != null || (first == null && after == null && before != null)
  return { limit, cursor: after ?? null, before: before ?? null, fromEnd, cursorName: 'after', budget }
}

export function toConnection<Row>(page: Page<Row>): Connection<Row> {
  const edges = page.rows.map((node, i) => new Edge(page, i, node))
  const cursorAt = (index: number) => (page.rows.length === 0 ? null : page.cursorOf(index))
  const pageInfo = {
    get hasNextPage() {
      return page.hasNext()
    },
    get hasPreviousPage() {
      return page.hasPrevious()
    },
    get startCursor() {
      return cursorAt(0)
    },
    get endCursor() {
      return cursorAt(-1)
    },
  }
  return { edges, pageInfo, totalCount: page.total }
}

class Edge<Row> {
  readonly node: Row
  readonly #page: Page<Row>
  readonly #index: number

  constructor(page: Page<Row>, index: number, node: Row) {
    this.#page = page
    this.#index = index
    this.node = node
  }

  get cursor(): string {
    return this.#page.cursorOf(this.#index)
  }
}

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
  // Pothos knows of edges and pageInfo only; what toConnection makes has the count as well, and promises in pageInfo.
  return connection as unknown as ObjectRef<Kinds, Connection<Row>>
}
