import { beforeEach, expect, test } from 'vitest'
import { EndpointQueue } from '../../../src/dispatch/queue/endpoint-queue.ts'
import { type Health, writeHealth } from '../../../src/dispatch/store/endpoint-health.ts'
import { adopt, type EndpointRow, readEndpoints } from '../../../src/dispatch/store/endpoints.ts'
import { connection, guddesk, joinAlone, ME, useApiNode } from '../api-node.ts'

let agentId: string
let endpointId: string
let queue: EndpointQueue

useApiNode()
beforeEach(async () => {
  await joinAlone()
  const { prisma } = guddesk.deps.db
  const { key } = await guddesk.newTenant()
  const body = { name: 'Agent', webhookUrl: 'http://127.0.0.1:9/agent' }
  agentId = (await guddesk.call('POST', '/api/v1/agents', body, { key })).data.id
  endpointId = (await prisma.webhookEndpoint.findFirstOrThrow({ where: { agentId } })).id
  await adopt(connection, ME, [endpointId])
  queue = new EndpointQueue(await asItStands(), { count: 0 })
})

async function asItStands(): Promise<EndpointRow> {
  const [row] = await readEndpoints(connection, ME, [endpointId])
  if (row === undefined) throw new Error('the endpoint belongs to this process')
  return row
}

async function succeeded(): Promise<Health> {
  const now = guddesk.clock.now()
  const nothing = { failedAt: null, lastFailedAt: null, failures: 0 }
  const breaker = { openedAt: null, probeAt: null, probes: 0 }
  const [health] = await writeHealth(connection, ME, [{ id: endpointId, succeededAt: now, ...nothing, breaker }])
  if (health === undefined) throw new Error('health was written')
  return health
}

test('an endpoint whose health this process wrote is the one that it knows', async () => {
  for (let i = 0; i < 3; i++) {
    const { version } = queue.row
    queue.healthWritten(await succeeded())
    expect(queue.row.version).not.toBe(version)
    expect(queue.row).toEqual(await asItStands())
  }
})

test.each([
  [
    'the endpoint',
    () => guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { maxInFlight: 3 } }),
  ],
  ['its agent', () => guddesk.deps.db.prisma.agent.update({ where: { id: agentId }, data: { name: 'Another' } })],
])('one of which somebody changed %s before is still to be read anew', async (_, change) => {
  await change()
  queue.healthWritten(await succeeded())
  expect(queue.row.version).not.toBe((await asItStands()).version)
})
