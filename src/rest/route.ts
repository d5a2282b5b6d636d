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
  /** The `:id` in the path; empty for a path without one. */
  readonly id: string
  readonly query: Query
  readonly body: Body
  readonly page: PageRequest
}

/** A successful response: `data`, and for a list its page. */
export interface RouteResponse {
  readonly status?: 200 | 201
  readonly data: unknown
  readonly meta?: PageMeta
}

export interface PageMeta {
  readonly perPage: number
  readonly total: number
  readonly nextCursor: string | null
  /** The same value as nextCursor. Existing clients read this name. */
  readonly cursor: string | null
}

/** One operation of the contract. Its schemas parse and document the input. */
export interface Route<Body extends z.ZodType = z.ZodType, Query extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Under /api. */
  readonly path: string
  readonly summary: string
  /** The least permission of the key. Operations check the actor, too. */
  readonly needs: ApiKeyPermission
  /** The check of a POST that requires more than `needs`. @throws ForbiddenError */
  readonly authorize?: (actor: Actor) => void
  /** The operation concerns the caller, and no workspace. */
  readonly isGlobal?: true
  readonly query?: Query
  readonly body?: Body
  /** The `data` of a successful response, a shape from shapes.ts; an array for a list. */
  readonly response: z.ZodType
  /** The possible statuses. [200] by default. */
  readonly statuses?: readonly (200 | 201)[]
  handle(request: RestRequest<z.output<Body>, z.output<Query>>): Promise<RouteResponse>
}

/** Checks the types within a route, and hides them in the list of all routes. */
export function route<Body extends z.ZodType, Query extends z.ZodType>(definition: Route<Body, Query>): Route {
  return definition as unknown as Route
}

/** A page as the contract's `data` and `meta`. */
export async function listResponse<Row>(
  page: Page<Row>,
  { limit }: PageRequest,
  show: (row: Row) => unknown,
): Promise<RouteResponse> {
  const { rows, nextCursor } = page
  const total = await page.total()
  return { data: rows.map(show), meta: { perPage: limit, total, nextCursor, cursor: nextCursor } }
}
