import { describe, expect, test } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { until } from '../../support/until.ts'
import { overWebSocket } from '../live.ts'
import { change, guddesk, INBOX, say, tenant, type Update, useInboxes } from './inbox-steps.ts'

useInboxes()

const COUNTED = graphql(`subscription ($after: String) { inbox(after: $after) {
  cursor conversations { id } counts { mine unassigned open snoozed closed total }
} }`)

interface Counted {
  readonly cursor: string
  readonly conversations: { id: string }[]
  readonly counts: Record<string, number | null> | null
}

/** How often anybody's conversations are counted from now on. */
function watchTallies(): { count: () => number; restore: () => void } {
  const { db } = guddesk.deps
  const sql = db.sql.bind(db)
  let counted = 0
  Object.assign(db, {
    sql: (text: string, params?: unknown[]) => {
      if (text.includes('GROUP BY status, assignee_id')) counted++
      return sql(text, params)
    },
  })
  return { count: () => counted, restore: () => void Object.assign(db, { sql }) }
}

describe('counts', () => {
  const follow = async (key = tenant.key, after?: string) => {
    await quiet(guddesk)
    const live = overWebSocket<Counted>(guddesk, { after }, { query: COUNTED, key })
    await until(() => live.events.length > 0)
    const counts = () => live.events.findLast((update) => update.counts !== null)?.counts
    return { live, counts }
  }

  test('come at once, and again when they have changed, for each asker their own', async () => {
    const id = await guddesk.newConversation(tenant)
    const { userId, memberId } = await guddesk.newMember(tenant, 'Mia')
    const mia = await guddesk.newKey({ ...tenant, userId, memberId }, 'READ_WRITE')
    const [mine, hers] = [await follow(), await follow(mia)]
    const start = { mine: 0, unassigned: 1, open: 1, snoozed: 0, closed: 0, total: 1 }
    expect([mine.counts(), hers.counts()]).toEqual([start, start])
    await change(id, { assigneeId: memberId })
    await until(() => hers.counts()?.['mine'] === 1 && mine.counts()?.['unassigned'] === 0)
    expect(hers.counts()).toEqual({ ...start, mine: 1, unassigned: 0 })
    expect(mine.counts()).toEqual({ ...start, unassigned: 0 })
    await change(id, { status: 'CLOSED' })
    await until(() => mine.counts()?.['closed'] === 1 && hers.counts()?.['closed'] === 1)
    expect(hers.counts()).toEqual({ ...start, open: 0, unassigned: 0, closed: 1 })
    const { data } = await guddesk.graphql(
      graphql(`{ inboxCounts { mine unassigned open snoozed closed total } }`),
      {},
      { key: mia },
    )
    expect(hers.counts()).toEqual(data.inboxCounts)
    for (const { live } of [mine, hers]) {
      await live.stop()
      expect(live.errors).toEqual([])
    }
  })

  test('are told at most once a second, and not when they are the same', async () => {
    const { live, counts } = await follow()
    const began = performance.now()
    const told = () => live.events.filter((update) => update.counts !== null).length
    const ids: string[] = []
    while (told() <= 2) ids.push(await guddesk.newConversation(tenant))
    await until(() => counts()?.['total'] === ids.length)
    const times = told()
    expect(times).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - began) / 1000))
    const tallies = watchTallies()
    // The second one is told after the count that the first one caused.
    for (const body of ['changes no count', 'nor does this']) {
      const before = live.events.length
      await say(ids[0] ?? '', body)
      await until(() => live.events.length > before)
      await until(() => tallies.count() > 0)
    }
    tallies.restore()
    expect(told()).toBe(times)
    await live.stop()
  })

  test('are not counted for those who do not ask', async () => {
    const tallies = watchTallies()
    try {
      await quiet(guddesk)
      const live = overWebSocket<Update>(guddesk, {}, { query: INBOX, key: tenant.key })
      await until(() => live.events.length > 0)
      // The first count of all would follow at once.
      for (const before of [1, 2]) {
        await guddesk.newConversation(tenant)
        await until(() => live.events.length > before)
      }
      expect(tallies.count()).toBe(0)
      await live.stop()
      // Ten who ask at once are one.
      const many = await Promise.all(Array.from({ length: 10 }, () => follow()))
      const before = tallies.count()
      expect(before).toBeGreaterThan(0)
      await guddesk.newConversation(tenant)
      await until(() => many.every(({ counts }) => counts()?.['total'] === 3))
      expect(tallies.count() - before).toBeLessThanOrEqual(2)
      for (const { live } of many) await live.stop()
    } finally {
      tallies.restore()
    }
  })
})
