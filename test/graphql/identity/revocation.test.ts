import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nextUrl } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { runTime, until } from '../../support/until.ts'
import { type Live, overSse, overWebSocket, type Transport } from '../live.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

/** What ends a credential, and the key that it ends. */
const ENDINGS: Record<string, () => Promise<{ key: string; end: () => Promise<unknown> }>> = {
  'its key is revoked': async () => {
    const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    return { key, end: () => byPrefix(key, { revokedAt: new Date() }) }
  },
  'its key expires': async () => {
    const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    return { key, end: () => byPrefix(key, { expiresAt: new Date(Date.now() - 1000) }) }
  },
  'its agent is disabled': async () => {
    const agent = await install()
    const end = () => guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, { isEnabled: false })
    return { key: agent.credentials.apiKey, end }
  },
  'its agent is uninstalled': async () => {
    const agent = await install()
    return { key: agent.credentials.apiKey, end: () => guddesk.call('DELETE', `/api/v1/agents/${agent.id}`) }
  },
  'its user is removed': async () => {
    const { memberId, userId } = await guddesk.newMember(guddesk.tenant, 'Mia', 'ADMIN')
    const key = await guddesk.newKey({ ...guddesk.tenant, memberId, userId }, 'READ_ONLY')
    const removing = `mutation { removeMember(input: { memberId: "${memberId}" }) { __typename } }`
    return { key, end: () => guddesk.graphql(removing) }
  },
  'its session ends': async () => {
    const person = await guddesk.newMember(guddesk.tenant, 'Mia', 'VIEWER')
    const key = await guddesk.newSession(person)
    return { key, end: () => guddesk.call('POST', '/api/auth/sign-out', undefined, { key }) }
  },
  'its session expires': async () => {
    const person = await guddesk.newMember(guddesk.tenant, 'Mia', 'VIEWER')
    const key = await guddesk.newSession(person)
    const data = { expiresAt: new Date(Date.now() - 1000) }
    return { key, end: () => guddesk.deps.db.prisma.session.updateMany({ where: { userId: person.userId }, data }) }
  },
  'the person of its session is removed': async () => {
    const { memberId, userId } = await guddesk.newMember(guddesk.tenant, 'Mia', 'VIEWER')
    const key = await guddesk.newSession({ userId })
    const removing = `mutation { removeMember(input: { memberId: "${memberId}" }) { __typename } }`
    return { key, end: () => guddesk.graphql(removing) }
  },
}

function byPrefix(key: string, data: object) {
  return guddesk.deps.db.prisma.apiKey.updateMany({ where: { prefix: key.slice(0, 8) }, data })
}

async function install() {
  return (await guddesk.call('POST', '/api/v1/agents', { name: 'Bot', webhookUrl: nextUrl() })).data
}

/** Subscribed for certain: an event that it caused itself has arrived. */
async function follow(transport: Transport, key: string): Promise<Live> {
  const live = transport(guddesk, {}, { key })
  await until(async () => {
    await guddesk.newConversation()
    return live.events.length > 0
  })
  return live
}

const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['server-sent events', overSse],
]

describe.each(TRANSPORTS)('over %s', (_name, transport) => {
  test.each(Object.entries(ENDINGS))(
    'a subscription ends within a second when %s, and says why',
    async (_what, prepare) => {
      const { key, end } = await prepare()
      const live = await follow(transport, key)
      const other = await follow(transport, guddesk.tenant.key)
      await end()
      // Server and subscriber are this process: where the machine is busy elsewhere, they take longer and do no more.
      const ran = runTime()
      await until(
        () => live.isEnded(),
        10_000,
        () => 'it did not end',
      )
      expect(ran()).toBeLessThan(1500)
      expect(live.errors).toMatchObject([{ extensions: { code: 'unauthorized' } }])
      expect(other.isEnded()).toBe(false)
      await live.stop()
      await other.stop()
    },
  )
})
