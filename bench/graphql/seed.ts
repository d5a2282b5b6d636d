import { newId } from '../../src/domain/shared/ids.ts'
import { readConfig } from '../../src/infra/config.ts'
import { createLog } from '../../src/infra/log.ts'
import { buildServer } from '../../src/server.ts'

const CONVERSATIONS = 1000
const VISITORS = 300
const MEMBERS = 8

/** Ids of what the queries ask for. */
export interface Seeded {
  readonly workspaceId: string
  readonly conversationId: string
  readonly visitorId: string
}

/** A workspace with people, visitors and conversations, as years of use leave them. */
export async function seed(env: Record<string, string>): Promise<Seeded> {
  const guddesk = await buildServer({ config: readConfig({ ...env, GUDDESK_ROLES: 'api' }), log: createLog('warn') })
  const workspaceId = guddesk.firstStart?.workspaceId
  if (workspaceId === undefined) throw new Error('The database was not empty')
  const { prisma } = guddesk.deps.db
  const users = times(MEMBERS, (i) => ({ id: newId('user'), email: `m${i}@example.com`, name: `Member ${i}` }))
  await prisma.user.createMany({ data: users })
  const members = users.map(({ id: userId }) => ({ id: newId('member'), workspaceId, userId, role: 'AGENT' as const }))
  await prisma.member.createMany({ data: members })
  const visitors = times(VISITORS, (i) => {
    return { id: newId('visitor'), workspaceId, name: `Visitor ${i}`, email: `v${i}@example.com` }
  })
  await prisma.visitor.createMany({ data: visitors })
  const conversations = times(CONVERSATIONS, (i) => ({
    id: newId('conversation'),
    workspaceId,
    visitorId: visitors[i % VISITORS]?.id ?? '',
    assigneeId: i % 3 === 0 ? null : (members[i % MEMBERS]?.id ?? null),
    subject: `Order #${10_000 + i} has not arrived`,
    lastMessagePreview: `I ordered two weeks ago, paid at once and have heard nothing since. Where is order #${10_000 + i}?`,
    lastActivityAt: new Date(Date.UTC(2026, 0, 1) + i * 60_000),
    messageCount: 1,
  }))
  await prisma.conversation.createMany({ data: conversations })
  await guddesk.deps.db.sql('ANALYZE')
  await guddesk.stop()
  return { workspaceId, conversationId: conversations[500]?.id ?? '', visitorId: visitors[100]?.id ?? '' }
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}
