import { describe, expect, test } from 'vitest'
import { recordAudit, systemAuditor } from '../../../src/domain/audit/audit.ts'
import { reopenDueConversations } from '../../../src/domain/conversations/reopen-snoozed.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { inTransaction } from '../../../src/infra/database/transaction.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { statementsOf } from '../../support/statements.ts'
import { as, ENTRIES, guddesk, session, tenant, useWorkspace } from './actors-steps.ts'

useWorkspace()

interface Who {
  readonly __typename: string
  readonly id: string
  readonly displayName: string
}

const MESSAGES = graphql(`query ($id: ID!) {
  conversation(id: $id) {
    messages { edges { node { body sender { ...Author } actor { ...Author } } } }
    events { edges { node { type actor { ...Author } } } }
  }
}
fragment Author on Actor { __typename id displayName }`)

const SEND = graphql(`mutation ($input: SendMessageInput!) { sendMessage(input: $input) {
  message { id sender { __typename id displayName } } error { code }
} }`)
const REGISTER = graphql(`mutation ($input: RegisterWebhookEndpointInput!) { registerWebhookEndpoint(input: $input) {
  endpoint { id } error { code }
} }`)

/** What a credential writes: a note, its event, and an entry of the audit log; and who they say it was. */
async function written(key: string) {
  const conversationId = await guddesk.newConversation(tenant, 'Hello')
  const input = { conversationId, body: 'Written', type: 'NOTE' } as const
  payload((await guddesk.query(SEND, { input }, as(key))).sendMessage)
  const url = `http://127.0.0.1:9/${newId('webhookEndpoint')}`
  const { endpoint } = payload((await guddesk.query(REGISTER, { input: { url } }, as(key))).registerWebhookEndpoint)
  return async (reader = session) => {
    const { conversation } = await guddesk.query(MESSAGES, { id: conversationId }, as(reader))
    const message = conversation.messages?.edges.at(-1)?.node
    const event = conversation.events?.edges.at(-1)?.node
    expect([message?.body, event?.type]).toEqual(['Written', 'NOTE_CREATED'])
    const { auditEntries } = await guddesk.query(ENTRIES, { filter: { targetId: endpoint.id } }, as(session))
    const [entry] = auditEntries.edges
    return { sender: message?.sender, actor: message?.actor, event: event?.actor, entry: entry?.node.actor }
  }
}

const everywhere = (who: Who) => ({ sender: who, actor: who, event: who, entry: who })

async function newAgent(name: string): Promise<{ id: string; key: string }> {
  const install = { name, webhookUrl: `http://127.0.0.1:9/${newId('agent')}` }
  const { data } = await guddesk.call('POST', '/api/v1/agents', install)
  return { id: data.id, key: data.credentials.apiKey }
}

