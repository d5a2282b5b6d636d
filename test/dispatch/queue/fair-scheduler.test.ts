import { expect, test } from 'vitest'
import { FairScheduler } from '../../../src/dispatch/queue/fair-scheduler.ts'

const party = (workspaceId: string, id: string) => ({ id: workspaceId + id, workspaceId })

test('workspaces take turns, and their endpoints within them', () => {
  const turns = new FairScheduler()
  for (const id of ['1', '2', '3', '4']) turns.add(party('a', id))
  turns.add(party('b', '1'))
  turns.add(party('c', '1'))
  turns.add(party('c', '2'))
  turns.add(party('a', '1'))
  expect(turns.size).toBe(7)
  const order = Array.from({ length: 8 }, () => turns.next()?.id)
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4', undefined])
  expect(turns.size).toBe(0)
})

test('whoever leaves the line is not called', () => {
  const turns = new FairScheduler()
  turns.add(party('a', '1'))
  turns.add(party('a', '2'))
  turns.remove(party('a', '1'))
  turns.remove(party('b', '1'))
  expect([turns.next()?.id, turns.next()?.id]).toEqual(['a2', undefined])
})
