import { beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { census, ok, TIME } from '../objects.ts'
import { idsOf } from '../walk.ts'
import { expectRefused, guddesk, PATH, patch, read, useServer } from './conversation-steps.ts'

useServer()

const start = (body: object) => guddesk.call('POST', PATH, body)

describe('starting one', () => {
  test('without a message', async () => {
    const person = { name: 'Vera', email: 'vera@example.com', avatarUrl: 'https://example.com/vera.png' }
    const { data: visitor } = await ok(guddesk.call('POST', '/api/v1/customers', person))
    const { status, data } = await start({ visitorId: visitor.id })
    expect(status).toBe(201)
    expect(data).toMatchObject({
      id: expect.stringMatching(/^conv_/),
      status: 'OPEN',
      channel: 'API',
      subject: null,
      priority: 0,
      tags: [],
      assigneeId: null,
      assignee: null,
      visitor: { id: visitor.id, ...person },
      lastMessageAt: null,
      lastMessagePreview: null,
      messageCount: 0,
      snoozedUntil: null,
      metadata: {},
      createdAt: expect.stringMatching(TIME),
      updatedAt: expect.stringMatching(TIME),
      closedAt: null,
    })
    expect(await read(data.id)).toEqual(data)
  })

  test('with a subject and a message, which is the visitor’s', async () => {
    const visitorId = await guddesk.newVisitor()
    const { status, data } = await start({ visitorId, subject: '  Refund  ', message: '  I want a refund  ' })
    expect(status).toBe(201)
    expect(data).toMatchObject({
      subject: 'Refund',
      messageCount: 1,
      lastMessagePreview: 'I want a refund',
      lastMessageAt: expect.stringMatching(TIME),
    })
    const messages = await guddesk.call('GET', `${PATH}/${data.id}/messages`)
    expect(messages.data).toEqual([
      expect.objectContaining({
        conversationId: data.id,
        type: 'VISITOR',
        body: 'I want a refund',
        senderId: visitorId,
        senderName: 'Vera Visitor',
      }),
    ])
  })

  test('the preview has 100 characters, however many bytes they take', async () => {
    const visitorId = await guddesk.newVisitor()
    for (const [message, preview] of [
      ['x'.repeat(101), 'x'.repeat(100)],
      ['x'.repeat(100), 'x'.repeat(100)],
      ['🙂'.repeat(150), '🙂'.repeat(100)],
      [`x${'🙂'.repeat(150)}`, `x${'🙂'.repeat(99)}`],
    ]) {
      expect((await start({ visitorId, message })).data.lastMessagePreview).toBe(preview)
    }
  })

  test('is refused for no visitor, an unknown one, and a message that is none; nothing is written', async () => {
    const visitorId = await guddesk.newVisitor()
    const before = await census(guddesk)
    const bodies = [
      {},
      { visitorId: newId('visitor') },
      { visitorId: newId('conversation') },
      { visitorId: '' },
      { visitorId, message: '' },
      { visitorId, message: ' \n\t ' },
      { visitorId, message: 'x'.repeat(10_001) },
    ]
    for (const body of bodies) {
      const { status, error } = await start(body)
      expect([status, error?.code]).toEqual([400, 'bad_request'])
    }
    expect(await census(guddesk)).toEqual(before)
  })

  test('fields that the contract does not know are ignored', async () => {
    const visitorId = await guddesk.newVisitor()
    const { status, data } = await start({
      visitorId,
      status: 'CLOSED',
      id: 'conv_mine',
      channel: 'EMAIL',
      nonsense: [1],
    })
    expect(status).toBe(201)
    expect(data).toMatchObject({ status: 'OPEN', channel: 'API' })
  })
})

describe('changing one', () => {
  let id: string

  beforeAll(async () => {
    id = await guddesk.newConversation(guddesk.tenant, 'Hello')
  })

  test('what is named changes, the rest stays', async () => {
    const before = await read(id)
    const { status, data } = await patch(id, { subject: 'New subject', priority: 3 })
    expect(status).toBe(200)
    const changed = { subject: 'New subject', priority: 3, updatedAt: expect.stringMatching(TIME) }
    expect(data).toEqual({ ...before, ...changed })
    expect(await read(id)).toEqual(data)
    expect((await patch(id, { subject: null })).data).toMatchObject({ subject: null, priority: 3 })
  })

  test('nothing named is 400', async () => {
    await expectRefused(id, {})
    await expectRefused(id, { nonsense: true })
    await expectRefused(id, { id: 'conv_other', messageCount: 7, createdAt: '2020-01-01T00:00:00.000Z' })
  })

  test('closing sets closedAt, closing again keeps it, any other status clears it', async () => {
    const closed = (await patch(id, { status: 'CLOSED' })).data
    expect(closed).toMatchObject({ status: 'CLOSED', closedAt: expect.stringMatching(TIME) })
    expect((await patch(id, { status: 'CLOSED' })).data.closedAt).toBe(closed.closedAt)
    expect((await patch(id, { status: 'OPEN' })).data).toMatchObject({ status: 'OPEN', closedAt: null })
    await patch(id, { status: 'CLOSED' })
    expect((await patch(id, { status: 'SNOOZED' })).data).toMatchObject({ status: 'SNOOZED', closedAt: null })
    await patch(id, { status: 'OPEN' })
  })

  test('tags are trimmed, unique, and replaced as a set', async () => {
    expect((await patch(id, { tags: [' refund ', 'vip', 'refund', 'vip '] })).data.tags).toEqual(['refund', 'vip'])
    expect((await patch(id, { tags: ['other'] })).data.tags).toEqual(['other'])
    expect((await patch(id, { tags: [] })).data.tags).toEqual([])
    const fifty = Array.from({ length: 50 }, (_, i) => `${'🙂'.repeat(47)}${i}`)
    expect((await patch(id, { tags: [...fifty, fifty[0]] })).data.tags).toEqual(fifty)
    expect((await patch(id, { tags: ['t'.repeat(50)] })).data.tags).toEqual(['t'.repeat(50)])
    const bad = [[''], ['  '], ['t'.repeat(51)], [5], [null], ['a\u0000'], ['\ud800'], 'refund', { 0: 'refund' }, null]
    for (const tags of [...bad, [...fifty, 'one more']]) await expectRefused(id, { tags }, 'tags')
  })

  test('tags are added and removed, what is there keeps its order', async () => {
    await patch(id, { tags: ['a', 'b', 'c'] })
    expect((await patch(id, { addTags: [' d ', 'a', 'd'] })).data.tags).toEqual(['a', 'b', 'c', 'd'])
    expect((await patch(id, { removeTags: ['b', 'not there'] })).data.tags).toEqual(['a', 'c', 'd'])
    expect((await patch(id, { addTags: ['e'], removeTags: ['a'] })).data.tags).toEqual(['c', 'd', 'e'])
    expect((await patch(id, { addTags: [], removeTags: [] })).data.tags).toEqual(['c', 'd', 'e'])
    await expectRefused(id, { tags: ['x'], addTags: ['y'] }, 'tags')
    await expectRefused(id, { tags: [], removeTags: ['c'] }, 'tags')
    await expectRefused(id, { addTags: ['y'], removeTags: ['y '] }, 'removeTags')
    for (const bad of [[''], ['t'.repeat(51)], [5], ['a\u0000'], 'refund', null]) {
      await expectRefused(id, { addTags: bad }, 'addTags')
      await expectRefused(id, { removeTags: bad }, 'removeTags')
    }
  })

  test('of tags there are at most 50 after a change', async () => {
    const fifty = Array.from({ length: 50 }, (_, i) => `t${i}`)
    await patch(id, { tags: fifty })
    await expectRefused(id, { addTags: ['one more'] }, 'addTags')
    expect((await patch(id, { addTags: ['t0'] })).data.tags).toEqual(fifty)
    const turned = await patch(id, { addTags: ['one more'], removeTags: ['t0'] })
    expect(turned.data.tags).toEqual([...fifty.slice(1), 'one more'])
    await patch(id, { tags: [] })
  })

  test('ten who add a tag and take one away at once leave ten', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `new ${i}`)
    await patch(id, { tags: names.map((_, i) => `old ${i}`) })
    await Promise.all(names.map((name, i) => patch(id, { addTags: [name], removeTags: [`old ${i}`] })))
    expect((await patch(id, { priority: 0 })).data.tags.toSorted()).toEqual(names)
    await patch(id, { tags: [] })
  })

  test('an event says that tags changed, and none that they did not', async () => {
    const where = { conversationId: id, type: 'conversation.updated' }
    const count = () => guddesk.deps.db.prisma.event.count({ where })
    const before = await count()
    await patch(id, { removeTags: ['not there'] })
    expect(await count()).toBe(before)
    await patch(id, { addTags: ['there'] })
    const last = await guddesk.deps.db.prisma.event.findFirstOrThrow({ where, orderBy: { seq: 'desc' } })
    expect(JSON.parse(last.body).data.changed).toEqual(['tags'])
  })

  test('priority is 0 to 3', async () => {
    for (const priority of [0, 1, 2, 3]) expect((await patch(id, { priority })).data.priority).toBe(priority)
    for (const priority of [-1, 4, 1.5, '1', null, true, 1e300]) await expectRefused(id, { priority }, 'priority')
  })

  test('assigneeId is a member of the workspace, null unassigns', async () => {
    const { memberId } = await guddesk.newMember(guddesk.tenant, 'Ada Agent')
    const assigned = (await patch(id, { assigneeId: memberId })).data
    expect(assigned).toMatchObject({ assigneeId: memberId, assignee: { id: memberId, name: 'Ada Agent' } })
    const stranger = await guddesk.newTenant()
    const { userId } = guddesk.tenant
    for (const assigneeId of [stranger.memberId, newId('member'), userId, 'none', '', 5, {}]) {
      await expectRefused(id, { assigneeId }, 'assigneeId')
    }
    expect((await patch(id, { assigneeId: null })).data).toMatchObject({ assigneeId: null, assignee: null })
  })

  test('one bad field refuses the whole change', async () => {
    await expectRefused(id, { subject: 'Half', priority: 9 }, 'priority')
    await expectRefused(id, { subject: 'Half', assigneeId: newId('member') }, 'assigneeId')
    for (const status of ['open', 'DONE', '', null, 1]) await expectRefused(id, { status, subject: 'Half' }, 'status')
  })
})

test('the list has the newest activity first; notes are no activity', async () => {
  const tenant = await guddesk.newTenant()
  const { key } = tenant
  const ids: string[] = []
  for (let i = 0; i < 4; i++) {
    guddesk.clock.advance(1000)
    ids.push(await guddesk.newConversation(tenant, i === 2 ? undefined : 'Hello'))
  }
  const order = async () => idsOf((await guddesk.call('GET', PATH, undefined, { key })).data)
  expect(await order()).toEqual([ids[3], ids[2], ids[1], ids[0]])
  guddesk.clock.advance(1000)
  await ok(guddesk.call('POST', `${PATH}/${ids[1]}/messages`, { body: 'A note', type: 'NOTE' }, { key }))
  await ok(guddesk.call('PATCH', `${PATH}/${ids[0]}`, { subject: 'Changed' }, { key }))
  expect(await order()).toEqual([ids[3], ids[2], ids[1], ids[0]])
  await ok(guddesk.call('POST', `${PATH}/${ids[0]}/messages`, { body: 'An answer' }, { key }))
  expect(await order()).toEqual([ids[0], ids[3], ids[2], ids[1]])
})
