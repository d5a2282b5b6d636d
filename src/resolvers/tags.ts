import { listTags } from '../domain/conversations/tags.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { TagConnection } from '../schema/tag.ts'
import { omitNull } from './input.ts'

builder.queryField('tags', (t) =>
  t.field({
    type: TagConnection,
    description:
      'The tags of the conversations in the workspace, in alphabetical order regardless of case. Tags without a conversation are left out.',
    args: {
      text: t.arg.string({
        description: 'Only tags that begin with this text, ignoring case: 1 to 50 characters. All tags by default.',
      }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { text, ...page }, { deps, actor, budget }) =>
      toConnection(await listTags(deps, actor(), omitNull({ text }), pageRequest(page, budget))),
  }),
)
