import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Membership } from '../../../src/dispatch/cluster/membership.ts'
import { type DbConnection, openConnection } from '../../../src/dispatch/store/connection.ts'
import { backend } from '../../support/database.ts'
import { until } from '../../support/until.ts'
import { connection, guddesk, useApiNode } from '../api-node.ts'

useApiNode()
beforeEach(async () => {
  await guddesk.deps.db.prisma.dispatcher.deleteMany()
})

const ENDPOINTS = Array.from({ length: 1000 }, (_, i) => `whk_01m81c84ggexs8bd00${String(i).padStart(8, '0')}`)

async function joined(count: number): Promise<Membership[]> {
  const rosters = Array.from({ length: count }, () => new Membership(connection))
  for (const membership of rosters) await membership.join(false)
  for (const membership of rosters) await membership.heartbeat(false)
  return rosters
}
const ownersOf = (id: string, rosters: readonly Membership[]) => rosters.filter((membership) => membership.owns(id))

test('every endpoint falls to exactly one process, and each gets its share', async () => {
  const rosters = await joined(4)
  const counts = new Map(rosters.map((membership) => [membership, 0]))
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
  for (const membership of others) expect(await membership.heartbeat(false)).toBe('changed')
  for (const id of ENDPOINTS) {
    const [owner] = ownersOf(id, others)
    if (before.get(id) !== gone) expect(owner).toBe(before.get(id))
  }
  expect(gone?.isActive).toBe(false)
})

test('one that stands still for twelve looks is removed, and learns it when it comes back', async () => {
  const [here, still] = await joined(2)
  if (here === undefined || still === undefined) throw new Error('two are needed')
  await here.heartbeat(false)
  for (let observations = 0; observations < 11; observations++) expect(await here.heartbeat(false)).toBe('same')
  expect(ENDPOINTS.every((id) => here.owns(id))).toBe(false)
  expect(await here.heartbeat(false)).toBe('changed')
  expect(ENDPOINTS.every((id) => here.owns(id))).toBe(true)
  expect(await still.heartbeat(false)).toBe('removed')
  const before = still.id
  await still.join(false)
  expect(still.id).not.toBe(before)
  expect(await still.heartbeat(false)).toBe('same')
})

test('one that beats is never removed, however slowly', async () => {
  const [here, slow] = await joined(2)
  for (let round = 0; round < 5; round++) {
    for (let observations = 0; observations < 10; observations++) await here?.heartbeat(false)
    expect(await slow?.heartbeat(false)).toBe('same')
  }
})

test('one that sheds is passed over while there are others', async () => {
  const [shedding, other] = await joined(2)
  await shedding?.heartbeat(true)
  expect(await other?.heartbeat(false)).toBe('changed')
  expect(ENDPOINTS.every((id) => other?.owns(id) && !shedding?.owns(id))).toBe(true)
  await other?.heartbeat(true)
  await shedding?.heartbeat(true)
  expect(ENDPOINTS.filter((id) => shedding?.owns(id)).length).toBeGreaterThan(300)
})

test('a process that has the database to itself clears what a killed one left', async () => {
  await joined(2)
  const alone = new Membership(connection)
  await alone.join(true)
  expect(ENDPOINTS.every((id) => alone.owns(id))).toBe(true)
  expect(alone.isActive).toBe(true)
})

test('a beat names its backend, unless the database is embedded', async () => {
  await joined(1)
  const [row] = await guddesk.deps.db.prisma.dispatcher.findMany()
  expect(row?.backend === null).toBe(backend === 'embedded')
})

