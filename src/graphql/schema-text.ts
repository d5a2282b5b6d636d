import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import type Koa from 'koa'
import { GRAPHQL_PATH } from '../http/pages/paths.ts'
import { sha256 } from '../infra/secrets.ts'
import { schema } from '../resolvers/index.ts'

/** The schema in GraphQL's schema definition language, sorted by name. */
export function schemaText(of: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(of))}\n`
}

/** Serves the schema as a file, for tools that generate code from it. For whoever may ask for introspection. */
export function serveSchemaText(): Koa.Middleware {
  let file: { text: Buffer; etag: string } | undefined
  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    if (ctx.path !== `${GRAPHQL_PATH}/schema.graphql` || !isRead) return next()
    if (file === undefined) {
      const text = schemaText(schema)
      file = { text: Buffer.from(text), etag: sha256(text) }
    }
    ctx.status = 200
    ctx.etag = file.etag
    ctx.set('Cache-Control', 'no-cache')
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    ctx.type = 'text/plain; charset=utf-8'
    ctx.body = file.text
  }
}
