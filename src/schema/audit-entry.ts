import {
  ANONYMOUS,
  AUDIT_ACTIONS,
  type AuditAction,
  AuditFilter,
  type AuditTarget,
  mayReadAudit,
} from '../domain/audit/audit.ts'
import { Actor, resolveActor } from './actor.ts'
import { asNode, builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { inputFields } from './fields.ts'
import { TimeRange } from './time-range.ts'

/** `api_key.created` is API_KEY_CREATED. */
const nameOf = (action: AuditAction) => action.replace('.', '_').toUpperCase()

const ACTION_DESCRIPTIONS: Record<AuditAction, string> = {
  'workspace.created': 'A workspace was created.',
  'workspace.updated': 'The name or slug of a workspace was changed.',
  'workspace.deleted': 'A workspace was deleted.',
  'member.invited': 'A person was invited to the workspace.',
  'member.joined': 'A person joined the workspace.',
  'member.role_changed': 'The role of a member was changed.',
  'member.removed': 'A member was removed from the workspace.',
  'invitation.revoked': 'An invitation was revoked.',
  'api_key.created': 'An API key was created.',
  'api_key.revoked': 'An API key was revoked.',
  'agent.installed': 'An agent was installed.',
  'agent.updated': 'An agent was changed.',
  'agent.enabled': 'An agent was enabled.',
  'agent.disabled': 'An agent was disabled.',
  'agent.uninstalled': 'An agent was uninstalled.',
  'agent.key_rotated': 'The API key of an agent was rotated.',
  'agent.orphaned': 'The access of the person who installed an agent ended. The agent keeps working.',
  'webhook_endpoint.created': 'A webhook endpoint was registered.',
  'webhook_endpoint.updated': 'A webhook endpoint was changed.',
  'webhook_endpoint.enabled': 'A webhook endpoint was enabled.',
  'webhook_endpoint.disabled': 'A webhook endpoint was disabled.',
  'webhook_endpoint.unregistered': 'A webhook endpoint was unregistered by its service.',
  'webhook_endpoint.resumed': 'An unregistered webhook endpoint was registered again.',
  'webhook_endpoint.deleted': 'A webhook endpoint was deleted.',
  'webhook_endpoint.secret_rotated': 'The secret of a webhook endpoint was rotated.',
  'webhook_endpoint.rotation_confirmed': 'The overlap of a secret rotation was ended.',
  'webhook_endpoint.test_sent': 'A test event was sent to a webhook endpoint.',
  'delivery.replayed': 'A delivery was replayed.',
  'deliveries.replayed': 'The failed deliveries of a webhook endpoint were replayed.',
  'conversation.deleted': 'A conversation was deleted.',
  'article.deleted': 'An article was deleted.',
  'collection.deleted': 'A collection was deleted.',
  'session.created': 'A person signed in.',
  'session.ended': 'A session was ended.',
  'session.failed': 'An attempt to sign in failed.',
  'password.changed': 'A person changed their password.',
  'profile.updated': 'A person changed their name.',
  'sign_in_link.created': 'A sign-in link was created.',
  'email.verified': 'A person verified their email address.',
}

export const AuditActionEnum = builder.enumType('AuditAction', {
  description: 'An action that is recorded in the audit log.',
  values: Object.fromEntries(
    AUDIT_ACTIONS.map((action) => [nameOf(action), { value: action, description: ACTION_DESCRIPTIONS[action] }]),
  ),
})

const AUDIT_TARGETS: Record<Uppercase<AuditTarget['type']>, { value: AuditTarget['type']; description: string }> = {
  WORKSPACE: { value: 'workspace', description: 'A workspace.' },
  MEMBER: { value: 'member', description: 'A member of the workspace.' },
  INVITATION: { value: 'invitation', description: 'An invitation to a workspace.' },
  API_KEY: { value: 'api_key', description: 'An API key of a person or agent.' },
  AGENT: { value: 'agent', description: 'An installed agent.' },
  WEBHOOK_ENDPOINT: { value: 'webhook_endpoint', description: 'A webhook endpoint.' },
  DELIVERY: { value: 'delivery', description: 'A webhook delivery.' },
  CONVERSATION: { value: 'conversation', description: 'A conversation.' },
  SESSION: { value: 'session', description: 'A session of a user.' },
  USER: { value: 'user', description: 'A person with an account.' },
  ARTICLE: { value: 'article', description: 'An article of the knowledge base.' },
  COLLECTION: { value: 'collection', description: 'A collection of articles.' },
}

/** Which loader has the objects of a type; of the others none outlives its entries, or none has an id to be found by. */
const TARGET_LOADERS: { readonly [type in string]?: 'actors' | 'auditTargets' | 'invitations' } = {
  member: 'actors',
  api_key: 'actors',
  agent: 'actors',
  workspace: 'auditTargets',
  webhook_endpoint: 'auditTargets',
  delivery: 'auditTargets',
  invitation: 'invitations',
}

const AuditTargetType = builder.enumType('AuditTargetType', {
  description: 'The type of the object that an action was applied to.',
  values: AUDIT_TARGETS,
})

export const AuditEntry = builder.prismaNode('AuditEntry', {
  nullable: true,
  description: 'An immutable record of an action: the actor, the object, the time and the origin.',
  id: { field: 'id' },
  // Like the list of entries, for FULL_ACCESS only; to anybody else there is none.
  findUnique: (id, context) => {
    const actor = context.actor()
    return { id: mayReadAudit(actor) ? id : '', workspaceId: actor.workspaceId }
  },
  fields: (t) => ({
    action: t.field({
      type: AuditActionEnum,
      description: 'The action that was performed.',
      resolve: ({ action }) => action as AuditAction,
    }),
    actor: t.field({
      type: Actor,
      nullable: true,
      description: 'The actor. Null for an unknown person, such as in a failed attempt to sign in.',
      resolve: ({ actorType, actorId, actorName }, _args, context) =>
        actorType === ANONYMOUS ? null : resolveActor({ id: actorId, name: actorName }, context),
    }),
    userId: t.exposeID('userId', {
      nullable: true,
      description: 'The id of the user behind the actor. Null when there is none.',
    }),
    targetType: t.field({
      type: AuditTargetType,
      description: 'The type of the object.',
      resolve: ({ targetType }) => targetType as AuditTarget['type'],
    }),
    targetId: t.exposeID('targetId', { description: 'The id of the object, which may have been deleted since.' }),
    targetName: t.exposeString('targetName', {
      nullable: true,
      description: 'The name of the object at that time. Null when it has none.',
    }),
    target: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description:
        'The object in its current state: a workspace, member, pending invitation, API key, agent, webhook endpoint or delivery. Null for other types, and when it was removed.',
      resolve: async ({ targetType, targetId }, _args, { loaders }) => {
        const loader = TARGET_LOADERS[targetType]
        const row = loader === undefined ? null : await loaders[loader].load(targetId)
        return row && asNode(row)
      },
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The IP address of the request. Null when it is unknown, and when there was no request.',
    }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'The User-Agent header of the request, at most 500 characters. Null when there was none.',
    }),
    data: t.field({ type: 'JSONObject', description: 'Further details, by action.', resolve: ({ data }) => data }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time of the action.' }),
  }),
})

export const AuditEntryConnection = connectionOf(AuditEntry, 'AuditEntry')

export const AuditEntryFilterInput = builder.inputType('AuditEntryFilter', {
  description: 'Conditions on audit entries. All of them must hold.',
  fields: (t) =>
    inputFields(t, AuditFilter.shape, {
      action: AuditActionEnum,
      actorId: 'ID',
      targetId: 'ID',
      createdAt: TimeRange,
    }),
})
