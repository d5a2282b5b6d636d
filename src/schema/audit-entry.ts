import { AUDIT_ACTIONS, type AuditAction, mayReadAudit } from '../domain/audit.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

/** `api_key.created` is API_KEY_CREATED. */
const nameOf = (action: AuditAction) => action.replace('.', '_').toUpperCase()

export const AuditActionEnum = builder.enumType('AuditAction', {
  description: 'What can be recorded in the audit log.',
  values: Object.fromEntries(AUDIT_ACTIONS.map((action) => [nameOf(action), { value: action }])),
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
    actorType: t.exposeString('actorType', {
      description: 'Who did it: member, api_key, agent, user (a person as such) or system.',
    }),
    actorId: t.exposeID('actorId', { description: "The member's, API key's or agent's id." }),
    actorName: t.exposeString('actorName', { description: 'Their name at that time.' }),
    userId: t.exposeID('userId', { nullable: true, description: 'The person behind it.' }),
    targetType: t.exposeString('targetType', { description: 'What kind of object it was done to.' }),
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
