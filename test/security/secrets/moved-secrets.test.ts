import { afterAll, beforeAll, expect, test } from 'vitest'
import { cache } from '../../../src/dispatch/send/cache.ts'
import { ENDPOINTS_TOPIC } from '../../../src/domain/events/events.ts'
import { createVault } from '../../../src/infra/secrets.ts'
import { ok } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver

beforeAll(async () => {
  guddesk = await startGudDesk()
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver?.close()
  await guddesk?.stop()
})

test('what was opened for one row is not there for another', () => {
  const vault = createVault(Buffer.alloc(32, 1))
  const open = cache((sealed, id) => vault.open(sealed, id))
  const sealed = vault.seal('secret', 'whk_a')
  expect(open(sealed, 'whk_a')).toBe('secret')
  expect(() => open(sealed, 'whk_b')).toThrow('belongs to another row')
  expect(open(sealed, 'whk_a')).toBe('secret')
})

test('a secret that was moved to another endpoint signs nothing there, also while it is in use', async () => {
  const ids: string[] = []
  for (const path of ['a', 'b']) {
    const { data } = await ok(guddesk.call('POST', '/api/agent/webhooks', { url: `${receiver.url}/${path}` }))
    ids.push(data.endpoint.id)
  }
  const [from = '', to = ''] = ids
  await guddesk.newConversation(guddesk.tenant, 'Hello')
  await receiver.waitFor(4)
  const { prisma } = guddesk.deps.db
  const { sealedSecret } = await prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: from } })
  await prisma.webhookEndpoint.update({ where: { id: to }, data: { sealedSecret } })
  guddesk.deps.bus.notify(ENDPOINTS_TOPIC, [to])
  await guddesk.newConversation(guddesk.tenant, 'Again')
  await until(() => guddesk.logs.some(({ msg, endpointId }) => msg === 'delivery not signed' && endpointId === to))
  await until(() => receiver.received.filter(({ path }) => path.endsWith('/a')).length === 4)
  expect(receiver.received.filter(({ path }) => path.endsWith('/b'))).toHaveLength(2)
})
