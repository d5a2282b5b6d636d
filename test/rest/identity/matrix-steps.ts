import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { ApiKeyPermission, MemberRole } from '../../../src/generated/prisma/enums.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Digest, openDigest } from '../../support/rows/digest.ts'
import { makeObjects, nextUrl, ok } from '../objects.ts'
import { document, type Named, type Request, RULES, type Rule } from './matrix-rules.ts'

export const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)
export const cases = operations.map(({ name }) => name)

export let guddesk: TestGudDesk
export let digest: Digest

export function send(name: string, request: Request, key: string | null, headers: Record<string, string> = {}) {
  const [method = '', path = ''] = name.split(' ')
  const query = new URLSearchParams(request.query).toString()
  const url = `/api${path.replace('{id}', encodeURIComponent(request.id ?? ''))}${query && `?${query}`}`
  return guddesk.call(method, url, request.body, { key, headers })
}

/** A workspace with one of everything that can be named. */
export async function makeNamed(tenant: Tenant): Promise<Named> {
  const { key } = tenant
  const objects = await makeObjects(guddesk, tenant)
  const names = { externalId: randomUUID(), email: `${randomUUID()}@example.com`, slug: `slug-${randomUUID()}` }
  const { externalId, email, slug } = names
  await ok(guddesk.call('POST', '/api/v1/customers', { name: 'Named', externalId, email }, { key }))
  await ok(guddesk.call('POST', '/api/v1/articles', { title: 'Named', slug }, { key }))
  const collectionId = newId('collection')
  const data = { id: collectionId, workspaceId: tenant.workspaceId, name: 'Money' }
  await guddesk.deps.db.prisma.collection.create({ data })
  return { ...objects, ...names, collectionId }
}

/** Who calls. `level` is what the key is really worth in the workspace. */
export interface Who {
  readonly kind: 'refused' | 'key' | 'agent'
  /** The status of a refusal. */
  readonly status?: 401 | 403
  readonly level?: ApiKeyPermission
  readonly role?: MemberRole
  /** The key's own permission, for keys of all workspaces. */
  readonly everywhere?: ApiKeyPermission
  /** An agent that is not the one of the objects. */
  readonly isNeighbour?: true
  /** The Authorization header's credential, or the other headers. */
  readonly credential: (world: World) => Promise<string | null | { headers: Record<string, string> }>
}

export interface World {
  readonly tenant: Tenant
  readonly own: Named
}

export async function newWorld(): Promise<World> {
  const tenant = await guddesk.newTenant()
  return { tenant, own: await makeNamed(tenant) }
}

export async function keyOf(
  { tenant }: World,
  role: MemberRole,
  permission: ApiKeyPermission,
  scope?: 'all',
): Promise<string> {
  const person = role === 'OWNER' ? tenant : { ...tenant, ...(await guddesk.newMember(tenant, role, role)) }
  return guddesk.newKey(person, permission, scope)
}

export async function endedKey(world: World, data: object): Promise<string> {
  const key = await keyOf(world, 'OWNER', 'FULL_ACCESS')
  await guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data })
  return key
}

export async function anotherAgent({ tenant }: World): Promise<{ id: string; key: string }> {
  const bot = { name: 'Neighbour', webhookUrl: nextUrl() }
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', bot, { key: tenant.key }))
  return { id: data.id, key: data.credentials.apiKey }
}

export const aKey = (role: MemberRole, permission: ApiKeyPermission, level = permission): Who => {
  return { kind: 'key', role, level, credential: (world) => keyOf(world, role, permission) }
}
export const everywhereKey = (role: MemberRole, everywhere: ApiKeyPermission, level = everywhere): Who => {
  return { kind: 'key', role, level, everywhere, credential: (world) => keyOf(world, role, everywhere, 'all') }
}
export const refused = (status: 401 | 403, credential: Who['credential']): Who => ({
  kind: 'refused',
  status,
  credential,
})

