import { describe, expect, test } from 'vitest'
import type { Call } from '../../support/guddesk.ts'
import { nextUrl, ok } from '../objects.ts'
import { anAgent, DAY, guddesk, register, remove, row, useReceiver } from './unregistering-steps.ts'

useReceiver()

describe('whose it is', () => {
  test('an agent gets back its own, and never another one’s or the workspace’s', async () => {
    const url = nextUrl()
    const { key } = await anAgent()
    const { key: otherKey } = await anAgent()
    const mine = (await register({ url }, { key })).data.endpoint
    await ok(remove({ url }, { key }))
    const theirs = await register({ url }, { key: otherKey })
    expect([theirs.status, theirs.data.status]).toEqual([201, 'created'])
    expect(theirs.data.endpoint.id).not.toBe(mine.id)
    expect(theirs.data.endpoint.secret).not.toBe(mine.secret)
    expect((await register({ url }, { key })).status).toBe(409)
    await ok(remove({ url }, { key: otherKey }))
    expect((await register({ url }, { key })).data).toMatchObject({ resumed: true, endpoint: mine })
    await ok(remove({ url, forget: true }, { key }))
    expect((await register({ url }, { key: otherKey })).data).toMatchObject({
      resumed: true,
      endpoint: { id: theirs.data.endpoint.id },
    })
  })

  test('an agent does not get what a FULL_ACCESS key registered; that key gets back either', async () => {
    const url = nextUrl()
    const { key } = await anAgent()
    const own = (await register({ url })).data.endpoint
    await ok(remove({ url }))
    const agents = await register({ url }, { key })
    expect(agents.data.status).toBe('created')
    await ok(remove({ url }, { key }))
    const anyKey = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS')
    expect((await register({ url }, { key: anyKey })).data).toMatchObject({ resumed: true, endpoint: own })
    await ok(remove({ url, forget: true }))
    const again = (await register({ url: (await installUnregistered(key)).url }, { key: anyKey })).data
    expect(again.resumed).toBe(true)
  })

  async function installUnregistered(key: string): Promise<{ url: string }> {
    const url = nextUrl()
    await ok(register({ url }, { key }))
    await ok(remove({ url }, { key }))
    return { url }
  }

  test('another workspace gets an endpoint of its own, and can neither find nor forget this one', async () => {
    const url = nextUrl()
    const { key } = await guddesk.newTenant()
    const { endpoint } = (await register({ url })).data
    await ok(remove({ url }))
    for (const ref of [{ url }, { endpointId: endpoint.id }]) {
      expect((await remove({ ...ref, forget: true }, { key })).status).toBe(404)
    }
    const theirs = await register({ url }, { key })
    expect(theirs.data.status).toBe('created')
    expect((await register({ url })).data).toMatchObject({ resumed: true, endpoint })
  })
})

describe('for good', () => {
  test('forget removes at once, by url or endpointId, what is live and what is unregistered', async () => {
    for (const isLive of [true, false]) {
      for (const by of ['url', 'endpointId'] as const) {
        const url = nextUrl()
        const { id } = (await register({ url })).data.endpoint
        if (!isLive) await ok(remove({ url }))
        const ref = by === 'url' ? { url } : { endpointId: id }
        const forgotten = await remove({ ...ref, forget: true })
        expect([forgotten.status, forgotten.data]).toEqual([200, { deleted: true }])
        expect(await row(id)).toBeNull()
        expect((await remove({ ...ref, forget: true })).status).toBe(404)
        expect((await register({ url })).data.status).toBe('created')
      }
    }
  })

  test('deleteWebhookEndpoint removes at once, what is live and what is unregistered', async () => {
    for (const isLive of [true, false]) {
      const url = nextUrl()
      const { id } = (await register({ url })).data.endpoint
      if (!isLive) await ok(remove({ url }))
      const deleted = 'mutation ($id: ID!) { deleteWebhookEndpoint(input: { endpointId: $id }) { error { code } } }'
      const { body } = await guddesk.graphql(deleted, { id })
      expect(body.data.deleteWebhookEndpoint).toEqual({ error: null })
      expect(await row(id)).toBeNull()
      expect((await register({ url })).data.status).toBe('created')
    }
  })

  test('forget must be a boolean', async () => {
    const { status, error } = await remove({ url: nextUrl(), forget: 'yes' })
    expect([status, error.fields?.map(({ path }) => path)]).toEqual([400, ['forget']])
  })

  test('uninstalling an agent takes its unregistered endpoint along; so does ending what a member made', async () => {
    const { key, agentId } = await anAgent()
    const url = nextUrl()
    const { id } = (await register({ url }, { key })).data.endpoint
    await ok(remove({ url }, { key }))
    await ok(guddesk.call('DELETE', `/api/v1/agents/${agentId}`))
    expect(await row(id)).toBeNull()

    const member = await guddesk.newMember(guddesk.tenant, 'Mallory', 'ADMIN')
    const theirKey = await guddesk.newKey({ ...guddesk.tenant, ...member }, 'FULL_ACCESS')
    const theirs = (await register({ url: nextUrl() }, { key: theirKey })).data.endpoint
    await ok(remove({ url: theirs.url }, { key: theirKey }))
    const { body } = await guddesk.graphql(
      `mutation ($id: ID!) { removeMember(input: { memberId: $id, endAccess: true }) { error { code } } }`,
      { id: member.memberId },
    )
    expect(body.data.removeMember).toEqual({ error: null })
    expect(await row(theirs.id)).toBeNull()
  })
})

test('what people are told: since when, until when, and to whom it belongs', async () => {
  const { key, agentId } = await anAgent()
  const { key: neighbour } = await anAgent()
  const tenant = await guddesk.newTenant()
  const url = nextUrl()
  const { id } = (await register({ url }, { key })).data.endpoint
  await ok(remove({ url }, { key }))
  const { unregisteredAt: at } = (await row(id)) ?? {}
  const ask = async (call: Call) => {
    const fields = 'unregisteredWebhookEndpoints { endpointId url agentId unregisteredAt keptUntil }'
    const { body } = await guddesk.graphql(`{ ${fields} }`, {}, call)
    return body.data.unregisteredWebhookEndpoints.filter(({ endpointId }: { endpointId: string }) => endpointId === id)
  }
  const told = {
    ...{ endpointId: id, url, agentId, unregisteredAt: at?.toISOString() },
    keptUntil: new Date((at?.getTime() ?? 0) + DAY).toISOString(),
  }
  expect(await ask({})).toEqual([told])
  expect(await ask({ key })).toEqual([told])
  expect(await ask({ key: neighbour })).toEqual([])
  expect(await ask({ key: tenant.key })).toEqual([])
  const actions = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { targetId: id }, orderBy: { id: 'asc' } })
  expect(actions.map(({ action }) => action)).toEqual(['webhook_endpoint.created', 'webhook_endpoint.unregistered'])
  await ok(register({ url }, { key }))
  expect(await ask({})).toEqual([])
  const resumed = { targetId: id, action: 'webhook_endpoint.resumed', actorId: agentId }
  expect(await guddesk.deps.db.prisma.auditEntry.count({ where: resumed })).toBe(1)
})
