import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInputObjectType, isObjectType } from 'graphql'
import { expect, test, vi } from 'vitest'

// A new plain column of an agent takes two changes: the Prisma model, and AgentProfile. One of a conversation takes the
// same two: the Prisma model, and ConversationDetails.

const PROFILE = 'src/domain/agents/agent-profile.ts'

// Not to stand in for our own code: this is the change that a new field makes. Everything else is
// assembled from it as usual, in new modules, because the setup of the tests has already imported it.
vi.resetModules()
vi.doMock('../../../src/domain/agents/agent-profile.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../../src/domain/agents/agent-profile.ts')>()
  const { webUrl } = await import('../../../src/domain/shared/input.ts')
  const homepage = webUrl.optional().describe('Home page of the agent.')
  return { ...original, AgentProfile: original.AgentProfile.extend({ homepage }) }
})
vi.doMock('../../../src/domain/conversations/columns/conversation-details.ts', async (importOriginal) => {
  const original =
    await importOriginal<typeof import('../../../src/domain/conversations/columns/conversation-details.ts')>()
  const { clearableText } = await import('../../../src/domain/shared/input.ts')
  const language = clearableText(35).describe('The language of the conversation, at most 35 characters.')
  return { ...original, ConversationDetails: original.ConversationDetails.extend({ language }) }
})

const { AgentProfile } = await import('../../../src/domain/agents/agent-profile.ts')
const { AgentPatch, InstallAgent } = await import('../../../src/domain/agents/agents.ts')
const { ConversationDetails } = await import('../../../src/domain/conversations/columns/conversation-details.ts')
const { ConversationPatch } = await import('../../../src/domain/conversations/update-conversation.ts')
const { StartConversation } = await import('../../../src/domain/messages/start-conversation.ts')
const { schema } = await import('../../../src/resolvers/index.ts')
const { routes } = await import('../../../src/rest/app.ts')
const { openApiDocument } = await import('../../../src/rest/openapi.ts')
const shapes = await import('../../../src/rest/shapes.ts')
const { shown } = shapes

const FIELDS = Object.keys(AgentProfile.shape)

test('the profile has the field that this test adds', () => {
  expect(FIELDS).toEqual(expect.arrayContaining(['description', 'creatorUrl', 'homepage']))
})

/** The description of a field in some GraphQL types. */
const describedInGraphql = (name: string, typenames: readonly string[]) =>
  typenames.map((typename) => {
    const type = schema.getType(typename)
    const field = isObjectType(type) || isInputObjectType(type) ? type.getFields()[name] : undefined
    return [typename, field?.description]
  })

const A_SENTENCE = expect.stringMatching(/\w.*\./)

test.each(FIELDS)('GraphQL takes and answers %s, and describes it everywhere', (name) => {
  const types = ['Agent', 'InstallAgentInput', 'UpdateAgentInput']
  expect(describedInGraphql(name, types)).toEqual(types.map((typename) => [typename, A_SENTENCE]))
})

// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
const document: any = openApiDocument(routes, '1.0.0')
const bodyOf = (operation: typeof document) => operation.requestBody.content['application/json'].schema

test.each(FIELDS)('REST takes and answers %s, and describes it everywhere', (name) => {
  const { Agent, InstalledAgent } = document.components.schemas
  const install = bodyOf(document.paths['/v1/agents'].post)
  const patch = bodyOf(document.paths['/v1/agents/{id}'].patch)
  for (const { properties } of [Agent, InstalledAgent, install, patch]) {
    expect(properties[name]).toMatchObject({ description: A_SENTENCE })
  }
})

const DETAILS = Object.keys(ConversationDetails.shape)

test.each(DETAILS)('both APIs take and answer %s of a conversation, and describe it everywhere', (name) => {
  expect(DETAILS).toContain('language')
  const types = ['Conversation', 'StartConversationInput', 'UpdateConversationInput']
  expect(describedInGraphql(name, types)).toEqual(types.map((typename) => [typename, A_SENTENCE]))
  const { Conversation, ConversationSummary } = document.components.schemas
  const start = bodyOf(document.paths['/v1/conversations'].post)
  const patch = bodyOf(document.paths['/v1/conversations/{id}'].patch)
  for (const { properties } of [Conversation, ConversationSummary, start, patch]) {
    expect(properties[name]).toMatchObject({ description: A_SENTENCE })
  }
})

test('both APIs describe an answer of a conversation in the same words', () => {
  const [[, description] = []] = describedInGraphql('language', ['Conversation'])
  expect(description).toBe('The language of the conversation, at most 35 characters. Null when there is none.')
  expect(document.components.schemas.ConversationSummary.properties.language).toEqual({
    type: ['string', 'null'],
    description,
  })
})

test('operations of a conversation take the new column', () => {
  const visitorId = 'vis_1'
  expect(StartConversation.parse({ visitorId, language: ' de ' })).toEqual({ visitorId, language: 'de' })
  expect(StartConversation.parse({ visitorId })).toEqual({ visitorId })
  expect(ConversationPatch.parse({ language: '' })).toEqual({ language: null })
  expect(() => ConversationPatch.parse({ language: 'x'.repeat(36) })).toThrow(/35/)
})

test('a new URL has the types of a URL', () => {
  const [agent, input] = ['Agent', 'UpdateAgentInput'].map((name) => schema.getType(name))
  const types = [isObjectType(agent) && agent, isInputObjectType(input) && input]
  expect(types.map((type) => type && String(type.getFields()['homepage']?.type))).toEqual(['URL', 'URL'])
  expect(shapes.Agent.shape).toHaveProperty('homepage')
  const rest = { ...shapes.Agent.shape }['homepage' as 'name']
  expect([rest.safeParse('https://a.example').success, rest.safeParse(null).success]).toEqual([true, true])
})

test('operations take it, and answers show it and no column besides', () => {
  const homepage = 'https://a.example'
  expect(InstallAgent.parse({ name: 'A', webhookUrl: homepage, homepage })).toMatchObject({ homepage })
  expect(AgentPatch.parse({ homepage })).toEqual({ homepage })
  expect(() => AgentPatch.parse({ homepage: 'javascript:alert(1)' })).toThrow(/http/)
  const row = Object.fromEntries(Object.keys(shapes.Agent.shape).map((name) => [name, null]))
  const answer = shown(shapes.Agent)({ ...row, homepage, workspaceId: 'ws' } as unknown as Parameters<
    ReturnType<typeof shown<typeof shapes.Agent.shape>>
  >[0])
  expect(answer).toEqual({ ...row, homepage })
})

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The files of src that name it, apart from generated ones. */
function filesThatName(word: string): string[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  return files
    .map((file) => `src/${file}`)
    .filter((file) => file.endsWith('.ts') && !file.startsWith('src/generated/'))
    .filter((file) => new RegExp(`\\b${word}\\b`).test(readFileSync(join(ROOT, file), 'utf8')))
}

test.each(['creatorName', 'creatorUrl'])('%s, a plain column of an agent, is named in one file', (name) => {
  expect(filesThatName(name)).toEqual([PROFILE])
})