export const EVERYBODY: Record<string, Who> = {
  nobody: refused(401, async () => null),
  'a key that nobody has': refused(401, async () => `gd_${'A'.repeat(43)}`),
  'READ_ONLY key': aKey('OWNER', 'READ_ONLY'),
  'READ_WRITE key': aKey('OWNER', 'READ_WRITE'),
  'FULL_ACCESS key': aKey('OWNER', 'FULL_ACCESS'),
  'FULL_ACCESS key of an ADMIN': aKey('ADMIN', 'FULL_ACCESS'),
  'FULL_ACCESS key of an AGENT': aKey('AGENT', 'FULL_ACCESS', 'READ_WRITE'),
  'FULL_ACCESS key of a VIEWER': aKey('VIEWER', 'FULL_ACCESS', 'READ_ONLY'),
  'READ_ONLY key of all workspaces': everywhereKey('OWNER', 'READ_ONLY'),
  'FULL_ACCESS key of all workspaces': everywhereKey('OWNER', 'FULL_ACCESS'),
  'FULL_ACCESS key of a VIEWER’s all workspaces': everywhereKey('VIEWER', 'FULL_ACCESS', 'READ_ONLY'),
  'an agent’s key': { kind: 'agent', credential: async ({ own }) => own.agentKey },
  'another agent’s key': { kind: 'agent', isNeighbour: true, credential: async (w) => (await anotherAgent(w)).key },
  'a disabled agent’s key': refused(403, async (world) => {
    const { id, key } = await anotherAgent(world)
    await ok(guddesk.call('PATCH', `/api/v1/agents/${id}`, { isEnabled: false }, { key: world.tenant.key }))
    return key
  }),
  'an uninstalled agent’s key': refused(401, async (world) => {
    const { id, key } = await anotherAgent(world)
    await ok(guddesk.call('DELETE', `/api/v1/agents/${id}`, undefined, { key: world.tenant.key }))
    return key
  }),
  'a revoked key': refused(401, (world) => endedKey(world, { revokedAt: new Date() })),
  'a disabled key': refused(401, (world) => endedKey(world, { isEnabled: false })),
  'an expired key': refused(401, (world) => endedKey(world, { expiresAt: new Date(0) })),
  'the key of somebody who has left': refused(401, async ({ tenant }) => {
    const member = await guddesk.newMember(tenant, 'Leaver', 'ADMIN')
    const key = await guddesk.newKey({ ...tenant, ...member }, 'FULL_ACCESS')
    const removing = 'mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { __typename } }'
    await guddesk.graphql(removing, { input: { memberId: member.memberId } }, { key: tenant.key })
    return key
  }),
  'an owner’s session': refused(401, ({ tenant }) => guddesk.newSession(tenant)),
  'an owner’s session, as a cookie': refused(401, async ({ tenant }) => {
    const cookie = `guddesk.session_token=${encodeURIComponent(await guddesk.newSession(tenant))}`
    return { headers: { cookie, origin: guddesk.origin } }
  }),
}

export const LEVELS: ApiKeyPermission[] = ['READ_ONLY', 'READ_WRITE', 'FULL_ACCESS']
export const reaches = (has: ApiKeyPermission | undefined, needs: ApiKeyPermission) =>
  has !== undefined && LEVELS.indexOf(has) >= LEVELS.indexOf(needs)

/** The status that a rule means for somebody; null: the request succeeds. */
export function refusalOf(rule: Rule, who: Who): number | null {
  if (who.kind === 'refused') return who.status ?? 401
  if (who.kind === 'agent') {
    if (typeof rule.agent === 'object') return who.isNeighbour === true ? rule.agent.neighbour : null
    return rule.agent ? null : 403
  }
  if (rule.isGlobal === true) return reaches(who.everywhere, rule.needs) ? null : 403
  if (!reaches(who.level, rule.needs)) return 403
  return rule.roles === undefined || (who.role !== undefined && rule.roles.includes(who.role)) ? null : 403
}

export function somebody(name: string): Who {
  const who = EVERYBODY[name]
  if (who === undefined) throw new Error(`there is nobody called ${name}`)
  return who
}

export function ruleOf(name: string): Rule {
  const rule = RULES[name]
  if (rule === undefined) throw new Error(`${name} has no rule`)
  return rule
}

/** A running server. */
export function useWorlds(): void {
  beforeAll(async () => {
    // Without a dispatcher nothing but these requests writes.
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    digest = await openDigest(guddesk.deps.db)
  })
  afterAll(() => guddesk?.stop())
}
