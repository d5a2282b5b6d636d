import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ok } from '../objects.ts'
import { idsOf } from '../walk.ts'

const PATH = '/api/v1/conversations'

let guddesk: TestGudDesk
let memberId: string
/** By the name of what sets them apart. */
let ids: Record<'plain' | 'closed' | 'snoozed' | 'assigned' | 'tagged' | 'widget' | 'early' | 'late', string>
let times: { early: string; late: string }
let visitorId: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  const { prisma } = guddesk.deps.db
  const made = async (change?: object) => {
    const id = await guddesk.newConversation()
    if (change !== undefined) await ok(guddesk.call('PATCH', `${PATH}/${id}`, change))
    return id
  }
  memberId = (await guddesk.newMember(guddesk.tenant, 'Ada')).memberId
  const plain = await made()
  const closed = await made({ status: 'CLOSED' })
  const snoozed = await made({ status: 'SNOOZED' })
  const assigned = await made({ assigneeId: memberId })
  const tagged = await made({ tags: ['refund', 'vip'] })
  const widget = await made()
  await prisma.conversation.update({ where: { id: widget }, data: { channel: 'WIDGET' } })
  const [early, late] = [await made(), await made()]
  times = { early: '2020-01-01T00:00:00.000Z', late: '2090-01-01T00:00:00.000Z' }
  await prisma.conversation.update({ where: { id: early }, data: { createdAt: times.early } })
  await prisma.conversation.update({ where: { id: late }, data: { createdAt: times.late } })
  ids = { plain, closed, snoozed, assigned, tagged, widget, early, late }
  visitorId = (await guddesk.call('GET', `${PATH}/${plain}`)).data.visitor.id
})

afterAll(() => guddesk?.stop())

type Name = keyof typeof ids

async function expectFound(query: Record<string, string> | [string, string][], names: readonly Name[]): Promise<void> {
  const { status, data, body } = await guddesk.call('GET', `${PATH}?${new URLSearchParams(query)}`)
  expect(status).toBe(200)
  expect(idsOf(data).sort()).toEqual(names.map((name) => ids[name]).sort())
  expect(body.meta.total).toBe(names.length)
}

const ALL: readonly Name[] = ['plain', 'closed', 'snoozed', 'assigned', 'tagged', 'widget', 'early', 'late']
const without = (...names: Name[]) => ALL.filter((name) => !names.includes(name))

test('no filter', () => expectFound({}, ALL))

test('status', async () => {
  await expectFound({ status: 'CLOSED' }, ['closed'])
  await expectFound({ status: 'SNOOZED' }, ['snoozed'])
  await expectFound({ status: 'OPEN' }, without('closed', 'snoozed'))
  await expectFound({ status: 'CLOSED,SNOOZED' }, ['closed', 'snoozed'])
  await expectFound(
    [
      ['status', 'CLOSED'],
      ['status', 'SNOOZED,CLOSED'],
    ],
    ['closed', 'snoozed'],
  )
})

test('assigneeId, and none', async () => {
  await expectFound({ assigneeId: memberId }, ['assigned'])
  await expectFound({ assigneeId: newId('member') }, [])
  await expectFound({ assigneeId: 'none' }, without('assigned'))
})

test('visitorId', async () => {
  await expectFound({ visitorId }, ['plain'])
  await expectFound({ visitorId: newId('visitor') }, [])
})

test('tag, whole and exact', async () => {
  await expectFound({ tag: 'refund' }, ['tagged'])
  await expectFound({ tag: 'vip' }, ['tagged'])
  await expectFound({ anyTag: 'vip' }, ['tagged'])
  await expectFound(
    [
      ['tag', 'vip'],
      ['tag', 'refund'],
    ],
    ['tagged'],
  )
  await expectFound(
    [
      ['tag', 'vip'],
      ['tag', 'other'],
    ],
    [],
  )
  await expectFound(
    [
      ['anyTag', 'vip'],
      ['anyTag', 'other'],
    ],
    ['tagged'],
  )
  for (const tag of ['ref', 'Refund', 'refund,vip', '%', "' OR true --"]) await expectFound({ tag }, [])
})

test('channel', async () => {
  await expectFound({ channel: 'WIDGET' }, ['widget'])
  await expectFound({ channel: 'EMAIL' }, [])
  await expectFound({ channel: 'API' }, without('widget'))
  await expectFound({ channel: 'API,WIDGET' }, ALL)
})

test('createdAfter and createdBefore', async () => {
  await expectFound({ createdAfter: '2080-01-01T00:00:00.000Z' }, ['late'])
  await expectFound({ createdBefore: '2021-01-01T00:00:00Z' }, ['early'])
  await expectFound({ createdBefore: '2020-01-01T01:00:00+01:30' }, [])
  await expectFound({ createdAfter: '2021-01-01T00:00:00.000Z', createdBefore: times.late }, without('early', 'late'))
  await expectFound({ createdAfter: '2091-01-01T00:00:00.000Z' }, [])
})

test('activeAfter and activeBefore', async () => {
  await expectFound({ activeAfter: '2091-01-01T00:00:00.000Z' }, [])
  await expectFound({ activeBefore: '2091-01-01T00:00:00.000Z' }, ALL)
})

test('priority', async () => {
  await ok(guddesk.call('PATCH', `${PATH}/${ids.plain}`, { priority: 2 }))
  await expectFound({ priority: '2,3' }, ['plain'])
  await expectFound({ priority: '0' }, without('plain'))
})

test('q, in messages, subject, and the name of the visitor', async () => {
  await ok(guddesk.call('PATCH', `${PATH}/${ids.tagged}`, { subject: 'Zeppelin tickets' }))
  await ok(guddesk.call('POST', `${PATH}/${ids.closed}/messages`, { body: 'A zeppelin ride', type: 'AGENT' }))
  await expectFound({ q: 'ZEPPELIN' }, ['tagged', 'closed'])
  await expectFound({ q: 'zeppelin ride' }, ['closed'])
  await expectFound({ q: 'zeppelin', status: 'OPEN' }, ['tagged'])
  await expectFound({ q: 'Vera' }, ALL)
  await expectFound({ q: 'airship' }, [])
})

test('all of them together', async () => {
  await expectFound({ status: 'OPEN', assigneeId: 'none', channel: 'API', tag: 'vip' }, ['tagged'])
  await expectFound({ status: 'CLOSED', tag: 'vip' }, [])
})

test('a filter that cannot be is 400 and names itself', async () => {
  const bad: [string, string][] = [
    ['status', 'DONE'],
    ['status', 'open'],
    ['status', 'OPEN,DONE'],
    ['status', 'OPEN,'],
    ['priority', '4'],
    ['q', ''],
    ['channel', 'FAX'],
    ['createdAfter', 'yesterday'],
    ['createdAfter', '2026-02-30T00:00:00Z'],
    ['createdBefore', '1767225600'],
    ['tag', '\u0000'],
    ['visitorId', 'vis_\u0000'],
    ['assigneeId', 'mem_\u0000'],
  ]
  for (const [name, value] of bad) {
    const { status, error } = await guddesk.call('GET', `${PATH}?${new URLSearchParams({ [name]: value })}`)
    expect([name, value, status]).toEqual([name, value, 400])
    expect(error.fields?.map(({ path }) => path)).toEqual([name])
  }
})