describe('messages, events and audit entries', () => {
  test('of a member name the member, under the name of today, and after the removal the one of then', async () => {
    const { memberId: id, userId } = await guddesk.newMember(tenant, 'Ann', 'ADMIN')
    const read = await written(await guddesk.newSession({ userId }))
    expect(await read()).toEqual(everywhere({ __typename: 'Member', id, displayName: 'Ann' }))
    await guddesk.deps.db.prisma.user.update({ where: { id: userId }, data: { name: 'Ann Lee' } })
    expect(await read()).toEqual(everywhere({ __typename: 'Member', id, displayName: 'Ann Lee' }))
    const remove = graphql(
      `mutation ($id: ID!) { removeMember(input: { memberId: $id }) { deletedId error { code } } }`,
    )
    payload((await guddesk.query(remove, { id }, as(session))).removeMember)
    expect(await read()).toEqual(everywhere({ __typename: 'UnavailableActor', id, displayName: 'Ann' }))
  })

  test('of an agent name the agent, also once it is uninstalled', async () => {
    const { id, key } = await newAgent('RefundBot')
    const read = await written(key)
    const own = { __typename: 'Agent', id, displayName: 'RefundBot' }
    expect(await read()).toEqual(everywhere(own))
    const neighbour = await newAgent('Other')
    expect(await read(neighbour.key)).toEqual(everywhere(own))
    await guddesk.call('DELETE', `/api/v1/agents/${id}`)
    expect(await read()).toEqual(everywhere({ ...own, __typename: 'UnavailableActor' }))
  })

  test.each(['workspace', 'all'] as const)('of an API key (%s) name it to those who may list it', async (scope) => {
    const key = await guddesk.newKey(tenant, 'FULL_ACCESS', scope)
    const { id, name } = await guddesk.actorOf(key, tenant.workspaceId)
    const read = await written(key)
    expect(await read()).toEqual(everywhere({ __typename: 'ApiKey', id, displayName: name }))
    const hidden = { __typename: 'UnavailableActor', id }
    const { key: agentKey } = await newAgent('Curious')
    for (const reader of [await guddesk.newKey(tenant, 'READ_ONLY'), agentKey]) {
      // Under the name of the message, as everybody reads it.
      const { sender, event } = await read(reader)
      expect(sender).toEqual({ ...hidden, displayName: 'Owner' })
      expect(event).toEqual({ ...hidden, displayName: name })
    }
    await guddesk.deps.db.prisma.apiKey.delete({ where: { id } })
    const [then, author] = [name, 'Owner'].map((displayName) => ({ ...hidden, displayName }))
    expect(await read()).toEqual({ sender: author, actor: author, event: then, entry: then })
  })

  test('a key of all workspaces is its person’s only', async () => {
    const key = await guddesk.newKey(tenant, 'FULL_ACCESS', 'all')
    const read = await written(key)
    const { userId } = await guddesk.newMember(tenant, 'Adam', 'ADMIN')
    expect(await read()).toMatchObject({ sender: { __typename: 'ApiKey' } })
    expect(await read(await guddesk.newSession({ userId }))).toMatchObject({
      sender: { __typename: 'UnavailableActor' },
    })
  })

  test('of a visitor name the visitor, and who passed the words on', async () => {
    const conversationId = await guddesk.newConversation(tenant)
    const { id: keyId, name } = await guddesk.actorOf(tenant.key)
    const { visitorId } = await guddesk.deps.db.prisma.conversation.findUniqueOrThrow({ where: { id: conversationId } })
    const input = { conversationId, body: 'By e-mail', type: 'VISITOR' } as const
    payload((await guddesk.query(SEND, { input })).sendMessage)
    const read = async () => {
      const { conversation } = await guddesk.query(MESSAGES, { id: conversationId })
      return conversation.messages?.edges.at(-1)?.node
    }
    const visitor = { __typename: 'Visitor', id: visitorId, displayName: 'Vera Visitor' }
    const passed = { body: 'By e-mail', actor: { __typename: 'ApiKey', id: keyId, displayName: name } }
    expect(await read()).toEqual({ ...passed, sender: visitor })
    // Somebody without a name who is gone, and somebody of another workspace.
    const other = await guddesk.newVisitor(await guddesk.newTenant(), 'Secret')
    for (const id of [newId('visitor'), other]) {
      const change = { data: { senderId: id, senderName: null }, where: { conversationId } }
      await guddesk.deps.db.prisma.message.updateMany(change)
      const unknown = { __typename: 'UnavailableActor', id, displayName: 'Visitor' }
      expect(await read()).toEqual({ ...passed, sender: unknown })
    }
  })

  test('of GudDesk itself name the system', async () => {
    const own = await guddesk.newTenant()
    const id = await guddesk.newConversation(own)
    const snoozedUntil = new Date(guddesk.clock.now().getTime() + 60_000).toISOString()
    await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { snoozedUntil }, own)
    guddesk.clock.advance(61_000)
    await reopenDueConversations(guddesk.deps)
    const system = { __typename: 'SystemActor', id: 'system', displayName: 'GudDesk' }
    const { conversation } = await guddesk.query(MESSAGES, { id }, { key: own.key })
    expect(conversation.events?.edges.at(-1)?.node.actor).toEqual(system)
    const target = { type: 'workspace', id: own.workspaceId } as const
    const entry = { action: 'workspace.updated', target, at: guddesk.clock.now() } as const
    await inTransaction(guddesk.deps, (tx) => recordAudit(tx, systemAuditor(own.workspaceId), entry))
    const { auditEntries } = await guddesk.query(ENTRIES, { filter: { actorId: 'system' } }, { key: own.key })
    expect(auditEntries.edges.map(({ node }) => node.actor)).toEqual([system])
  })
})

