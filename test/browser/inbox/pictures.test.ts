import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PictureHost, PNG, sends, startPictureHost } from '../../support/peers/picture-host.ts'
import { until } from '../../support/until.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'

useDesk({ GRAPHQL_DOCUMENTS: 'dashboard/documents.json' })
useVisits()

let host: PictureHost
beforeAll(async () => {
  host = await startPictureHost()
})
afterAll(() => host.close())

test('the inbox shows a picture of a visitor, and loads nothing from anywhere but this server', async () => {
  const { guddesk } = desk
  const avatarUrl = host.serve('/vera.png', sends(PNG))
  const { data } = await guddesk.call('POST', '/api/v1/customers', { name: 'Vera Visible', avatarUrl })
  await guddesk.call('POST', '/api/v1/conversations', { visitorId: data.id, message: 'Hello' })
  await until(async () => (await guddesk.deps.db.prisma.picture.count({ where: { bytes: { not: null } } })) === 1)
  const foreign: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== guddesk.origin) foreign.push(request.url())
  })
  await page.goto('/w/acme/inbox/open')
  const picture = page.getByRole('listitem').filter({ hasText: 'Vera Visible' }).locator('img')
  await picture.waitFor()
  expect(await picture.getAttribute('src')).toMatch(/^\/api\/pictures\/ws_/)
  await eventually(async () => {
    expect(await picture.evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth)).toBe(1)
  })
  expect(foreign).toEqual([])
  expect(host.asked).toEqual(['/vera.png'])
})
