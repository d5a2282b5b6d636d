import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ASKERS, type Asker, type AskerName, isAllowed, makeKeys } from './askers.ts'
import { ROOT_FIELDS, RULES, type Rule } from './matrix-rules.ts'

let guddesk: TestGudDesk
let keys: Record<AskerName, string | null>

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  keys = await makeKeys(guddesk)
})

afterAll(() => guddesk?.stop())

test('every root field has a rule, and every rule a field', () => {
  expect(Object.keys(RULES).sort()).toEqual(ROOT_FIELDS.toSorted())
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

describe.each(ROOT_FIELDS)('%s', (field) => {
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
