import type Koa from 'koa'
import { graphiqlHeaders } from '../http/headers.ts'
import { GRAPHQL_PATH } from '../http/pages/paths.ts'

const GREETING = `# Put your API key into the headers below,
# then run this.
query Inbox {
  viewer {
    permission
    actor { displayName }
    workspace { name }
  }
  conversations(first: 10) {
    totalCount
    edges {
      node {
        id
        status
        lastMessagePreview
        visitor { name }
        assignee { name }
      }
    }
  }
}
`

const OPTIONS = {
  title: 'GudDesk GraphiQL',
  endpoint: GRAPHQL_PATH,
  defaultQuery: GREETING,
  defaultHeaders: '{ "authorization": "Bearer YOUR_API_KEY" }',
}

/** Serves GraphiQL at the path of GraphQL to browsers. All requests share its scripts, which take megabytes. */
export function serveGraphiQL(): Koa.Middleware {
  let page: Promise<Buffer> | undefined
  return async (ctx, next) => {
    const isAsked = ctx.path === GRAPHQL_PATH && ctx.method === 'GET' && /\btext\/html\b/i.test(ctx.get('Accept'))
    if (!isAsked) return next()
    page ??= render()
    ctx.set(graphiqlHeaders())
    ctx.type = 'html'
    ctx.body = await page
  }
}

/** The page and its scripts. They are loaded on demand, because they take 50 MB of memory. */
async function render(): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  return Buffer.from(renderGraphiQL(OPTIONS))
}
