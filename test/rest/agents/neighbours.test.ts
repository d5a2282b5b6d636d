import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { installSecretive, type NeighbourRule } from '../objects.ts'

// What an agent's key sees of another agent, field by field of the OpenAPI document.

const FIELDS: Record<string, NeighbourRule> = {
  id: 'shown',
  name: 'shown',
  type: 'shown',
  isEnabled: 'shown',
  priority: 'shown',
  ignoreOwnEvents: 'shown',
  installedAt: 'shown',
  updatedAt: 'shown',
  description: { instead: null },
  config: { instead: {} },
  iconUrl: { instead: null },
  creatorName: { instead: null },
  creatorUrl: { instead: null },
  webhookEndpoint: { instead: null },
}

let guddesk: TestGudDesk
let id: string
let own: string
let neighbour: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  const secretive = await installSecretive(guddesk)
  id = secretive.id
  own = secretive.key
  neighbour = secretive.neighbour.as.key ?? ''
})

afterAll(() => guddesk?.stop())

test('every field of the document has a rule', () => {
  const document = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'))
  expect(Object.keys(FIELDS).sort()).toEqual(Object.keys(document.components.schemas.Agent.properties).sort())
})

const agentBy = {
  'GET /v1/agents': async (key: string) => {
    const { data } = await guddesk.call('GET', '/api/v1/agents', undefined, { key })
    return data.find((agent: { id: string }) => agent.id === id)
  },
  'GET /v1/agents/:id': async (key: string) => {
    return (await guddesk.call('GET', `/api/v1/agents/${id}`, undefined, { key })).data
  },
}

test.each(
  Object.entries(agentBy).flatMap(([road, by]) =>
    Object.entries(FIELDS).map(([name, rule]) => ({ road, by, name, rule })),
  ),
)('$name of another agent by $road', async ({ by, name, rule }) => {
  const [itself, seen] = [await by(own), await by(neighbour)]
  expect(await by(guddesk.tenant.key)).toEqual(itself)
  if (rule === 'shown') return expect(seen[name]).toEqual(itself[name])
  expect(seen[name]).toEqual(rule.instead)
  expect(itself[name]).not.toEqual(rule.instead)
})
