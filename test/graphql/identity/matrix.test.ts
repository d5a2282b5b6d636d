import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type GraphQLField, isNonNullType, isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Level, RULES, type Rule } from './matrix-rules.ts'

const LEVELS: Level[] = ['READ_ONLY', 'READ_WRITE', 'FULL_ACCESS']

/** Who asks. `level` is what they really have in the workspace that is asked about; null: nothing there. */
interface Asker {
  readonly by: 'nobody' | 'session' | 'key' | 'agent'
  readonly level: Level | null
  /** Of the person behind. */
  readonly role: MemberRole | null
  /** For keys: valid in all of the person's workspaces. */
  readonly allWorkspaces?: true
}

const ASKERS = {
  anonymous: { by: 'nobody', level: null, role: null },
  OWNER: { by: 'session', level: 'FULL_ACCESS', role: 'OWNER' },
  ADMIN: { by: 'session', level: 'FULL_ACCESS', role: 'ADMIN' },
  AGENT: { by: 'session', level: 'READ_WRITE', role: 'AGENT' },
  VIEWER: { by: 'session', level: 'READ_ONLY', role: 'VIEWER' },
  'member of another workspace': { by: 'session', level: null, role: null },
  'READ_ONLY key': { by: 'key', level: 'READ_ONLY', role: 'OWNER' },
  'READ_WRITE key': { by: 'key', level: 'READ_WRITE', role: 'OWNER' },
  'FULL_ACCESS key': { by: 'key', level: 'FULL_ACCESS', role: 'OWNER' },
  'FULL_ACCESS key of all workspaces': { by: 'key', level: 'FULL_ACCESS', role: 'OWNER', allWorkspaces: true },
  'FULL_ACCESS key of an AGENT': { by: 'key', level: 'READ_WRITE', role: 'AGENT' },
  'FULL_ACCESS key of a VIEWER': { by: 'key', level: 'READ_ONLY', role: 'VIEWER' },
  "agent's key": { by: 'agent', level: 'READ_WRITE', role: null },
} satisfies Record<string, Asker>
type AskerName = keyof typeof ASKERS

function isAllowed({ needs, agent, roles, about }: Rule, { by, level, role, allWorkspaces }: Asker): boolean {
  if (about === 'anybody') return true
  if (about === 'person') return by === 'session'
  if (by === 'agent') return agent
  // A member's role does not matter for what is their own; keys need their level.
  if (about === 'own' && by === 'session') return role !== null
  // Somebody who is signed in may do anything in workspaces of their own.
  if (about === 'caller' && by === 'session') return true
  if (about === 'caller' && needs === 'FULL_ACCESS' && !allWorkspaces) return false
  if (level === null || LEVELS.indexOf(level) < LEVELS.indexOf(needs)) return false
  return roles === undefined || (role !== null && roles.includes(role))
}

let guddesk: TestGudDesk
let keys: Record<AskerName, string | null>

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  const { tenant } = guddesk
  const person = async (role: MemberRole): Promise<Tenant> => ({
    ...tenant,
    ...(await guddesk.newMember(tenant, role, role)),
  })
  const signedIn = async (role: MemberRole) => guddesk.newSession(await person(role))
  const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/matrix' }
  const { data } = await guddesk.call('POST', '/api/v1/agents', install)
  keys = {
    anonymous: null,
    OWNER: await signedIn('OWNER'),
    ADMIN: await signedIn('ADMIN'),
    AGENT: await signedIn('AGENT'),
    VIEWER: await signedIn('VIEWER'),
    'member of another workspace': await guddesk.newSession(await guddesk.newTenant()),
    'READ_ONLY key': await guddesk.newKey(tenant, 'READ_ONLY'),
    'READ_WRITE key': await guddesk.newKey(tenant, 'READ_WRITE'),
    'FULL_ACCESS key': tenant.key,
    'FULL_ACCESS key of all workspaces': await guddesk.newKey(tenant, 'FULL_ACCESS', 'all'),
    'FULL_ACCESS key of an AGENT': await guddesk.newKey(await person('AGENT'), 'FULL_ACCESS'),
    'FULL_ACCESS key of a VIEWER': await guddesk.newKey(await person('VIEWER'), 'FULL_ACCESS'),
    "agent's key": data.credentials.apiKey,
  }
})

afterAll(() => guddesk?.stop())

const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
const fields = roots.flatMap((type) =>
  Object.values<GraphQLField<unknown, unknown>>(type?.getFields() ?? {}).map((field) => `${type?.name}.${field.name}`),
)

test('every root field has a rule, and every rule a field', () => {
  expect(Object.keys(RULES).sort()).toEqual(fields.sort())
})

/** `forbidden`, `unauthorized`, or the way that an allowed use ends. */
async function outcome(
  rule: Rule,
  root: string,
  key: string | null,
  extra: Record<string, string> = {},
): Promise<string> {
  const operation = `${root.toLowerCase()} { ${rule.use} }`
  const headers = { 'x-workspace-id': guddesk.tenant.workspaceId, ...extra }
  const response = await guddesk.call('POST', '/graphql', { query: operation }, { key, headers }).catch(() => null)
  // A subscription that is refused before it starts answers as JSON too.
  const { data, errors } = response?.body ?? {}
  const code = errors?.[0]?.extensions?.code
  if (code !== undefined) return code
  const [value] = Object.values<{ error?: { code: string } | null } | null>(data ?? {})
  return value?.error?.code.toLowerCase() ?? 'allowed'
}

