import { describe, expect, test } from 'vitest'
import { answer, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import { ok } from '../objects.ts'
import { guddesk, HOUR, MINUTE, receiver, register, remove, SECOND, urls, useReceiver } from './unregistering-steps.ts'

useReceiver()

describe('a process that was replaced', () => {
  /** Registered by the old process, and again by the new one. */
  async function deploy(): Promise<{ id: string; secret: string }> {
    const { data } = await register({ url: receiver.url, events: { onConversationCreated: false } })
    guddesk.clock.advance(HOUR)
    await ok(register({ url: receiver.url }))
    return data.endpoint
  }

  test('unregisters nothing when its successor answers a ping', async () => {
    const { id, secret } = await deploy()
    guddesk.clock.advance(9 * MINUTE)
    for (let processes = 0; processes < 2; processes++) {
      const { status, data } = await remove({ url: receiver.url })
      expect([status, data]).toEqual([200, { deleted: true }])
    }
    expect(receiver.received.map(({ event }) => event)).toEqual(['ping', 'ping'])
    expect(receiver.received[0]?.headers['x-guddesk-signature']).toMatch(/^sha256=/)
    expect(await urls()).toContain(receiver.url)
    const again = await register({ url: receiver.url })
    expect(again.data).toMatchObject({ status: 'exists', endpoint: { id, secret } })
    expect(again.data).not.toHaveProperty('resumed')
  })

  test.each([
    ['answers with a failure', () => receiver.behave(answer(500))],
    ['is away', () => receiver.close()],
    ['does not answer in time', () => receiver.behave(() => undefined)],
  ])('unregisters it when whoever is there %s', { timeout: 20_000 }, async (_, happen) => {
    await deploy()
    await happen()
    const began = performance.now()
    expect((await remove({ url: receiver.url })).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(6000)
    expect(await urls()).not.toContain(receiver.url)
    expect((await remove({ url: receiver.url })).status).toBe(404)
  })

  test('is not asked later than ten minutes after, nor after a first registration', async () => {
    await deploy()
    guddesk.clock.advance(10 * MINUTE)
    await ok(remove({ url: receiver.url }))
    expect(await urls()).not.toContain(receiver.url)
    const other = await startReceiver()
    await ok(register({ url: other.url }))
    await ok(remove({ url: other.url }))
    expect([...receiver.received, ...other.received]).toEqual([])
    await other.close()
  })

  test('a registration that comes while it is asked wins, whatever comes of that', async () => {
    const { id } = await deploy()
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    receiver.behave((response) => {
      asked.resolve()
      void answered.promise.then(() => response.writeHead(500).end())
    })
    const removing = remove({ url: receiver.url })
    await asked.promise
    // Nothing is locked meanwhile.
    guddesk.clock.advance(SECOND)
    expect((await register({ url: receiver.url })).data).toMatchObject({ status: 'exists', endpoint: { id } })
    answered.resolve()
    expect((await removing).status).toBe(200)
    expect(await urls()).toContain(receiver.url)
  })

  test('unregisters nothing when more processes stop at once than pings can wait', async () => {
    const { id } = await deploy()
    const answered = Promise.withResolvers<void>()
    receiver.behave((response) => void answered.promise.then(() => response.writeHead(200).end()))
    const ping = `mutation ($id: ID!) { sendTestEvent(input: { endpointId: $id, type: PING }) { error { code } } }`
    for (let i = 0; i < 10; i++) {
      expect((await guddesk.graphql(ping, { id })).body.data.sendTestEvent).toEqual({ error: null })
    }
    expect((await guddesk.graphql(ping, { id })).body.data.sendTestEvent.error.code).toBe('CONFLICT')
    // They find no room, and look for the latest ping instead. The embedded database serves three requests of a key at once.
    const { delivery } = guddesk.deps.db.prisma
    const findFirst = delivery.findFirst.bind(delivery)
    let looks = 0
    delivery.findFirst = ((args: never) => {
      looks++
      return findFirst(args)
    }) as typeof delivery.findFirst
    const removing = Promise.all(Array.from({ length: 5 }, () => remove({ url: receiver.url })))
    await receiver.waitFor(10)
    await until(() => looks >= 3)
    delivery.findFirst = findFirst as typeof delivery.findFirst
    answered.resolve()
    expect((await removing).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await urls()).toContain(receiver.url)
  })

  test('two at once: one unregisters it, and the other finds nothing', async () => {
    await deploy()
    receiver.behave(answer(500))
    const answers = await Promise.all([remove({ url: receiver.url }), remove({ url: receiver.url })])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404])
  })
})
