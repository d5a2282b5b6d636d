import { parse } from 'graphql'
import { describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { measure } from '../../../src/graphql/cost.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { installAgent, makeObjects, ok } from '../../rest/objects.ts'
import { graphql, present } from '../../support/graphql.ts'
import { guddesk, mine, other, post, useObjects, walk } from './edges-steps.ts'

useObjects()

test('a message leads to its conversation', async () => {
  const query = graphql(
    `query ($id: ID!) { conversation(id: $id) { messages { nodes { conversation { id subject visitor { id } } } } } }`,
  )
  const { conversation } = await guddesk.query(query, { id: mine.conversationId })
  const [message] = present(present(conversation).messages).nodes
  expect(message?.conversation).toMatchObject({ id: mine.conversationId, visitor: { id: mine.visitorId } })
})

test('keys lead to their agent or their owner, and an agent to its keys', async () => {
  const person = { ...guddesk.tenant, ...(await guddesk.newMember(guddesk.tenant, 'Kim', 'ADMIN')) }
  await guddesk.newKey(person, 'READ_ONLY')
  const query = graphql(`{ apiKeys(first: 100) { nodes { id agentId agent { id } owner { id name user { name } } } } }`)
  const keysNow = async () => present((await guddesk.query(query)).apiKeys).nodes
  const nodes = await keysNow()
  const ofAgent = nodes.filter(({ agent }) => agent?.id === mine.agentId)
  expect(ofAgent).toMatchObject([{ agentId: mine.agentId, owner: null }])
  expect(await walk(mine.agentId, 'Agent', 'apiKeys', 1)).toEqual(ofAgent.map(({ id }) => id))
  const kim = { id: person.memberId, name: 'Kim', user: { name: 'Kim' } }
  expect(nodes.filter(({ owner }) => owner?.id === person.memberId)).toMatchObject([{ agent: null, owner: kim }])
  await guddesk.deps.db.prisma.member.delete({ where: { id: person.memberId } })
  expect((await keysNow()).filter(({ agentId, owner }) => agentId === null && owner === null)).toHaveLength(1)
  const rotate = graphql(`mutation ($input: RotateAgentApiKeyInput!) { rotateAgentApiKey(input: $input) {
    apiKey { id } error { code } } }`)
  guddesk.clock.advance(1000)
  const { rotateAgentApiKey } = await guddesk.query(rotate, { input: { agentId: mine.agentId } })
  const expected = [rotateAgentApiKey?.apiKey?.id, ...ofAgent.map(({ id }) => id)]
  expect(await walk(mine.agentId, 'Agent', 'apiKeys', 1)).toEqual(expected)
})

test('a collection leads to its articles, with their bodies', async () => {
  const make = graphql(`mutation { createCollection(input: { name: "Money" }) { collection { id } error { code } } }`)
  const collectionId = present((await guddesk.query(make)).createCollection?.collection).id
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    guddesk.clock.advance(10)
    ids.unshift((await post('/api/v1/articles', { title: `No. ${i}`, body: `Body ${i}`, collectionId })).data.id)
  }
  expect(await walk(collectionId, 'Collection', 'articles', 2)).toEqual(ids)
  const query = graphql(
    `query ($id: ID!) { node(id: $id) { ... on Collection { articles { nodes { title body collection { id } } } } } }`,
  )
  const { node } = await guddesk.query(query, { id: collectionId })
  if (node === null || !('articles' in node)) throw new Error('no collection')
  expect(present(node.articles).nodes).toEqual(
    [4, 3, 2, 1, 0].map((i) => ({ title: `No. ${i}`, body: `Body ${i}`, collection: { id: collectionId } })),
  )
})

test('a page of articles of a collection ends by the bytes of their bodies', async () => {
  const make = graphql(`mutation { createCollection(input: { name: "Long" }) { collection { id } error { code } } }`)
  const collectionId = present((await guddesk.query(make)).createCollection?.collection).id
  for (let i = 0; i < 12; i++) {
    await post('/api/v1/articles', { title: `Long ${i}`, body: 'x'.repeat(199_000), collectionId })
  }
  const pageOf = async (fields: string) => {
    const query = `{ node(id: "${collectionId}") { ... on Collection { articles { nodes { ${fields} } pageInfo { hasNextPage } } } } }`
    return (await guddesk.graphql(query)).data.node.articles
  }
  expect((await pageOf('id')).nodes).toHaveLength(12)
  const withBodies = await pageOf('id body')
  expect([withBodies.nodes.length, withBodies.pageInfo.hasNextPage]).toEqual([10, true])
})

test('members lead to their users', async () => {
  const query = graphql(
    `query ($id: ID!) { node(id: $id) { ... on Member { name user { id name email hasPassword } } } }`,
  )
  const { memberId, userId } = await guddesk.newMember(guddesk.tenant, 'Uma')
  const { node } = await guddesk.query(query, { id: memberId })
  const email = `${userId}@example.com`
  expect(node).toEqual({ name: 'Uma', user: { id: userId, name: 'Uma', email, hasPassword: null } })
})

