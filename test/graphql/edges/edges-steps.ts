import { afterAll, beforeAll, expect } from 'vitest'
import { makeObjects, type Objects, ok } from '../../rest/objects.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

// Links from one object to another, and what hides behind them.

export let guddesk: TestGudDesk
export let mine: Objects
export let other: Tenant

export const post = (path: string, body: object, key = guddesk.tenant.key) =>
  ok(guddesk.call('POST', path, body, { key }))
export const say = (conversationId: string, body = 'Hello') =>
  post(`/api/v1/conversations/${conversationId}/messages`, { body, type: 'AGENT' })

/** All pages of a connection below an object, of so many each. */
export async function walk(
  id: string,
  type: string,
  list: string,
  size: number,
  key = guddesk.tenant.key,
): Promise<string[]> {
  const ids: string[] = []
  const query = `query ($id: ID!, $after: String) { node(id: $id) { ... on ${type} {
    list: ${list}(first: ${size}, after: $after) { totalCount nodes { id } edges { node { id } } pageInfo { hasNextPage endCursor } } } } }`
  for (let after: string | null = null; ; ) {
    const { body } = await guddesk.graphql(query, { id, after }, { key })
    expect(body.errors).toBeUndefined()
    const { totalCount, nodes, edges, pageInfo } = body.data.node.list
    expect(edges.map(({ node }: { node: object }) => node)).toEqual(nodes)
    ids.push(...nodes.map((node: { id: string }) => node.id))
    if (!pageInfo.hasNextPage) {
      expect(totalCount).toBe(ids.length)
      return ids
    }
    expect(nodes).toHaveLength(size)
    after = pageInfo.endCursor
  }
}

/** A running server with one of everything, and another workspace. */
export function useObjects(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    mine = await makeObjects(guddesk)
    other = await guddesk.newTenant()
  })
  afterAll(() => guddesk?.stop())
}
