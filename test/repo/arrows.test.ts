import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const DOMAIN = {
  shared: [],
  audit: ['shared'],
  events: ['shared'],
  conversations: ['shared', 'events'],
  messages: ['shared', 'events', 'conversations'],
  visitors: ['shared', 'events', 'conversations'],
  credentials: ['shared', 'audit'],
  deliveries: ['shared', 'audit', 'events'],
  webhooks: ['shared', 'audit', 'events', 'deliveries'],
  agents: ['shared', 'audit', 'events', 'credentials', 'visitors', 'webhooks', 'deliveries'],
  identity: ['shared', 'audit', 'events', 'credentials', 'agents'],
  'knowledge-base': ['shared', 'audit'],
  maintenance: ['shared', 'events'],
}
const DISPATCH = {
  policy: [],
  store: ['policy'],
  cluster: ['store'],
  queue: ['policy', 'store', 'cluster'],
  send: ['policy', 'store', 'cluster', 'queue'],
  record: ['policy', 'store', 'cluster', 'queue', 'send'],
  pictures: ['store', 'send'],
}
const within = (floor: string, rooms: Record<string, string[]>, more: (room: string) => string[]) =>
  Object.entries(rooms).map(([room, imports]): [string, string[]] => [
    `src/${floor}/${room}`,
    [...imports.map((each) => `src/${floor}/${each}`), ...more(room)],
  ])
const everyRoom = Object.keys(DOMAIN).map((room) => `src/domain/${room}`)

/** Each room and the rooms that it may import from. Single files that more may be taken from stand in `FILES`. */
const ROOMS: Record<string, string[]> = {
  'src/infra': [],
  ...Object.fromEntries(within('domain', DOMAIN, () => ['src/infra'])),
  'src/live': [
    'src/infra',
    ...['shared', 'events', 'conversations', 'messages', 'deliveries'].map((room) => `src/domain/${room}`),
  ],
  'src/auth': ['src/infra', 'src/domain/shared', 'src/domain/audit'],
  'src/http': ['src/infra', ...everyRoom, 'src/auth'],
  'src/graphql': ['src/infra', 'src/domain/shared', 'src/live', 'src/auth', 'src/http', 'src/schema', 'src/resolvers'],
  'src/graphql/fast-path': ['src/infra', 'src/graphql'],
  'src/schema': [...everyRoom, 'src/live'],
  'src/resolvers': [...everyRoom, 'src/schema'],
  'src/rest': [...everyRoom, 'src/http'],
  'src/cli': ['src/infra', ...everyRoom, 'src/auth'],
  ...Object.fromEntries(within('dispatch', DISPATCH, (room) => (room === 'policy' ? [] : ['src/infra']))),
  dashboard: [],
}

/** File, and rooms outside `ROOMS`' table that may, or may not, import it. */
const FILES: readonly (readonly [file: string, from: string, isAllowed: boolean])[] = [
  ['src/domain/shared/errors.ts', 'src/infra', true],
  ['src/domain/identity/verify-email.ts', 'src/auth', true],
  ['src/domain/identity/users.ts', 'src/auth', false],
  ['src/domain/events/events.ts', 'src/dispatch/store', true],
  ['src/domain/events/event-lock.ts', 'src/dispatch/store', true],
  ['src/domain/events/events.ts', 'src/dispatch/queue', false],
  ['src/domain/events/event-position.ts', 'src/dispatch/store', false],
  ['src/dispatch/dispatcher.ts', 'src/dispatch/queue', false],
  ['src/dispatch/metrics.ts', 'src/dispatch/queue', true],
  ['src/dispatch/metrics.ts', 'src/dispatch/policy', false],
  ['src/dispatch/delivery.ts', 'src/dispatch/policy', true],
  ['src/dispatch/delivery.ts', 'src/dispatch/store', true],
  ['src/dispatch/dispatcher.ts', 'src/rest', false],
  ['src/http/pages/sign-in.ts', 'src/cli', true],
  ['src/http/app.ts', 'src/cli', false],
  ['src/graphql/fast-path/index.ts', 'src/graphql', true],
  ['src/graphql/fast-path/index.ts', 'src/resolvers', false],
]

/** What the linter refuses of imports from one folder to another, in a copy of nothing but its configuration. */
function refused(imports: readonly (readonly [from: string, target: string])[]): Set<number> {
  const folder = mkdtempSync(join(tmpdir(), 'guddesk-arrows-'))
  try {
    cpSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'))
    for (const [n, [from, target]] of imports.entries()) {
      const path = join(folder, from, `probe${n}.ts`)
      mkdirSync(dirname(path), { recursive: true })
      const to = relative(from, target)
      writeFileSync(path, `import '${to.startsWith('.') ? to : `./${to}`}'\n`)
    }
    const biome = join(ROOT, 'node_modules/.bin/biome')
    const { stdout } = spawnSync(
      process.execPath,
      [biome, 'lint', '--reporter=github', '--max-diagnostics=none', 'src', 'dashboard'],
      { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 },
    )
    const found = stdout.split('\n').filter((line) => line.includes('lint/style/noRestrictedImports'))
    return new Set(found.map((line) => Number(/probe(\d+)\.ts/.exec(line)?.[1])))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the linter refuses imports against the arrows between rooms, and only those', () => {
  const rooms = Object.keys(ROOMS)
  const pairs = rooms.flatMap((from) => rooms.map((to) => [from, to] as const).filter(([, to]) => to !== from))
  const wrong = refused(pairs.map(([from, to]) => [from, `${to}/anything.ts`]))
  const allowed = pairs.filter((_, n) => !wrong.has(n)).map(([from, to]) => `${from} → ${to}`)
  expect(allowed).toEqual(
    pairs.filter(([from, to]) => ROOMS[from]?.includes(to)).map(([from, to]) => `${from} → ${to}`),
  )
})

test('single files are let through, or not', () => {
  const wrong = refused(FILES.map(([file, from]) => [from, file]))
  expect(FILES.map(([file, from], n) => [file, from, !wrong.has(n)])).toEqual(FILES)
})

test('every folder of the code is a room of the table', () => {
  const folders = (path: string) =>
    readdirSync(join(ROOT, path), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [`${path}/${entry.name}`] : [],
    )
  const found = [
    ...folders('src').filter((path) => !/\/(domain|dispatch|generated)$/.test(path)),
    ...folders('src/domain'),
    ...folders('src/dispatch'),
    ...folders('src/graphql'),
  ]
  expect(found.sort()).toEqual(
    Object.keys(ROOMS)
      .filter((room) => room !== 'dashboard')
      .sort(),
  )
})
