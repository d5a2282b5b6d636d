import { makeObjects } from '../../rest/objects.ts'
import type { TestGudDesk } from '../../support/guddesk.ts'
import { type Kind, mutation, type Outcome, rest, unique, type World, type Write } from './removal-writes.ts'

export interface Removal {
  readonly name: string
  readonly takes: readonly Kind[]
  /** A credential that ends with it. */
  readonly doomed?: (world: World) => string
  /** A write that uses up the same thing: whoever comes second finds nothing. */
  readonly rival?: string
  run(world: World): Promise<Outcome>
}

export async function newWorld(guddesk: TestGudDesk): Promise<World> {
  const tenant = await guddesk.newTenant()
  const { key: owner } = tenant
  const objects = await makeObjects(guddesk, tenant)
  const leaving = await guddesk.newMember(tenant, 'Lena Leaving', 'ADMIN')
  const patch = { assigneeId: leaving.memberId }
  await guddesk.call('PATCH', `/api/v1/conversations/${objects.conversationId}`, patch, { key: owner })
  const made = async (mutation: string) => {
    const { data } = await guddesk.graphql(`mutation { made: ${mutation} }`, {}, { key: owner })
    return data.made
  }
  const { collection } = await made('createCollection(input: { name: "C" }) { collection { id } }')
  const invited = await made(
    `inviteMember(input: { email: "${unique('i')}@example.com", role: VIEWER }) { invitation { id } link }`,
  )
  const spare = await made('createApiKey(input: { name: "K", permission: FULL_ACCESS }) { apiKey { id } key }')
  const ownerSession = await guddesk.newSession(tenant)
  const endingSession = await guddesk.newSession(tenant)
  const said = { body: 'Hello', type: 'AGENT' }
  await guddesk.call('POST', `/api/v1/conversations/${objects.conversationId}/messages`, said, { key: owner })
  const { prisma } = guddesk.deps.db
  const token = decodeURIComponent(endingSession).split('.')[0] ?? ''
  const delivery = await prisma.delivery.findFirstOrThrow({ where: { endpointId: objects.endpointId } })
  return {
    ...objects,
    guddesk,
    owner,
    ownerSession,
    endingSession,
    endingSessionId: (await prisma.session.findUniqueOrThrow({ where: { token } })).id,
    memberSession: await guddesk.newSession(leaving),
    leavingId: leaving.memberId,
    collectionId: collection.id,
    invitationId: invited.invitation.id,
    invitationToken: String(invited.link).split('/').at(-1) ?? '',
    keyId: spare.apiKey.id,
    key: spare.key,
    allWorkspaces: await guddesk.newKey(tenant, 'FULL_ACCESS', 'all'),
    deliveryId: delivery.id,
  }
}

const remove = (write: Write, takes: readonly Kind[], doomed?: (world: World) => string): Removal => ({
  name: write.name,
  takes,
  ...(doomed && { doomed }),
  run: (world) => write.run(world, world.owner),
})

export const REMOVALS: readonly Removal[] = [
  remove(
    rest('DELETE /v1/workspaces/:id', [], (w) => ({ path: `/v1/workspaces/${w.workspaceId}` })),
    ['workspace'],
    (w) => w.key,
  ),
  remove(
    mutation('deleteWorkspace', [], ({ workspaceId }) => ({ workspaceId })),
    ['workspace'],
    (w) => w.key,
  ),
  remove(
    rest('DELETE /v1/articles/:id', [], (w) => ({ path: `/v1/articles/${w.articleId}` })),
    ['article'],
  ),
  remove(
    rest('DELETE /v1/agents/:id', [], (w) => ({ path: `/v1/agents/${w.agentId}` })),
    ['agent'],
    (w) => w.agentKey,
  ),
  remove(
    rest('DELETE /agent/webhooks', [], ({ endpointId }) => ({ body: { endpointId } })),
    ['endpoint'],
  ),
  remove(
    rest('DELETE /agent/webhooks', [], ({ endpointId }) => ({ body: { endpointId, forget: true } })),
    ['endpoint'],
  ),
  remove(
    mutation('deleteArticle', [], ({ articleId }) => ({ articleId })),
    ['article'],
  ),
  remove(
    mutation('deleteCollection', [], ({ collectionId }) => ({ collectionId })),
    ['collection'],
  ),
  remove(
    mutation('deleteWebhookEndpoint', [], ({ endpointId }) => ({ endpointId })),
    ['endpoint'],
  ),
  remove(
    mutation('unregisterWebhookEndpoint', [], ({ endpointId }) => ({ endpointId })),
    ['endpoint'],
  ),
  {
    ...remove(
      mutation('endSession', [], ({ endingSessionId }) => ({ sessionId: endingSessionId })),
      ['session'],
    ),
    doomed: ({ endingSession }) => endingSession,
    run: (world) =>
      mutation('endSession', [], ({ endingSessionId }) => ({ sessionId: endingSessionId })).run(
        world,
        world.ownerSession,
      ),
  },
  remove(
    mutation('removeMember', [], ({ leavingId }) => ({ memberId: leavingId })),
    ['member'],
    (w) => w.memberSession,
  ),
  remove(
    mutation('revokeApiKey', [], ({ keyId }) => ({ apiKeyId: keyId })),
    ['key'],
    (w) => w.key,
  ),
  {
    ...remove(
      mutation('revokeInvitation', [], ({ invitationId }) => ({ invitationId })),
      ['invitation'],
    ),
    rival: 'acceptInvitation',
  },
  remove(
    mutation('uninstallAgent', [], ({ agentId }) => ({ agentId })),
    ['agent'],
    (w) => w.agentKey,
  ),
]
