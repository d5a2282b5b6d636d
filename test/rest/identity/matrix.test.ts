import { describe, expect, test } from 'vitest'
import { type OpenApiOperation, RULES } from './matrix-rules.ts'
import {
  cases,
  digest,
  EVERYBODY,
  guddesk,
  newWorld,
  operations,
  refusalOf,
  ruleOf,
  send,
  useWorlds,
  type World,
} from './matrix-steps.ts'

useWorlds()

/** Names of parameters and fields whose values name something of a workspace. */
const NAMING = /^(id|\w+Id|url|webhookUrl|slug|email)$/

/** Where an operation takes what names something, as a rule's `names` says it. */
function namingPlaces({ parameters = [], requestBody }: OpenApiOperation): string[] {
  const own = parameters.flatMap(({ name, in: where }) => (name === undefined ? [] : [{ name, where }]))
  const named = own.filter(({ name }) => NAMING.test(name))
  const fields = Object.keys(requestBody?.content['application/json'].schema.properties ?? {})
  return [
    ...named.map(({ name, where }) => (where === 'path' ? 'path' : `${where}.${name}`)),
    ...fields.filter((name) => NAMING.test(name)).map((name) => `body.${name}`),
  ]
}

test('every operation of the OpenAPI document has a rule, and every rule an operation', () => {
  expect(Object.keys(RULES).sort()).toEqual(cases.toSorted())
})

test.each(operations)('the rule of $name knows everything that it can name', ({ name, operation }) => {
  // The slug of a workspace is the one name that all workspaces share.
  const places = namingPlaces(operation).filter(
    (place) => !(/^(POST|PATCH) .v1.workspaces/.test(name) && place === 'body.slug'),
  )
  expect(Object.keys(RULES[name]?.names ?? {}).sort()).toEqual(places.toSorted())
})

describe.each(cases)('who may call %s', (name) => {
  let world: World | undefined

  test.each(Object.entries(EVERYBODY))('%s', async (_name, who) => {
    const rule = ruleOf(name)
    world ??= await newWorld()
    const { own, tenant } = world
    const credential = await who.credential(world)
    const isHeader = typeof credential === 'object' && credential !== null
    const asked = rule.request(who.kind === 'agent' ? { ...own, ...(await endpointOf(own.agentId)) } : own)
    const isScoped = who.everywhere === undefined
    const request = isScoped ? asked : { ...asked, query: { ...asked.query, workspaceId: tenant.workspaceId } }
    const before = await digest()
    const answer = await send(name, request, isHeader ? null : credential, isHeader ? credential.headers : {})
    const expected = refusalOf(rule, who)
    if (expected === null) {
      expect([answer.status < 300, answer.error]).toEqual([true, undefined])
      if (name.startsWith('DELETE')) world = undefined
      return
    }
    expect([answer.status, answer.error?.status]).toEqual([expected, expected])
    expect(await digest()).toBe(before)
  })
})

async function endpointOf(agentId: string): Promise<{ endpointId: string; endpointUrl: string }> {
  const endpoint = await guddesk.deps.db.prisma.webhookEndpoint.findFirstOrThrow({ where: { agentId } })
  return { endpointId: endpoint.id, endpointUrl: endpoint.url }
}
