import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Roster } from '../../src/dispatch/roster.ts'
import { openSession, type Session } from '../../src/dispatch/session.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

let guddesk: TestGudDesk
let session: Session

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  session = openSession(guddesk.deps.db)
})
afterAll(async () => {
  await session?.close()
  await guddesk?.stop()
})
beforeEach(async () => {
  await guddesk.deps.db.prisma.dispatcher.deleteMany()
})

const ENDPOINTS = Array.from({ length: 1000 }, (_, i) => `whk_01m81c84ggexs8bd00${String(i).padStart(8, '0')}`)

async function joined(count: number): Promise<Roster[]> {
  const rosters = Array.from({ length: count }, () => new Roster(session))
  for (const roster of rosters) await roster.join(false)
  for (const roster of rosters) await roster.beat(false)
  return rosters
}
const ownersOf = (id: string, rosters: readonly Roster[]) => rosters.filter((roster) => roster.isMine(id))

test('every endpoint falls to exactly one process, and each gets its share', async () => {
  const rosters = await joined(4)
  const counts = new Map(rosters.map((roster) => [roster, 0]))
  for (const id of ENDPOINTS) {
    const [owner, ...others] = ownersOf(id, rosters)
    expect(others).toEqual([])
    if (owner === undefined) throw new Error(`${id} falls to nobody`)
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  for (const count of counts.values()) expect(count).toBeGreaterThan(150)
})

test('one that leaves moves only its own share', async () => {
  const rosters = await joined(3)
  const before = new Map(ENDPOINTS.map((id) => [id, ownersOf(id, rosters)[0]]))
  const [gone, ...others] = rosters
  await gone?.leave()
  for (const roster of others) expect(await roster.beat(false)).toBe('changed')
  for (const id of ENDPOINTS) {
    const [owner] = ownersOf(id, others)
    if (before.get(id) !== gone) expect(owner).toBe(before.get(id))
  }
  expect(gone?.isTrusted).toBe(false)
})

test('one that stands still for twelve looks is removed, and learns it when it comes back', async () => {
  const [here, still] = await joined(2)
  if (here === undefined || still === undefined) throw new Error('two are needed')
  await here.beat(false)
  for (let looks = 0; looks < 11; looks++) expect(await here.beat(false)).toBe('same')
  expect(ENDPOINTS.every((id) => here.isMine(id))).toBe(false)
  expect(await here.beat(false)).toBe('changed')
  expect(ENDPOINTS.every((id) => here.isMine(id))).toBe(true)
  expect(await still.beat(false)).toBe('lost')
  const before = still.id
  await still.join(false)
  expect(still.id).not.toBe(before)
  expect(await still.beat(false)).toBe('same')
})

test('one that beats is never removed, however slowly', async () => {
  const [here, slow] = await joined(2)
  for (let round = 0; round < 5; round++) {
    for (let looks = 0; looks < 10; looks++) await here?.beat(false)
    expect(await slow?.beat(false)).toBe('same')
  }
})

test('one that sheds is passed over while there are others', async () => {
  const [shedding, other] = await joined(2)
  await shedding?.beat(true)
  expect(await other?.beat(false)).toBe('changed')
  expect(ENDPOINTS.every((id) => other?.isMine(id) && !shedding?.isMine(id))).toBe(true)
  await other?.beat(true)
  await shedding?.beat(true)
  expect(ENDPOINTS.filter((id) => shedding?.isMine(id)).length).toBeGreaterThan(300)
})

test('a process that has the database to itself clears what a killed one left', async () => {
  await joined(2)
  const alone = new Roster(session)
  await alone.join(true)
  expect(ENDPOINTS.every((id) => alone.isMine(id))).toBe(true)
  expect(alone.isTrusted).toBe(true)
})