describe.runIf(backend === 'postgres')('a connection that ends', () => {
  const connections: DbConnection[] = []
  afterEach(async () => {
    vi.restoreAllMocks()
    for (const connection of connections.splice(0)) await connection.close()
  })

  /** Two processes, each with a connection of its own, which have seen each other; the second beats no more. */
  async function pair(
    change: (connection: DbConnection) => DbConnection = (connection) => connection,
  ): Promise<[Membership, Membership]> {
    const [first, second] = [openConnection(guddesk.deps.db), openConnection(guddesk.deps.db)]
    connections.push(first, second)
    const [here, there] = [new Membership(first), new Membership(change(second))]
    for (const membership of [here, there]) await membership.join(false)
    await there.heartbeat(false)
    await here.heartbeat(false)
    return [here, there]
  }

  /** Ends the connection that a process last named, and waits until the server has ended it. */
  async function cut(...rosters: Membership[]): Promise<void> {
    const { db } = guddesk.deps
    const ids = rosters.map(({ id }) => id)
    const cutOnes = 'pid IN (SELECT backend FROM dispatchers WHERE id = ANY($1::text[]))'
    await db.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${cutOnes}`, [ids])
    await until(async () => (await db.sql(`SELECT FROM pg_stat_activity WHERE ${cutOnes}`, [ids])).length === 0)
  }

  /** How many looks it takes until the other one counts as gone. */
  async function looksUntilGone(here: Membership): Promise<number> {
    for (let observations = 1; observations < 20; observations++)
      if ((await here.heartbeat(false)) === 'changed') return observations
    throw new Error('the other one never counts as gone')
  }

  test('its process is removed after two looks, and learns it when it comes back', async () => {
    const [here, there] = await pair()
    await cut(there)
    expect(await looksUntilGone(here)).toBe(2)
    expect(ENDPOINTS.every((id) => here.owns(id))).toBe(true)
    expect(await there.heartbeat(false)).toBe('removed')
    expect(there.isActive).toBe(false)
  })

  test('one that stands still and stays connected has twelve looks', async () => {
    const [here] = await pair()
    expect(await looksUntilGone(here)).toBe(12)
  })

  test('one that beats on another connection is not removed', async () => {
    const [here, there] = await pair()
    for (let round = 0; round < 5; round++) {
      await cut(there)
      expect(await here.heartbeat(false)).toBe('same')
      expect(await there.heartbeat(false)).toBe('same')
      expect(await here.heartbeat(false)).toBe('same')
    }
  })

  test('its process begins nothing until the next beat', async () => {
    const [, there] = await pair()
    expect(there.isActive).toBe(true)
    await cut(there)
    await until(() => !there.isActive, 500)
    expect(await there.heartbeat(false)).toBe('same')
    expect(there.isActive).toBe(true)
  })

  test('the last beat is trusted for less than two looks where others see the connection', async () => {
    const [here] = await pair()
    const began = performance.now()
    await here.heartbeat(false)
    await until(() => !here.isActive, 3000)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  test('after a slow beat the next names no backend, and is trusted for longer', async () => {
    const now = performance.now.bind(performance)
    let ahead = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead)
    const slowly: DbConnection['run'] = async (statement, params) => {
      ahead += 550
      return connections[1]?.run(statement, params) ?? []
    }
    const [here, there] = await pair((connection) => ({ ...connection, run: slowly }))
    await connections[1]?.close()
    ahead += 2000
    expect(there.isActive).toBe(true)
    expect(await looksUntilGone(here)).toBe(12)
  })

  test('its process is removed after two looks, though it came and went between two', async () => {
    const [here, there] = await pair()
    await there.leave()
    expect(await here.heartbeat(false)).toBe('changed')
    await there.join(false)
    await cut(there)
    expect(await here.heartbeat(false)).toBe('changed')
    expect(await looksUntilGone(here)).toBe(2)
  })

  test('a process that has lost its own, too, looks anew, and gives the other one more look', async () => {
    const [here, there] = await pair()
    for (let observations = 0; observations < 6; observations++) await here.heartbeat(false)
    await cut(here, there)
    await until(() => !here.isActive, 500)
    expect(await here.heartbeat(false)).toBe('same')
    expect(await looksUntilGone(here)).toBe(3)
  })

  test('one that was killed is removed after three looks of its successor', async () => {
    const [here, there] = await pair()
    await cut(here, there)
    const successor = openConnection(guddesk.deps.db)
    connections.push(successor)
    const restarted = new Membership(successor)
    await restarted.join(false)
    for (let observations = 0; observations < 2; observations++) expect(await restarted.heartbeat(false)).toBe('same')
    expect(await restarted.heartbeat(false)).toBe('changed')
    expect(ENDPOINTS.every((id) => restarted.owns(id))).toBe(true)
  })

  test('after a restart of the server, one has twelve looks', async () => {
    const [here, there] = await pair()
    await cut(there)
    const before = "pg_postmaster_start_time() - interval '1 microsecond'"
    await guddesk.deps.db.sql(`UPDATE dispatchers SET server_started_at = ${before} WHERE id = $1`, [there.id])
    expect(await looksUntilGone(here)).toBe(12)
  })

  test('behind a pooler, whose handshake names no backend, a process has twelve looks', async () => {
    const [here, there] = await pair((connection) => ({ ...connection, backendPid: async () => 1 }))
    const row = await guddesk.deps.db.prisma.dispatcher.findUniqueOrThrow({ where: { id: there.id } })
    expect(row.backend).toBe(null)
    await connections[1]?.close()
    expect(await looksUntilGone(here)).toBe(12)
  })
})
