import { AuditFilter, listAuditEntries } from '../domain/audit/audit.ts'
import { AuditEntryConnection, AuditEntryFilterInput } from '../schema/audit-entry.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { conditionsOf, inputOf } from './input.ts'

builder.queryField('auditEntries', (t) =>
  t.field({
    type: AuditEntryConnection,
    description: 'The audit log of the workspace, newest first. Requires FULL_ACCESS. Refused for agents.',
    args: {
      filter: t.arg({
        type: AuditEntryFilterInput,
        description: 'Conditions on the audit entries. All entries by default.',
      }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const wanted = inputOf(AuditFilter, conditionsOf(filter))
      return toConnection(await listAuditEntries(deps, actor(), wanted, pageRequest(page, budget)))
    },
  }),
)
