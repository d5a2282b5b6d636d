import {
  findVisitor,
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
import { conditionsOf, inputOf, omitNull } from './input.ts'

const UpsertVisitorPayload = builder.simpleObject('UpsertVisitorPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `upsertVisitor`.',
  fields: (t) => ({
    visitor: t.field({
      type: Visitor,
      description: 'The visitor in its current state.',
    }),
    isNew: t.boolean({
      nullable: true,
      description:
        'Whether a new visitor was created. False when a visitor with the `externalId` was updated, null when the mutation was refused.',
    }),
  }),
})

builder.mutationFields((t) => ({
  upsertVisitor: t.field({
    type: UpsertVisitorPayload,
    description: 'Creates a visitor, or updates the visitor with the same `externalId`.',
    args: { input: t.arg({ type: UpsertVisitorInput, required: true, description: 'The properties of the visitor.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const { visitor, created } = await upsertVisitor(deps, actor(), inputOf(VisitorInput, omitNull(input)))
      return { visitor, isNew: created }
    },
  }),
}))

const UpdateVisitorPayload = builder.simpleObject('UpdateVisitorPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateVisitor`.',
  fields: (t) => ({
    visitor: t.field({
      type: Visitor,
      description: 'The visitor in its current state.',
    }),
  }),
})

builder.mutationField('updateVisitor', (t) =>
  t.field({
    type: UpdateVisitorPayload,
    description: 'Changes the properties of a visitor.',
    args: { input: t.arg({ type: UpdateVisitorInput, required: true, description: 'The visitor and its changes.' }) },
    resolve: async (_root, { input: { visitorId, ...patch } }, { deps, actor }) => ({
      visitor: await updateVisitor(deps, actor(), visitorId, inputOf(VisitorPatch, patch)),
    }),
  }),
)

builder.queryField('visitor', (t) =>
  t.field({
    type: Visitor,
    nullable: true,
    description:
      'A visitor by its id, or by its id in your system: exactly one of the arguments. Null when there is none.',
    args: {
      id: t.arg.id({ description: 'The id of the visitor.' }),
      externalId: t.arg.string({ description: 'The exact `externalId` of the visitor, 1 to 255 characters.' }),
    },
    resolve: (_root, key, { deps, actor }) => findVisitor(deps, actor(), omitNull(key)),
  }),
)

builder.queryField('visitors', (t) =>
  t.field({
    type: VisitorConnection,
    description: 'The visitors of the workspace, newest first.',
    args: {
      filter: t.arg({ type: VisitorFilterInput, description: 'Conditions on the visitors. All visitors by default.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const wanted = inputOf(VisitorFilter, conditionsOf(filter))
      return toConnection(await listVisitors(deps, actor(), wanted, pageRequest(page, budget)))
    },
  }),
)
