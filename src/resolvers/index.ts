import { type GraphQLSchema, isInterfaceType, isNonNullType, isObjectType } from 'graphql'
import { builder } from '../schema/builder.ts'
import { withMutationErrors } from '../schema/errors.ts'
import '../schema/conversation-edges.ts'
import '../schema/scalars.ts'
import './agents.ts'
import './api-keys.ts'
import './articles.ts'
import './audit-entries.ts'
import './collections.ts'
import './conversation-batches.ts'
import './conversations.ts'
import './deliveries.ts'
import './dispatch-state.ts'
import './events.ts'
import './subscriptions.ts'
import './tags.ts'
import './invitations.ts'
import './members.ts'
import './users.ts'
import './viewer.ts'
import './visitors.ts'
import './webhook-endpoints.ts'
import './workspaces.ts'

/** The whole GraphQL schema. */
export const schema: GraphQLSchema = withMutationErrors(withNullableRefusals(withPlainIds(builder.toSchema())))

/**
 * Pothos answers a node's id by an async function, which makes a promise of every object in a list: more than half of
 * what executing a list costs. Our ids are the rows' own.
 */
function withPlainIds(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || !type.getInterfaces().some(({ name }) => name === 'Node')) continue
    const { id } = type.getFields()
    if (id !== undefined) id.resolve = ({ id }: { id: string }) => id
  }
  return schema
}

/**
 * A refused non-null field makes its parent null, and so takes its neighbours with it: a query's whole data. So what a role,
 * a filter or an argument can refuse is nullable: every field of Query and Mutation, and every list in pages.
 */
function withNullableRefusals(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType()]
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const isRefusable = roots.some((root) => root === type) || field.args.some(({ name }) => name === 'first')
      if (isRefusable && isNonNullType(field.type)) field.type = field.type.ofType
    }
  }
  return schema
}