describe.each(fields)('%s', (field) => {
  const rule = RULES[field]
  test.each(Object.entries<Asker>(ASKERS))('for %s', async (name, asker) => {
    if (rule === undefined) throw new Error(`${field} has no rule`)
    const [root = ''] = field.split('.')
    const key = keys[name as AskerName]
    const got = await outcome(rule, root, key)
    if (root === 'Mutation') expect(await outcome(rule, root, key, { 'idempotency-key': randomUUID() })).toBe(got)
    // What was asked for does not exist or cannot be accepted: allowed means that this is what is said.
    if (isAllowed(rule, asker)) return expect(['allowed', 'not_found', 'bad_request']).toContain(got)
    expect(got).toBe(asker.by === 'nobody' ? 'unauthorized' : 'forbidden')
  })
})

/** A field beside a refused one, which must keep its data. Without a credential, there is little to ask for. */
const neighbourOf = (root: string, { by }: Asker) =>
  by === 'nobody' || root === 'Mutation' ? 'neighbour: __typename' : 'neighbour: workspaces(first: 1) { totalCount }'

const refusals = fields
  .filter((field) => !field.startsWith('Subscription.'))
  .flatMap((field) =>
    Object.entries<Asker>(ASKERS).flatMap(([name, asker]) => {
      const rule = RULES[field]
      return rule === undefined || isAllowed(rule, asker) ? [] : [{ field, name: name as AskerName, asker, rule }]
    }),
  )

test.each(refusals)(
  '$field, refused to $name, leaves its neighbours their data',
  async ({ field, name, asker, rule }) => {
    const [root = '', fieldName = ''] = field.split('.')
    const query = `${root.toLowerCase()} { ${rule.use} ${neighbourOf(root, asker)} }`
    const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
    const { body } = await guddesk.call('POST', '/graphql', { query }, { key: keys[name], headers })
    expect(body.data?.neighbour).toEqual(
      neighbourOf(root, asker).endsWith('__typename') ? root : { totalCount: expect.any(Number) },
    )
    if (root === 'Mutation' && asker.by !== 'nobody') expect(body.data[fieldName].error.code).toBe('FORBIDDEN')
    else expect([body.data[fieldName], body.errors]).toMatchObject([null, [{ path: [fieldName] }]])
  },
)

test('whatever a role, a filter or an argument can refuse is nullable', () => {
  const objects = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type))
    .filter(({ name }) => !name.startsWith('__'))
  const refusable = objects.flatMap((type) => {
    const isRoot = type === schema.getQueryType() || type === schema.getMutationType()
    const found = Object.values(type.getFields()).filter(({ args }) => isRoot || args.length > 0)
    return type === schema.getSubscriptionType() ? [] : found.map((field) => ({ type, field }))
  })
  const names = refusable
    .filter(({ field }) => isNonNullType(field.type))
    .map(({ type, field }) => `${type.name}.${field.name}`)
  expect([names, refusable.length > 70]).toEqual([[], true])
})

/** The columns of docs/permissions.md. */
const COLUMNS: AskerName[] = [
  'OWNER',
  'ADMIN',
  'AGENT',
  'VIEWER',
  'FULL_ACCESS key',
  'READ_WRITE key',
  'READ_ONLY key',
  "agent's key",
]

function permissionTable(): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rows = Object.entries(RULES)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([field, rule]) => {
      const [root = '', name = ''] = field.split('.')
      return row([`${root.toLowerCase()} \`${name}\``, ...COLUMNS.map((column) => mark(rule, ASKERS[column]))])
    })
  return [row(['Operation', ...COLUMNS]), row(['---', ...COLUMNS.map(() => '---')]), ...rows].join('\n')
}

function mark(rule: Rule, asker: Asker): string {
  if (rule.about === 'caller' && rule.needs === 'FULL_ACCESS' && asker.by === 'key' && asker.level === 'FULL_ACCESS') {
    return 'all workspaces'
  }
  return isAllowed(rule, asker) ? 'yes' : ''
}

test('docs/permissions.md has the same table', () => {
  const path = fileURLToPath(new URL('../../../docs/permissions.md', import.meta.url))
  const [before = '', , after = ''] = readFileSync(path, 'utf8').split(/<!-- \/?table -->\n/)
  const expected = `${before}<!-- table -->\n${permissionTable()}\n<!-- /table -->\n${after}`
  if (process.env['UPDATE_PERMISSIONS'] === '1') writeFileSync(path, expected)
  expect(
    readFileSync(path, 'utf8'),
    'Write it anew: UPDATE_PERMISSIONS=1 npx vitest run --project embedded test/graphql/identity/matrix.test.ts',
  ).toBe(expected)
})
