import { afterAll, beforeAll, expect, test } from 'vitest'
import { purgeExpired } from '../../../src/domain/maintenance/purge-expired.ts'
import { makeObjects } from '../../rest/objects.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const HOUR = 3_600_000
let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

test('a secret that was rotated out is gone once its overlap has ended, and not before', async () => {
  const { endpointId } = await makeObjects(guddesk)
  const rotate = graphql(
    `mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { error { code } } }`,
  )
  await guddesk.graphql(rotate, { input: { endpointId, overlapHours: 2 } })
  const read = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
  const rotating = await read()
  expect(rotating.previousSealedSecret).toMatch(/^v1\./)
  guddesk.clock.advance(HOUR)
  await purgeExpired(guddesk.deps)
  expect(await read()).toEqual(rotating)
  guddesk.clock.advance(HOUR)
  await purgeExpired(guddesk.deps)
  expect(await read()).toEqual({ ...rotating, previousSealedSecret: null, secretOverlapEndsAt: null })
})

test('sessions and sign-in links that have ended are gone, the others stay', async () => {
  const { prisma } = guddesk.deps.db
  await guddesk.newSession(guddesk.tenant)
  const { id: old } = await prisma.session.findFirstOrThrow()
  await prisma.session.update({ where: { id: old }, data: { expiresAt: guddesk.clock.now() } })
  const session = await guddesk.newSession(guddesk.tenant)
  const { email } = await prisma.user.findUniqueOrThrow({ where: { id: guddesk.tenant.userId } })
  await guddesk.people.makeLink(email)
  await prisma.verification.updateMany({ data: { expiresAt: guddesk.clock.now() } })
  const link = await guddesk.people.makeLink(email)
  await purgeExpired(guddesk.deps)
  expect(await prisma.session.findUnique({ where: { id: old } })).toBeNull()
  expect(await prisma.verification.count()).toBe(1)
  const { data } = await guddesk.graphql(graphql(`{ me { email } }`), {}, { key: session })
  expect(data.me.email).toBe(email)
  expect((await guddesk.people.openLink(link ?? '', { address: null, userAgent: null })).user.email).toBe(email)
})
