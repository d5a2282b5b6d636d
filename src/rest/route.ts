import type { z } from 'zod'
import type { Actor, Caller } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { Page, PageRequest } from '../domain/shared/pagination.ts'
import type { ApiKeyPermission } from '../generated/prisma/enums.ts'

/** A request after authentication and parsing. */
export interface RestRequest<Body, Query> {
  readonly deps: Deps
  readonly caller: Caller
  /** The caller in the workspace that the request names. */
  actor(): Promise<Actor>
  /** The path's `:id`; empty for a path without one. */
  readonly id: string
  readonly query: Query
  readonly body: Body
  readonly page: PageRequest
}

/** A successful answer: `data`, and the page it is of. */
export interface Answer {
  readonly status?: 200 | 201
  readonly data: unknown
  readonly meta?: PageMeta
}

export interface PageMeta {
  readonly perPage: number
  readonly total: number
  readonly nextCursor: string | null
  /** Repeats nextCursor: a client in the field reads this name. */
  readonly cursor: string | null
}

/** One operation of the contract. The schemas parse its input and describe it. */
export interface Route<Body extends z.ZodType = z.ZodType, Query extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Under /api. */
  readonly path: string
  readonly summary: string
  /** The key's own permission must reach this; operations then judge the actor. */
  readonly needs: ApiKeyPermission
  /** Of a POST that needs more than `needs`. @throws ForbiddenError */
  readonly authorize?: (actor: Actor) => void
  /** It is about the caller, and about no workspace. */
  readonly isGlobal?: true
  readonly query?: Query
  readonly body?: Body
  /** The answer's `data`, one of shapes.ts; an array for a list. */
  readonly answer: z.ZodType
  /** 200 when left out. */
  readonly statuses?: readonly (200 | 201)[]
  handle(request: RestRequest<z.output<Body>, z.output<Query>>): Promise<Answer>
}

/** Keeps a route's types while it is written, and forgets them in the list of all routes. */
export function route<Body extends z.ZodType, Query extends z.ZodType>(definition: Route<Body, Query>): Route {
  return definition as unknown as Route
}

/** A page as the contract's `data` and `meta`. */
export async function listAnswer<Row>(
  page: Page<Row>,
  { limit }: PageRequest,
  show: (row: Row) => unknown,
): Promise<Answer> {
  const { rows, nextCursor } = page
  const total = await page.total()
  return { data: rows.map(show), meta: { perPage: limit, total, nextCursor, cursor: nextCursor } }
}
