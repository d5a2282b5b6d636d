import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import type { Tenant, TestGudDesk } from '../../support/guddesk.ts'
import type { Level, Rule } from './matrix-rules.ts'

const LEVELS: Level[] = ['READ_ONLY', 'READ_WRITE', 'FULL_ACCESS']

/** Who asks. `level` is what they really have in the workspace that is asked about; null: nothing there. */
export interface Asker {
  readonly by: 'nobody' | 'session' | 'key' | 'agent'
  readonly level: Level | null
  /** Of the person behind. */
  readonly role: MemberRole | null
  /** For keys: valid in all of the person's workspaces. */
  readonly allWorkspaces?: true
}

export const ASKERS = {
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
  "FULL_ACCESS key of a stranger's workspaces": { by: 'key', level: null, role: null, allWorkspaces: true },
  "agent's key": { by: 'agent', level: 'READ_WRITE', role: null },
} satisfies Record<string, Asker>
export type AskerName = keyof typeof ASKERS

export function isAllowed({ needs, agent, roles, about }: Rule, { by, level, role, allWorkspaces }: Asker): boolean {
  if (about === 'anybody') return true
  if (about === 'person') return by === 'session'
  if (by === 'agent') return agent
  // A member's role does not matter for what is their own; keys need their level.
  if (about === 'own' && by === 'session') return role !== null
  // Somebody who is signed in may do anything in workspaces of their own.
  if (about === 'caller' && by === 'session') return true
  // So may a key of all workspaces, which is one of FULL_ACCESS here, for the workspaces of its person.
  if (about === 'caller' && allWorkspaces) return true
  if (about === 'caller' && needs === 'FULL_ACCESS') return false
  if (level === null || LEVELS.indexOf(level) < LEVELS.indexOf(needs)) return false
  return roles === undefined || (role !== null && roles.includes(role))
}

/** The credential of each asker, all for the workspace of the tenant or, as a stranger, for another one. */
export async function makeKeys(guddesk: TestGudDesk): Promise<Record<AskerName, string | null>> {
  const { tenant } = guddesk
  const person = async (role: MemberRole): Promise<Tenant> => ({
    ...tenant,
    ...(await guddesk.newMember(tenant, role, role)),
  })
  const signedIn = async (role: MemberRole) => guddesk.newSession(await person(role))
  const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/matrix' }
  const { data } = await guddesk.call('POST', '/api/v1/agents', install)
  const stranger = await guddesk.newTenant()
  return {
    anonymous: null,
    OWNER: await signedIn('OWNER'),
    ADMIN: await signedIn('ADMIN'),
    AGENT: await signedIn('AGENT'),
    VIEWER: await signedIn('VIEWER'),
    'member of another workspace': await guddesk.newSession(stranger),
    'READ_ONLY key': await guddesk.newKey(tenant, 'READ_ONLY'),
    'READ_WRITE key': await guddesk.newKey(tenant, 'READ_WRITE'),
    'FULL_ACCESS key': tenant.key,
    'FULL_ACCESS key of all workspaces': await guddesk.newKey(tenant, 'FULL_ACCESS', 'all'),
    'FULL_ACCESS key of an AGENT': await guddesk.newKey(await person('AGENT'), 'FULL_ACCESS'),
    'FULL_ACCESS key of a VIEWER': await guddesk.newKey(await person('VIEWER'), 'FULL_ACCESS'),
    "FULL_ACCESS key of a stranger's workspaces": await guddesk.newKey(stranger, 'FULL_ACCESS', 'all'),
    "agent's key": data.credentials.apiKey,
  }
}
