import { describe, expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import { ok, visitorSays } from '../objects.ts'
import { expectRefused, guddesk, PATH, patch, read, useServer } from './conversation-steps.ts'

useServer()

describe('snoozing', () => {
  const inAnHour = () => new Date(guddesk.clock.now().getTime() + 3_600_000)

  test('until a time: it reopens by itself then, not before', async () => {
    const id = await guddesk.newConversation()
    const snoozedUntil = inAnHour().toISOString()
    expect((await patch(id, { status: 'SNOOZED', snoozedUntil })).data).toMatchObject({
      status: 'SNOOZED',
      snoozedUntil,
      closedAt: null,
    })
    // One whose time has come is reopened by the look that leaves the other as it is.
    const early = await guddesk.newConversation()
    const soon = new Date(guddesk.clock.now().getTime() + 3_400_000).toISOString()
    await ok(patch(early, { status: 'SNOOZED', snoozedUntil: soon }))
    guddesk.advance(3_500_000)
    await until(async () => (await read(early)).status === 'OPEN')
    expect((await read(id)).status).toBe('SNOOZED')
    guddesk.advance(101_000)
    await until(async () => (await read(id)).status === 'OPEN')
    expect((await read(id)).snoozedUntil).toBeNull()
  })

  test('a time with an offset is the same instant in UTC', async () => {
    const id = await guddesk.newConversation()
    const { data } = await patch(id, { status: 'SNOOZED', snoozedUntil: '2096-07-01T12:00:00+02:00' })
    expect(data.snoozedUntil).toBe('2096-07-01T10:00:00.000Z')
  })

  test.each(['SNOOZED', 'CLOSED'])('a visitor’s message reopens what is %s', async (status) => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hello')
    await ok(patch(id, status === 'SNOOZED' ? { status, snoozedUntil: inAnHour().toISOString() } : { status }))
    for (const type of ['BOT', 'AGENT', 'NOTE']) {
      await ok(guddesk.call('POST', `${PATH}/${id}/messages`, { body: 'Not the visitor', type }))
      expect((await read(id)).status).toBe(status)
    }
    await visitorSays(guddesk, id, 'Still there?')
    expect(await read(id)).toMatchObject({ status: 'OPEN', closedAt: null, snoozedUntil: null, messageCount: 5 })
  })

  test('a time that is none, or past, or without a snooze, is refused', async () => {
    const id = await guddesk.newConversation()
    const notTimes = ['tomorrow', '', '2096-13-01T00:00:00.000Z', '2096-02-30T00:00:00.000Z', 4e12, true, '2096-01-01']
    for (const snoozedUntil of notTimes) await expectRefused(id, { status: 'SNOOZED', snoozedUntil }, 'snoozedUntil')
    await expectRefused(id, { status: 'SNOOZED', snoozedUntil: '2001-01-01T00:00:00.000Z' }, 'snoozedUntil')
    await expectRefused(id, { status: 'CLOSED', snoozedUntil: inAnHour().toISOString() }, 'snoozedUntil')
  })
})

test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'])(
  'a snooze until %s, a year that ISO 8601 has no four digits for, is refused',
  async (snoozedUntil) => {
    await expectRefused(await guddesk.newConversation(), { status: 'SNOOZED', snoozedUntil }, 'snoozedUntil')
  },
)
