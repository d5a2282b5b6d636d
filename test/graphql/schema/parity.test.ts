import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { routes } from '../../../src/rest/app.ts'
import { schemaMembers } from '../../support/contract/schema-members.ts'

// docs/graphql.md says which field does what a route of REST does. A new route fails here until the table has it.

const DOCS = fileURLToPath(new URL('../../../docs/graphql.md', import.meta.url))

/** The rows of the table: a route, and the coordinates of the GraphQL schema that stand for it. */
function documented(): Map<string, string[]> {
  const rows = readFileSync(DOCS, 'utf8').matchAll(/^\| `((?:GET|POST|PATCH|DELETE) [^`]+)` +\| (.+?) +\|$/gm)
  return new Map(
    [...rows].map(([, route = '', cell = '']) => [
      route,
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    ]),
  )
}

test('GraphQL has every operation of REST', () => {
  const table = documented()
  expect([...table.keys()].sort()).toEqual(routes.map(({ method, path }) => `${method} /api${path}`).sort())
  const members = new Set([...schemaMembers(schema)].map(([coordinate]) => coordinate))
  for (const [route, names] of table) {
    expect([route, names.length > 0, names.filter((name) => !members.has(name))]).toEqual([route, true, []])
  }
})
