import { beforeEach, describe, expect, test } from 'vitest'
import type { Received } from '../../support/receiver.ts'
import { seeded } from '../../support/setup/seed.ts'
import { pause, until } from '../../support/until.ts'
import {
  change,
  deliveries,
  endpoint,
  endpointId,
  guddesk,
  ORDERINGS,
  receiver,
  register,
  say,
  tenant,
  upTo,
  useEndpoint,
} from './recovery-steps.ts'

useEndpoint()

describe.each(ORDERINGS)('whatever happens, with %s ordering', (ordering) => {
  beforeEach(() => change({ ordering }))

  test.each([5, 24, Number(process.env['TEST_SEED'])])(
    'everything arrives, in order, and nothing is left under way (seed %i)',
    async (seed) => {
      const random = seeded(seed)
      const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T
      let failing = 0
      const arrived: { id: string; data: Received['data']; isGood: boolean }[] = []
      receiver.behave((response, { headers, data }) => {
        const isGood = random() >= failing
        arrived.push({ id: String(headers['webhook-id']), data, isGood })
        response.writeHead(isGood ? 200 : 500).end()
      })
      const ids = await Promise.all(upTo(6).map(() => guddesk.newConversation(tenant, 'one')))
      let takeovers = 0
      const actions: readonly (() => unknown)[] = [
        () => say(pick(ids)),
        () => say(pick(ids), 3),
        () => guddesk.newConversation(tenant, 'one').then((id) => ids.push(id)),
        () => {
          failing = pick([0, 0, 0.2, 0.5, 1])
        },
        () => guddesk.advance(pick([500, 5000, 11_000])),
        () => register(),
        () => change({ isEnabled: pick([true, true, false]) }),
        () => change({ maxInFlight: pick([1, 2, 10]) }),
        () => {
          takeovers++
          return change({ dispatcherId: null })
        },
      ]
      for (let step = 0; step < 80; step++) {
        await pick(actions)()
        if (random() < 0.5) guddesk.deps.bus.notify('endpoints', [endpointId])
        await pause(Math.floor(20 * random()))
      }
      // An outage, and its end.
      await change({ isEnabled: true })
      guddesk.deps.bus.notify('endpoints', [endpointId])
      failing = 1
      await until(async () => {
        await Promise.all(ids.map((id) => say(id)))
        guddesk.advance(1000)
        return (await endpoint()).breakerOpenedAt !== null
      })
      await guddesk.dispatched()
      const before = arrived.length
      failing = 0
      guddesk.advance(61_000)
      // What happens while an endpoint is disabled is skipped.
      await until(async () =>
        (await deliveries()).every(({ status }) => status === 'DELIVERED' || status === 'SKIPPED'),
      )
      await until(async () => {
        const { isRecovering, isProbeRequested, breakerOpenedAt } = await endpoint()
        return !isRecovering && !isProbeRequested && breakerOpenedAt === null
      })
      await guddesk.dispatched()
      const good = arrived.filter(({ isGood }) => isGood)
      const firsts = [...new Map(good.toReversed().map((one) => [one.id, one])).values()].toReversed()
      expect(good.length - firsts.length).toBeLessThanOrEqual(10 * takeovers)
      const late = new Set((await deliveries()).filter(({ attempts }) => attempts > 5).map(({ id }) => id))
      for (const id of ids) {
        const ofOne = (all: typeof arrived) =>
          all.filter(({ data }) => data['conversationId'] === id).map(({ data }) => Number(data['sequence']))
        const inOrder = (sent: number[]) => expect(sent).toEqual(sent.toSorted((a, b) => a - b))
        inOrder(ofOne(arrived.slice(before).filter(({ isGood }) => isGood)))
        if (ordering === 'STRICT') inOrder(ofOne(firsts.filter((one) => !late.has(one.id))))
      }
    },
  )
})