test('a visitor is called by the name, else the address, else Visitor', async () => {
  const { workspaceId } = tenant
  const name = graphql(`query ($id: ID!) { node(id: $id) { ... on Actor { displayName } } }`)
  for (const [given, displayName] of [
    [{ name: 'Vera', email: 'v@example.com' }, 'Vera'],
    [{ email: 'v@example.com' }, 'v@example.com'],
    [{}, 'Visitor'],
  ] as const) {
    const id = newId('visitor')
    await guddesk.deps.db.prisma.visitor.create({ data: { id, workspaceId, ...given } })
    expect(await guddesk.query(name, { id })).toEqual({ node: { displayName } })
  }
})

describe('Viewer', () => {
  const VIEWER = graphql(`{ viewer { permission member { id displayName } actor { __typename id displayName
    ... on ApiKey { prefix } ... on Member { role } ... on Agent { isEnabled } } } }`)
  const ASSIGN = graphql(`mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) {
    conversation { assignee { id } } error { code }
  } }`)

  test('has the member that a session or a key acts for, to whom conversations can be assigned', async () => {
    const id = await guddesk.newConversation(tenant)
    const ann = await guddesk.newMember(tenant, 'Ann', 'ADMIN')
    const person = { ...tenant, ...ann }
    const credentials = [
      await guddesk.newSession(ann),
      await guddesk.newKey(person, 'READ_WRITE'),
      await guddesk.newKey(person, 'READ_WRITE', 'all'),
    ]
    for (const key of credentials) {
      const { viewer } = await guddesk.query(VIEWER, {}, as(key))
      expect(viewer.member).toEqual({ id: ann.memberId, displayName: 'Ann' })
      await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { assigneeId: null })
      const input = { conversationId: id, assigneeId: viewer.member?.id ?? '' }
      const { conversation } = payload((await guddesk.query(ASSIGN, { input }, as(key))).updateConversation)
      expect(conversation.assignee).toEqual({ id: ann.memberId })
    }
  })

  test('is an agent without a member', async () => {
    const { id, key } = await newAgent('Bot')
    const actor = { __typename: 'Agent', id, displayName: 'Bot', isEnabled: true }
    expect(await guddesk.query(VIEWER, {}, { key })).toEqual({
      viewer: { permission: 'READ_WRITE', member: null, actor },
    })
  })

  test('is a key that sees itself, whatever it may', async () => {
    for (const scope of ['workspace', 'all'] as const) {
      const key = await guddesk.newKey(tenant, 'READ_ONLY', scope)
      const { id, name } = await guddesk.actorOf(key, tenant.workspaceId)
      const { viewer } = await guddesk.query(VIEWER, {}, as(key))
      expect(viewer).toMatchObject({ permission: 'READ_ONLY', member: { id: tenant.memberId } })
      const prefix = key.slice(0, 8)
      expect(viewer.actor).toEqual({ __typename: 'ApiKey', id, displayName: name, prefix })
    }
  })

  test('knows its id and name without a statement', async () => {
    const named = graphql(`{ viewer { actor { ...Name } } } fragment Name on Actor { __typename id displayName }`)
    const permission = graphql(`{ viewer { permission } }`)
    for (const key of [session, tenant.key]) {
      const ask = (query: string) => () => guddesk.graphql(query, {}, as(key))
      await ask(permission)()
      const least = await statementsOf(guddesk, ask(permission))
      const statements = await statementsOf(guddesk, ask(named))
      expect(statements, statements.join('\n')).toHaveLength(least.length)
    }
  })
})

test('a test event’s actor is nobody: a name', async () => {
  const url = `http://127.0.0.1:9/${newId('webhookEndpoint')}`
  const { endpoint } = payload((await guddesk.query(REGISTER, { input: { url } })).registerWebhookEndpoint)
  const send = graphql(`mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) {
    delivery { event { actor { __typename displayName } } } error { code }
  } }`)
  const input = { endpointId: endpoint.id, type: 'MESSAGE_CREATED' } as const
  const { delivery } = payload((await guddesk.query(send, { input })).sendTestEvent)
  expect(delivery.event?.actor).toEqual({ __typename: 'UnavailableActor', displayName: 'Test Visitor' })
})
