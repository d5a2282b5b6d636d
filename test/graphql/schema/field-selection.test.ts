import { getNamedType, getNullableType, isLeafType, isListType, isObjectType, isRequiredArgument } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Prisma } from '../../../src/infra/database/db.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { quiet } from '../../support/event-log.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

/*
 * A list of conversations reads only the columns that are asked for. A field whose column is forgotten would be null, or
 * wrong, in lists that ask for nothing else: so every field is asked for alone.
 */

let guddesk: TestGudDesk
let session: string
/** Newest first. */
let ids: string[]

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  const { tenant, deps } = guddesk
  session = await guddesk.newSession(tenant)
  const { memberId: assigneeId } = await guddesk.newMember(tenant, 'Mia')
  // Nothing is null or as it was made: what is not read must differ.
  const at = (day: number) => new Date(Date.UTC(2026, 0, day))
  const shared = { subject: 'Refund', priority: 2, tags: ['vip'], assigneeId, metadata: { order: 17 } }
  const times = { updatedAt: at(3), createdAt: at(4) }
  const change = async (data: Prisma.ConversationUncheckedUpdateInput) => {
    guddesk.clock.advance(1000)
    const id = await guddesk.newConversation(tenant, 'Hello')
    return deps.db.prisma.conversation.update({ where: { id }, data: { ...shared, ...times, ...data } })
  }
  const closed = await change({ status: 'CLOSED', closedAt: at(2) })
  const snoozed = await change({ status: 'SNOOZED', snoozedUntil: at(1), createdAt: at(5) })
  ids = [snoozed.id, closed.id]
  const data = {
    externalId: 'crm-1',
    name: 'Ann',
    email: 'ann@example.com',
    avatarUrl: 'https://example.com/a.png',
    metadata: { plan: 'pro' },
    updatedAt: at(5),
  }
  await deps.db.prisma.visitor.update({ where: { id: closed.visitorId }, data })
  await quiet(guddesk)
})

afterAll(() => guddesk?.stop())

/** Every field beneath a type that can be asked for without arguments, alone, as deep as `depth` objects. */
function selectionsOf(typeName: string, depth: number): string[] {
  const type = schema.getType(typeName)
  if (!isObjectType(type)) return []
  return Object.values(type.getFields()).flatMap((field) => {
    // Cursors hold the moment of reading.
    if (field.args.some(isRequiredArgument) || /cursor$/i.test(field.name)) return []
    const named = getNamedType(field.type)
    if (isLeafType(named)) return [field.name]
    if (depth === 0 || (isListType(getNullableType(field.type)) && depth === 1)) return []
    return selectionsOf(named.name, depth - 1).map((inner) => `${field.name} { ${inner} }`)
  })
}

/** The same through the interface that people implement. */
const OF_ACTORS = [
  'visitor { ... on Actor { displayName } }',
  'assignee { ... on Actor { displayName ... on Member { role } } }',
]
const SELECTIONS = ['__typename', ...selectionsOf('Conversation', 3), ...OF_ACTORS]

async function ask(text: string): Promise<unknown> {
  const { body } = await guddesk.graphql(text, {}, { key: session })
  expect(body.errors, text).toBeUndefined()
  return body.data
}

test('every field is known', () => {
  expect(SELECTIONS).toEqual(expect.arrayContaining(['subject', 'visitor { email }', 'assignee { name }']))
  expect(SELECTIONS.length).toBeGreaterThan(40)
})

test.each(['LATEST_ACTIVITY', 'NEWEST'])(
  'each field alone is what it is among all others, in the order of %s',
  async (sort) => {
    for (const selection of SELECTIONS) {
      const alone = ids.map((id) => ask(`{ conversation(id: "${id}") { ${selection} } }`))
      const edges = (await Promise.all(alone)).map((data) => ({
        node: (data as { conversation: unknown }).conversation,
      }))
      for (const [text, rest] of [
        [selection, ''],
        [`... on Conversation { ${selection} }`, ''],
        ['...Part', `fragment Part on Conversation { ${selection} }`],
      ]) {
        const list = await ask(
          `query { conversations(first: ${ids.length}, sort: ${sort}) { edges { node { ${text} } } } } ${rest}`,
        )
        expect(list, selection).toEqual({ conversations: { edges } })
      }
    }
  },
)
