import { describe, expect, test } from 'vitest'
import { type ProbeRequest, Prober } from '../../../src/dispatch/queue/prober.ts'
import type { ProbeCandidate } from '../../../src/dispatch/store/probe-candidates.ts'
import { at, delivery, NOW } from './deliveries.ts'

const AUTOMATIC: ProbeRequest = { isProbeRequested: false, probeRequestedAt: null }
const REQUESTED: ProbeRequest = { isProbeRequested: true, probeRequestedAt: NOW }

const candidate = (n: number, isRequested = false): ProbeCandidate => ({
  id: `dlv_${n}`,
  seq: String(n),
  conversationId: `conv_${n}`,
  isRequested,
})

/** A prober that sends these deliveries as one probe. */
function probing(request: ProbeRequest, ...seqs: number[]): Prober {
  const prober = new Prober()
  prober.start(request)
  prober.take(
    seqs.map((n) => delivery(n)),
    false,
  )
  return prober
}

describe('which candidates are sent', () => {
  test.each<[string, ProbeRequest, ProbeCandidate[], string[]]>([
    ['none of none', AUTOMATIC, [], []],
    ['the first of several', AUTOMATIC, [candidate(1), candidate(2)], ['dlv_1']],
    ['the first for a request that names none', REQUESTED, [candidate(1), candidate(2)], ['dlv_1']],
    ['those that are requested', REQUESTED, [candidate(1), candidate(2, true), candidate(3, true)], ['dlv_2', 'dlv_3']],
  ])('%s', (_, request, candidates, expected) => {
    const prober = new Prober()
    prober.start(request)
    expect(prober.choose(candidates)).toEqual(expected)
  })

  test('after each failure another conversation, and after a success the first', () => {
    const prober = new Prober()
    const chosen = [false, false, false, true, false].map((hasSucceeded) => {
      prober.start(AUTOMATIC)
      const ids = prober.choose([candidate(1), candidate(2)])
      prober.take([delivery(1)], false)
      prober.finish(hasSucceeded)
      return ids[0]
    })
    expect(chosen).toEqual(['dlv_1', 'dlv_2', 'dlv_1', 'dlv_2', 'dlv_1'])
  })

  test('nothing without a probe', () => {
    expect(new Prober().choose([candidate(1)])).toEqual([])
  })
})

describe('a probe', () => {
  test('sends its deliveries in the order of their events until one succeeds', () => {
    const prober = probing(REQUESTED, 10, 9)
    expect(prober.current).toBe('9')
    expect(prober.finish(false)?.seq).toBe('10')
    expect(prober.current).toBe('10')
    expect(prober.finish(true)).toBeUndefined()
    expect([prober.isBusy, prober.probedAt]).toEqual([false, NOW])
  })

  test.each<[string, ProbeRequest, string | null]>([
    ['the circuit breaker', AUTOMATIC, 'automatic'],
    ['a request', REQUESTED, 'requested'],
  ])('knows that it came by %s', (_, request, kind) => {
    const prober = probing(request, 1)
    expect([prober.kindOf({ seq: '1' }), prober.kindOf({ seq: '2' })]).toEqual([kind, null])
  })

  test('that ended answers its request, and not a later one', () => {
    const prober = probing(REQUESTED, 1)
    expect(prober.isRequested(REQUESTED)).toBe(true)
    prober.finish(false)
    expect(prober.isRequested(REQUESTED)).toBe(false)
    expect(prober.isRequested({ isProbeRequested: true, probeRequestedAt: at(60) })).toBe(true)
  })

  test.each([
    ['is over when nothing is left to wait for', true, NOW],
    ['stays requested while something may come', false, null],
  ])('that finds nothing %s', (_, isDone, probedAt) => {
    const prober = new Prober()
    prober.start(REQUESTED)
    expect(prober.take([], isDone)).toBeUndefined()
    expect([prober.isBusy, prober.isIdle, prober.probedAt]).toEqual([false, true, probedAt])
    prober.wake()
    expect(prober.isIdle).toBe(false)
  })

  test('that is dropped ends, unless its delivery is in flight: then only the rest is dropped', () => {
    const waiting = probing(REQUESTED, 1, 2)
    waiting.drop(() => false)
    expect([waiting.isBusy, waiting.probedAt]).toEqual([false, null])
    const inFlight = probing(REQUESTED, 1, 2)
    inFlight.drop((seq) => seq === '1')
    expect(inFlight.current).toBe('1')
    expect(inFlight.finish(false)).toBeUndefined()
    expect(inFlight.probedAt).toEqual(NOW)
  })
})
