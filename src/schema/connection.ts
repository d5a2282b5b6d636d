import type { ArgBuilder, InterfaceRef, ObjectRef } from '@pothos/core'
import { ValidationError } from '../domain/shared/errors.ts'
import type { PageBudget } from '../domain/shared/page-budget.ts'
import { DEFAULT_LIMIT, MAX_LIMIT, type Page, type PageRequest } from '../domain/shared/pagination.ts'
import { builder, type Kinds } from './builder.ts'

/** A page as a Relay connection. Values that cost something are getters or functions, computed only when they are selected. */
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

/** The arguments of every connection field: `args: { ...pageArgs(t.arg) }`. */
export function pageArgs(arg: ArgBuilder<Kinds>) {
  return {
    first: arg.int({
      description: `The number of objects to return from the start of the range, 1 to ${MAX_LIMIT}. ${DEFAULT_LIMIT} by default.`,
    }),
    after: arg.string({ description: 'Returns only objects after this cursor.' }),
    last: arg.int({
      description: `The number of objects to return from the end of the range, 1 to ${MAX_LIMIT}, in the order of the list. Not together with \`first\`.`,
    }),
    before: arg.string({
      description: 'Returns only objects before this cursor. Without another argument, those directly before it.',
    }),
  }
}

export interface PageArgs {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/**
 * @param budget the byte budget of the operation
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
  // With `before` alone, the page is the one directly before it.
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

/** Defines the types `${name}Connection` and `${name}Edge`. */
export function connectionOf<Row>(
  type: ObjectRef<Kinds, Row> | InterfaceRef<Kinds, Row>,
  name: string,
): ObjectRef<Kinds, Connection<Row>> {
  const edge = builder.edgeObject({
    type,
    name: `${name}Edge`,
    description: `One ${name} in a list, with its cursor.`,
  })
  const connection = builder.connectionObject(
    {
      type,
      name: `${name}Connection`,
      description: `A page of a list of ${name} objects.`,
      fields: (t) => ({
        nodes: t.field({
          type: [type],
          description: 'The objects of this page, without their cursors: the same as the nodes of `edges`.',
          resolve: (page) => (page as unknown as Connection<Row>).edges.map(({ node }) => node) as never[],
        }),
        totalCount: t.int({
          description: 'The number of objects on all pages. Counted only when this field is selected.',
          resolve: (page) => (page as unknown as Connection<Row>).totalCount(),
        }),
      }),
    },
    edge,
  )
  // Pothos types only edges and pageInfo; toConnection also gives a count, and promises in pageInfo.
  return connection as unknown as ObjectRef<Kinds, Connection<Row>>
}
