import {
  AUDIT_ACTIONS,
  type AuditAction,
  type AuditActor,
  type AuditTarget,
  mayReadAudit,
} from '../domain/audit/audit.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

/** `api_key.created` is API_KEY_CREATED. */
const nameOf = (action: AuditAction) => action.replace('.', '_').toUpperCase()

export const AuditActionEnum = builder.enumType('AuditAction', {
  description: 'What can be recorded in the audit log.',
  values: Object.fromEntries(AUDIT_ACTIONS.map((action) => [nameOf(action), { value: action }])),
})

const AuditActorType = builder.enumType('AuditActorType', {
  description: 'Kinds of those whose deeds are recorded. USER is a person as such, in no workspace.',
  values: {
    VISITOR: { value: 'visitor' },
    MEMBER: { value: 'member' },
    AGENT: { value: 'agent' },
    API_KEY: { value: 'api_key' },
    SYSTEM: { value: 'system' },
    USER: { value: 'user' },
    ANONYMOUS: { value: 'anonymous' },
  } as const satisfies Record<string, { value: AuditActor['type'] }>,
})

const AUDIT_TARGETS: Record<Uppercase<AuditTarget['type']>, { value: AuditTarget['type'] }> = {
  WORKSPACE: { value: 'workspace' },
  MEMBER: { value: 'member' },
  INVITATION: { value: 'invitation' },
  API_KEY: { value: 'api_key' },
  AGENT: { value: 'agent' },
  WEBHOOK_ENDPOINT: { value: 'webhook_endpoint' },
  DELIVERY: { value: 'delivery' },
  CONVERSATION: { value: 'conversation' },
  SESSION: { value: 'session' },
  USER: { value: 'user' },
  ARTICLE: { value: 'article' },
  COLLECTION: { value: 'collection' },
}

const AuditTargetType = builder.enumType('AuditTargetType', {
  description: 'Kinds of objects that something is done to.',
  values: AUDIT_TARGETS,
})

export const AuditEntry = builder.prismaNode('AuditEntry', {
  nullable: true,
  description: 'Who did what, when and from where. Entries are never changed.',
  id: { field: 'id' },
  // Like the list of entries, for FULL_ACCESS only; to anybody else there is none.
  findUnique: (id, context) => {
    const actor = context.actor()
    return { id: mayReadAudit(actor) ? id : '', workspaceId: actor.workspaceId }
  },
  fields: (t) => ({
    action: t.field({
      type: AuditActionEnum,
      description: 'What was done.',
      resolve: ({ action }) => action as AuditAction,
    }),
    actorType: t.field({
      type: AuditActorType,
      description: 'Who did it.',
      resolve: ({ actorType }) => actorType as AuditActor['type'],
    }),
    actorId: t.exposeID('actorId', { description: "The member's, API key's or agent's id." }),
    actorName: t.exposeString('actorName', { description: 'Their name at that time.' }),
    userId: t.exposeID('userId', { nullable: true, description: 'The person behind it.' }),
    targetType: t.field({
      type: AuditTargetType,
      description: 'What kind of object it was done to.',
      resolve: ({ targetType }) => targetType as AuditTarget['type'],
    }),
    targetId: t.exposeID('targetId', { description: "That object's id; it may be gone." }),
    targetName: t.exposeString('targetName', { nullable: true, description: 'Its name at that time.' }),
    address: t.exposeString('address', { nullable: true, description: 'The IP address that it came from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'The program that sent it, as it says.' }),
    data: t.field({ type: 'JSON', description: 'What else is worth knowing.', resolve: ({ data }) => data }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
  }),
})

export const AuditEntryConnection = connectionOf(AuditEntry, 'AuditEntry')

export const AuditEntryFilterInput = builder.inputType('AuditEntryFilter', {
  description: 'Which entries; all conditions must hold.',
  fields: (t) => ({
    action: t.field({ type: AuditActionEnum, description: 'Only these.' }),
    actorId: t.id({ description: 'Only what this member, API key or agent did.' }),
    targetId: t.id({ description: 'Only what was done to this object.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Recorded after this.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Recorded before this.' }),
  }),
})