describe('the target of an audit entry', () => {
  const ENTRIES = graphql(`query ($first: Int) { auditEntries(first: $first) { nodes { targetType targetId target {
    __typename id ... on Agent { name } ... on Invitation { role } ... on WebhookEndpoint { url }
  } } } }`)
  const entries = async () => present((await guddesk.query(ENTRIES, { first: 100 })).auditEntries).nodes

  test('is the object as it is now, or null when that is gone', async () => {
    const agent = await installAgent(guddesk, 'Named')
    const invite = graphql(
      `mutation { inviteMember(input: { email: "t@example.com", role: VIEWER }) { invitation { id } error { code } } }`,
    )
    const invitationId = present((await guddesk.query(invite)).inviteMember?.invitation).id
    await ok(guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, { name: 'Renamed' }))
    const doomed = await installAgent(guddesk, 'Doomed')
    await ok(guddesk.call('DELETE', `/api/v1/agents/${doomed.id}`))
    const all = await entries()
    const targetOf = (id: string) => all.find(({ targetId }) => targetId === id)?.target
    expect(targetOf(agent.id)).toEqual({ __typename: 'Agent', id: agent.id, name: 'Renamed' })
    expect(targetOf(invitationId)).toEqual({ __typename: 'Invitation', id: invitationId, role: 'VIEWER' })
    expect(targetOf(mine.endpointId)).toMatchObject({ __typename: 'WebhookEndpoint', url: mine.endpointUrl })
    expect(targetOf(doomed.id)).toBeNull()
  })

  test('of another workspace is null', async () => {
    const { prisma } = guddesk.deps.db
    const entry = await prisma.auditEntry.findFirstOrThrow({ where: { workspaceId: guddesk.tenant.workspaceId } })
    const theirs = await makeObjects(guddesk, other)
    const targets = {
      conversation: theirs.conversationId,
      agent: theirs.agentId,
      webhook_endpoint: theirs.endpointId,
      member: theirs.memberId,
      article: theirs.articleId,
      workspace: theirs.workspaceId,
      user: other.userId,
    }
    guddesk.clock.advance(1000)
    const createdAt = guddesk.clock.now()
    await prisma.auditEntry.createMany({
      data: Object.entries(targets).map(([targetType, targetId]) => {
        return { ...entry, data: {}, id: newId('auditEntry'), targetType, targetId, createdAt }
      }),
    })
    const seen = (await entries()).slice(0, 7)
    expect(new Set(seen.map(({ targetId }) => targetId))).toEqual(new Set(Object.values(targets)))
    for (const { target } of seen) expect(target).toBeNull()
  })
})

describe('by another key', () => {
  test('a visitor by its external id', async () => {
    const { id } = (await post('/api/v1/customers', { externalId: 'customer 42', name: 'Vera' })).data
    await post('/api/v1/customers', { externalId: 'theirs', name: 'Theirs' }, other.key)
    const query = graphql(`query ($id: ID, $externalId: String) { visitor(id: $id, externalId: $externalId) { id } }`)
    const find = async (key: object) => (await guddesk.query(query, key)).visitor
    expect(await find({ externalId: 'customer 42' })).toEqual({ id })
    expect(await find({ id })).toEqual({ id })
    expect(await find({ id, externalId: null })).toEqual({ id })
    for (const key of [{ externalId: 'theirs' }, { externalId: 'Customer 42' }, { id: 'x' }, { id: mine.agentId }]) {
      expect(await find(key)).toBeNull()
    }
  })

  test('an article by its slug', async () => {
    const { id } = (await post('/api/v1/articles', { title: 'By slug', body: 'Text' })).data
    await post('/api/v1/articles', { title: 'Their slug' }, other.key)
    const query = graphql(
      `query ($id: ID, $slug: String) { article(id: $id, slug: $slug) { id body collection { id } } }`,
    )
    const find = async (key: object) => (await guddesk.query(query, key)).article
    expect(await find({ slug: 'by-slug' })).toEqual({ id, body: 'Text', collection: null })
    expect(await find({ id })).toMatchObject({ id })
    for (const key of [
      { slug: 'their-slug' },
      { slug: 'By-Slug' },
      { slug: '\u0000' },
      { slug: '' },
      { id: '\u0000' },
    ]) {
      expect(await find(key)).toBeNull()
    }
  })

  test.each([
    'visitor { id }',
    'visitor(id: null) { id }',
    'visitor(id: "x", externalId: "x") { id }',
    'visitor(externalId: "") { id }',
    'article { id }',
    'article(id: "x", slug: "x") { id }',
  ])('%s is refused', async (field) => {
    const { body } = await guddesk.graphql(`{ ${field} }`)
    expect(body.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
  })
})

test('nodes and edges together count as showing every row twice', () => {
  const repeatsOf = (text: string) => {
    const document = parse(text)
    const [operation] = document.definitions
    if (operation?.kind !== 'OperationDefinition') throw new Error('not an operation')
    return measure(schema, document, operation, {}).repeats
  }
  expect(repeatsOf('{ visitors { nodes { id } } }')).toBe(0)
  expect(repeatsOf('{ visitors { edges { cursor } nodes { id } } }')).toBe(1)
  expect(
    repeatsOf('{ visitors { ...A ... { nodes { id } } } } fragment A on VisitorConnection { edges { cursor } }'),
  ).toBe(1)
  expect(repeatsOf('{ visitors { edges { node { conversations { nodes { id } } } } } }')).toBe(0)
})

test('a list that is asked for by nodes has all of their fields', async () => {
  const query = graphql(
    `{ conversations(first: 1) { nodes { id subject visitor { id name } assignee { id } } edges { node { status } } } }`,
  )
  const { conversations } = await guddesk.query(query)
  const [node] = present(conversations).nodes
  expect(node).toMatchObject({ id: expect.any(String), visitor: { id: expect.any(String), name: 'Vera Visitor' } })
  expect(present(conversations).edges[0]?.node).toEqual({ status: 'OPEN' })
})

test('workspaces and endpoints say when they were last changed', async () => {
  const query = graphql(
    `{ workspace { createdAt updatedAt } webhookEndpoints(first: 1) { nodes { createdAt updatedAt } } }`,
  )
  const { workspace, webhookEndpoints } = await guddesk.query(query)
  for (const row of [present(workspace), ...present(webhookEndpoints).nodes]) {
    expect(Date.parse(row.updatedAt)).not.toBeNaN()
  }
})
