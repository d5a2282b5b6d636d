import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SOURCE = fileURLToPath(new URL('../../dashboard/src', import.meta.url))

/** Each room of the dashboard and the rooms it may import from. A page is a room of its own: `pages/<name>`. */
const ROOMS: Record<string, readonly string[]> = {
  generated: [],
  theme: [],
  api: ['generated'],
  ui: ['api'],
  session: ['generated', 'api', 'ui'],
  viewer: ['generated', 'api', 'session', 'ui'],
  endpoints: ['generated', 'api', 'ui', 'viewer'],
  deliveries: ['generated', 'api', 'ui', 'viewer', 'endpoints'],
  conversations: ['generated', 'api', 'ui', 'viewer'],
  playground: ['generated', 'api', 'ui', 'viewer', 'conversations'],
  pages: ['generated', 'api', 'session', 'ui', 'viewer', 'endpoints', 'deliveries', 'conversations', 'playground'],
  shell: ['generated', 'api', 'session', 'ui', 'viewer', 'conversations', 'playground', 'pages'],
}

interface Import {
  readonly from: string
  readonly to: string
}

/** `pages/inbox` of `pages/inbox/list/arrange.ts`, `ui` of `ui/Time.tsx`; empty for the files at the top. */
function roomOf(path: string): string {
  const parts = path.split('/').slice(0, -1)
  return parts.slice(0, parts[0] === 'pages' ? 2 : 1).join('/')
}

/** What the client's cache needs to know of the schema. */
const FACTS = normalize('../../schema.cache.json')

function isAllowed({ from, to }: Import): boolean {
  const [source, target] = [roomOf(from), roomOf(to)]
  // The files at the top put everything together.
  if (source === '' || source === target || to === FACTS) return true
  return ROOMS[source.split('/')[0] ?? '']?.includes(target.split('/')[0] ?? '') === true
}

/** Every relative import, through types and dynamic ones too. */
function imports(): Import[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path))
  return files.flatMap((from) => {
    const text = readFileSync(join(SOURCE, from), 'utf8')
    return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^'?]+)/g)].map(([, path = '']) => ({
      from,
      to: normalize(join(dirname(from), path)),
    }))
  })
}

test('the dashboard imports along the arrows between its rooms', () => {
  const all = imports()
  expect(all.length).toBeGreaterThan(500)
  expect(all.filter(({ to }) => !existsSync(join(SOURCE, to)))).toEqual([])
  expect(all.filter((each) => !isAllowed(each)).map(({ from, to }) => `${from} → ${to}`)).toEqual([])
})

test.each([
  ['api/client.ts', 'pages/inbox/views.ts', false],
  ['ui/Time.tsx', 'viewer/roles.ts', false],
  ['pages/agents/AgentCard.tsx', 'pages/webhooks/list/EndpointList.tsx', false],
  ['pages/agents/AgentCard.tsx', 'shell/Shell.tsx', false],
  ['pages/agents/AgentCard.tsx', 'pages/agents/agent/AgentFacts.tsx', true],
  ['pages/agents/AgentCard.tsx', 'endpoints/health.ts', true],
  ['shell/Shell.tsx', 'pages/workspace/NewWorkspaceDialog.tsx', true],
  ['routes.tsx', 'shell/Shell.tsx', true],
  ['unknown/file.ts', 'api/client.ts', false],
])('%s → %s', (from, to, expected) => {
  expect(isAllowed({ from, to })).toBe(expected)
})

test('every folder of the dashboard is a room of the table', () => {
  const folders = readdirSync(SOURCE, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(ROOMS).sort())
})
