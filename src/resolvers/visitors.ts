import {
  listVisitors,
  updateVisitor,
  upsertVisitor,
  VisitorFilter,
  VisitorInput,
  VisitorPatch,
} from '../domain/visitors/visitors.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import {
  UpdateVisitorInput,
  UpsertVisitorInput,
  Visitor,
  VisitorConnection,
  VisitorFilterInput,
} from '../schema/visitor.ts'
import { inputOf, omitNull } from './input.ts'

const UpsertVisitorPayload = builder.simpleObject('UpsertVisitorPayload', {
  interfaces: [MutationPayload],
  description: 'The visitor, new or updated.',
  fields: (t) => ({
    visitor: t.field({ nullable: true, type: Visitor, description: 'The visitor as it is now.' }),
    created: t.boolean({ nullable: true, description: 'False when the externalId was known.' }),
  }),
})

builder.mutationFields((t) => ({
  upsertVisitor: t.field({
    type: UpsertVisitorPayload,
    nullable: true,
    description: 'Creates a visitor, or updates the one with the same externalId.',
    args: { input: t.arg({ type: UpsertVisitorInput, required: true, description: 'Who it is.' }) },
    resolve: (_root, { input }, { deps, actor }) =>
      upsertVisitor(deps, actor(), inputOf(VisitorInput, omitNull(input))),
  }),
}))

const UpdateVisitorPayload = builder.simpleObject('UpdateVisitorPayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({ visitor: t.field({ nullable: true, type: Visitor, description: 'The visitor as it is now.' }) }),
})

builder.mutationField('updateVisitor', (t) =>
  t.field({
    type: UpdateVisitorPayload,
    nullable: true,
    description: 'Changes a visitor.',
    args: { input: t.arg({ type: UpdateVisitorInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { visitorId, ...patch } }, { deps, actor }) => ({
      visitor: await updateVisitor(deps, actor(), visitorId, inputOf(VisitorPatch, patch)),
    }),
  }),
)

builder.queryField('visitors', (t) =>
  t.field({
    type: VisitorConnection,
    description: 'People who write to the team, newest first.',
    args: {
      filter: t.arg({ type: VisitorFilterInput, description: 'Which ones; all when left out.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const { name, email, ...rest } = filter ?? {}
      const nested = { ...(name != null && { name: omitNull(name) }), ...(email != null && { email: omitNull(email) }) }
      const wanted = inputOf(VisitorFilter, { ...omitNull(rest), ...nested })
      return toConnection(await listVisitors(deps, actor(), wanted, pageRequest(page, budget)))
    },
  }),
)
