import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { everyEvent } from '../../support/rows/every-event.ts'
import { statementsOf } from '../../support/statements.ts'

// What events and the objects that they name cost: statements, points and bytes.

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

describe('100 events', () => {
  const LINKED = `actor { displayName } conversation { id visitor { id } }
    ... on MessageCreatedEvent { message { body sender { displayName } } }
    ... on ConversationClosedEvent { closedBy { displayName } }
    ... on NoteCreatedEvent { message { body } }
    ... on ConversationCreatedEvent { visitor { name } } ... on VisitorUpdatedEvent { visitor { name } }
    ... on ConversationAssignedEvent { assignee { name } }
    ... on EndpointDisabledEvent { endpoint { url } } ... on EndpointFailingEvent { endpoint { url } }`
  const UNLINKED = `__typename id type createdAt isTest payload
    ... on ConversationCreatedEvent { firstMessage } ... on ConversationClosedEvent { closedAt }
    ... on ConversationAssignedEvent { assigneeName } ... on ConversationUpdatedEvent { changedFields }
    ... on EndpointDisabledEvent { reason } ... on EndpointFailingEvent { failingSince disableAt }`
  let key: string

  beforeAll(async () => {
    const tenant = await guddesk.newTenant()
    key = tenant.key
    for (let i = 0; i < 13; i++) {
      const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: `http://127.0.0.1:9/${i}` }, { key })
      await everyEvent(guddesk, tenant, { endpoint: { id: data.endpoint.id, agentId: null } })
    }
    await quiet(guddesk)
  }, 60_000)

  async function statements(first: number, select: string): Promise<string[]> {
    const query = `{ events(first: ${first}) { edges { node { ${select} } } } }`
    let count = 0
    const sent = await statementsOf(guddesk, async () => {
      const { body } = await guddesk.graphql(query, {}, { key })
      expect(body.errors).toBeUndefined()
      count = body.data.events.edges.length
    })
    expect(count).toBe(first)
    return sent
  }

  test('with all that they name cost as many statements as a few', async () => {
    const [few, many] = [await statements(9, LINKED), await statements(100, LINKED)]
    expect(many.length, many.join('\n')).toBe(few.length)
    expect(many.length).toBeLessThanOrEqual(12)
  })

  test('of which nothing is selected that they name read nothing else', async () => {
    expect(await statements(100, UNLINKED)).toEqual(await statements(100, 'id'))
  })
})

test('fragments on the interface and on object types count for the cost', async () => {
  const query = `query { events(first: 10) { edges { node { ...Any } } } }
    fragment Any on Event { __typename id ... on MessageCreatedEvent { message { id } } ...Changed }
    fragment Changed on ConversationUpdatedEvent { changedFields }`
  const { body } = await guddesk.graphql(query)
  expect(body.errors).toBeUndefined()
  // Edge, node, __typename, id, message, its id, changedFields: of ten events.
  expect(body.extensions.cost.requested).toBe(1 + 10 * 7)
})

test('payloads count for what an answer may have in bytes', async () => {
  const tenant = await guddesk.newTenant()
  const id = await guddesk.newConversation(tenant)
  const long = 'x'.repeat(20_000)
  for (let i = 0; i < 12; i++) {
    const said = { body: long, type: 'AGENT' }
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, said, { key: tenant.key })
  }
  await quiet(guddesk)
  const aliases = Array.from({ length: 45 }, (_, i) => `p${i}: payload`).join(' ')
  const ids = await guddesk.graphql('{ events { edges { node { id } } } }', {}, tenant)
  const list = ids.data.events.edges.map(({ node }: { node: { id: string } }) => node.id)
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Event { ${aliases} } } }`
  const { body } = await guddesk.graphql(query, { ids: list }, tenant)
  expect(body.errors[0].extensions.code).toBe('bad_request')
  expect(body.errors[0].message).toContain('exceed 8 MiB')
})
