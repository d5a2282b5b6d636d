import { describe, expect, test } from 'vitest'
import { EndpointState } from '../../../src/dispatch/queue/endpoint-state.ts'
import { InFlight } from '../../../src/dispatch/queue/in-flight.ts'
import type { EndpointRow } from '../../../src/dispatch/store/endpoints.ts'
import { delivery, NOW, ROW } from './deliveries.ts'

const OPEN = { breakerOpenedAt: NOW, breakerProbeAt: NOW, breakerProbes: 1 }

describe('the state of an endpoint', () => {
  test.each<[string, Partial<EndpointRow>, (state: EndpointState) => void, boolean, number]>([
    ['by its window at first', {}, () => undefined, false, 2],
    ['nothing when it is disabled in its row', { isEnabled: false }, () => undefined, true, 0],
    ['nothing once it is disabled here', {}, (state) => state.disable(), true, 0],
    ['nothing once it is released', {}, (state) => state.release(), true, 0],
    ['nothing while this process cannot send', {}, (state) => state.pauseForFault(60_000), true, 0],
    ['as before after the pause', {}, (state) => state.pauseForFault(-1), false, 2],
    ['only probes while its circuit breaker is open', OPEN, () => undefined, false, 0],
  ])('allows %s', (_, changes, transition, isStopped, limit) => {
    const state = new EndpointState({ ...ROW, ...changes })
    transition(state)
    expect([state.isStopped, state.concurrencyLimit]).toEqual([isStopped, limit])
  })

  test('is stale until its row is read again', () => {
    const state = new EndpointState(ROW)
    state.markStale()
    expect(state.isStale).toBe(true)
    expect(state.refresh(ROW)).toBe(false)
    expect(state.isStale).toBe(false)
  })

  test('takes the circuit breaker of its row when it is enabled again, and only then', () => {
    const state = new EndpointState({ ...ROW, isEnabled: false })
    expect(state.refresh({ ...ROW, ...OPEN })).toBe(true)
    expect(state.breaker.isOpen).toBe(true)
    expect(state.refresh(ROW)).toBe(false)
    expect(state.breaker.isOpen).toBe(true)
  })

  test.each([
    ['the row that it knows', '7', '8.3'],
    ['a row that had changed', '6', '7.3'],
  ])('after its health was written to %s', (_, before, version) => {
    const state = new EndpointState({ ...ROW, isProbeRequested: true })
    const health = { id: 'whk_1', failingSince: NOW, consecutiveFailures: 1, isWarned: false }
    state.healthWritten({ ...health, isProbeRequested: false, isRecovering: true, before, after: '8' })
    expect(state.row).toMatchObject({ version, failingSince: NOW, isProbeRequested: false, isRecovering: true })
  })

  test('is unused since it was last touched', () => {
    const state = new EndpointState(ROW)
    const later = performance.now() + 1000
    expect([state.isUnusedSince(later), state.isUnusedSince(later - 10_000)]).toEqual([true, false])
  })
})

describe('requests in flight', () => {
  test('are counted with tests and without, and replays apart', () => {
    const inFlight = new InFlight()
    const each = [delivery(1), delivery(2, { isTest: true }), delivery(3, { priority: 'replay' })] as const
    inFlight.start(each[0], 'firstAttempts')
    inFlight.start(each[1], 'tests')
    inFlight.start(each[2], 'replays')
    expect([inFlight.size, inFlight.sizeWithoutTests, inFlight.replayCount]).toEqual([3, 2, 1])
    expect([inFlight.has('2'), inFlight.has('4'), inFlight.isSlow]).toEqual([true, false, false])
    for (const one of each) inFlight.finish(one)
    expect([inFlight.size, inFlight.sizeWithoutTests, inFlight.replayCount]).toEqual([0, 0, 0])
  })

  test('that are replays sent as probes take no replay slot', () => {
    const inFlight = new InFlight()
    inFlight.start(delivery(1, { priority: 'replay' }), 'probes')
    expect(inFlight.replayCount).toBe(0)
  })
})
