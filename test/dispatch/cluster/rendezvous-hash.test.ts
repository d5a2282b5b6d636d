import { expect, test } from 'vitest'
import { ownerOf } from '../../../src/dispatch/cluster/rendezvous-hash.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4']
const KEYS = Array.from({ length: 4000 }, (_, n) => `key-${n}`)

test('no nodes own nothing, and a single one owns everything', () => {
  expect(ownerOf('key-1', [])).toBeUndefined()
  expect(KEYS.every((key) => ownerOf(key, ['node-1']) === 'node-1')).toBe(true)
})

test('the order of the nodes does not matter', () => {
  for (const key of KEYS) expect(ownerOf(key, NODES)).toBe(ownerOf(key, NODES.toReversed()))
})

test('each node owns about the same share', () => {
  const counts = Map.groupBy(KEYS, (key) => ownerOf(key, NODES))
  expect(counts.size).toBe(NODES.length)
  for (const keys of counts.values()) {
    expect(keys.length).toBeGreaterThan(850)
    expect(keys.length).toBeLessThan(1150)
  }
})

test('a node that leaves moves its own keys only, and one that joins takes only what it owns', () => {
  const without = NODES.slice(0, -1)
  for (const key of KEYS) {
    const owner = ownerOf(key, NODES)
    if (owner === 'node-4') expect(without).toContain(ownerOf(key, without))
    else expect(ownerOf(key, without)).toBe(owner)
  }
})
