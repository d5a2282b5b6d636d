import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Roster } from '../../../src/dispatch/cluster/membership.ts'
import { openSession, type Session } from '../../../src/dispatch/store/connection.ts'
import { backend } from '../../support/database.ts'
import { settle, until } from '../../support/until.ts'
import { guddesk, session, useApiNode } from '../api-node.ts'

useApiNode()
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

test('a beat names its backend, unless the database is embedded', async () => {
  await joined(1)
  const [row] = await guddesk.deps.db.prisma.dispatcher.findMany()
  expect(row?.backend === null).toBe(backend === 'embedded')
})

describe.runIf(backend === 'postgres')('a connection that ends', () => {
  const sessions: Session[] = []
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.close()
  })

  /** Two processes, each with a connection of its own, which have seen each other; the second beats no more. */
  async function pair(change: (session: Session) => Session = (session) => session): Promise<[Roster, Roster]> {
    const [first, second] = [openSession(guddesk.deps.db), openSession(guddesk.deps.db)]
    sessions.push(first, second)
    const [here, there] = [new Roster(first), new Roster(change(second))]
    for (const roster of [here, there]) await roster.join(false)
    await there.beat(false)
    await here.beat(false)
    return [here, there]
  }

  /** Ends the connection that a process last named, and waits until the server has ended it. */
  async function cut(...rosters: Roster[]): Promise<void> {
    const { db } = guddesk.deps
    const ids = rosters.map(({ id }) => id)
    const cutOnes = 'pid IN (SELECT backend FROM dispatchers WHERE id = ANY($1::text[]))'
    await db.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${cutOnes}`, [ids])
    await until(async () => (await db.sql(`SELECT FROM pg_stat_activity WHERE ${cutOnes}`, [ids])).length === 0)
  }

  /** How many looks it takes until the other one counts as gone. */
  async function looksUntilGone(here: Roster): Promise<number> {
    for (let looks = 1; looks < 20; looks++) if ((await here.beat(false)) === 'changed') return looks
    throw new Error('the other one never counts as gone')
  }

  test('its process is removed after two looks, and learns it when it comes back', async () => {
    const [here, there] = await pair()
    await cut(there)
    expect(await looksUntilGone(here)).toBe(2)
    expect(ENDPOINTS.every((id) => here.isMine(id))).toBe(true)
    expect(await there.beat(false)).toBe('lost')
    expect(there.isTrusted).toBe(false)
  })

  test('one that stands still and stays connected has twelve looks', async () => {
    const [here] = await pair()
    expect(await looksUntilGone(here)).toBe(12)
  })

  test('one that beats on another connection is not removed', async () => {
    const [here, there] = await pair()
    for (let round = 0; round < 5; round++) {
      await cut(there)
      expect(await here.beat(false)).toBe('same')
      expect(await there.beat(false)).toBe('same')
      expect(await here.beat(false)).toBe('same')
    }
  })

  test('its process begins nothing until the next beat', async () => {
    const [, there] = await pair()
    expect(there.isTrusted).toBe(true)
    await cut(there)
    await until(() => !there.isTrusted, 500)
    expect(await there.beat(false)).toBe('same')
    expect(there.isTrusted).toBe(true)
  })

  test('the last beat is trusted for less than two looks where others see the connection', async () => {
    const [here] = await pair()
    const began = performance.now()
    await here.beat(false)
    await until(() => !here.isTrusted, 3000)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  test('after a slow beat the next names no backend, and is trusted for longer', async () => {
    const slowly: Session['run'] = async (statement, params) => {
      await settle(550)
      return sessions[1]?.run(statement, params) ?? []
    }
    const [here, there] = await pair((session) => ({ ...session, run: slowly }))
    await sessions[1]?.close()
    await settle(2000)
    expect(there.isTrusted).toBe(true)
    expect(await looksUntilGone(here)).toBe(12)
  })

  test('its process is removed after two looks, though it came and went between two', async () => {
    const [here, there] = await pair()
    await there.leave()
    expect(await here.beat(false)).toBe('changed')
    await there.join(false)
    await cut(there)
    expect(await here.beat(false)).toBe('changed')
    expect(await looksUntilGone(here)).toBe(2)
  })

  test('a process that has lost its own, too, looks anew, and gives the other one more look', async () => {
    const [here, there] = await pair()
    for (let looks = 0; looks < 6; looks++) await here.beat(false)
    await cut(here, there)
    await until(() => !here.isTrusted, 500)
    expect(await here.beat(false)).toBe('same')
    expect(await looksUntilGone(here)).toBe(3)
  })

  test('one that was killed is removed after three looks of its successor', async () => {
    const [here, there] = await pair()
    await cut(here, there)
    const successor = openSession(guddesk.deps.db)
    sessions.push(successor)
    const restarted = new Roster(successor)
    await restarted.join(false)
    for (let looks = 0; looks < 2; looks++) expect(await restarted.beat(false)).toBe('same')
    expect(await restarted.beat(false)).toBe('changed')
    expect(ENDPOINTS.every((id) => restarted.isMine(id))).toBe(true)
  })

  test('after a restart of the server, one has twelve looks', async () => {
    const [here, there] = await pair()
    await cut(there)
    const before = "pg_postmaster_start_time() - interval '1 microsecond'"
    await guddesk.deps.db.sql(`UPDATE dispatchers SET server_started_at = ${before} WHERE id = $1`, [there.id])
    expect(await looksUntilGone(here)).toBe(12)
  })

  test('behind a pooler, whose handshake names no backend, a process has twelve looks', async () => {
    const [here, there] = await pair((session) => ({ ...session, backend: async () => 1 }))
    const row = await guddesk.deps.db.prisma.dispatcher.findUniqueOrThrow({ where: { id: there.id } })
    expect(row.backend).toBe(null)
    await sessions[1]?.close()
    expect(await looksUntilGone(here)).toBe(12)
  })
})
