import type { GraphQLSchema } from 'graphql'
import { builder } from '../schema/builder.ts'
import '../schema/scalars.ts'
import './agents.ts'
import './api-keys.ts'
import './audit-entries.ts'
import './conversations.ts'
import './deliveries.ts'
import './dispatch-state.ts'
import './events.ts'
import './feeds.ts'
import './members.ts'
import './viewer.ts'
import './visitors.ts'
import './webhook-endpoints.ts'

/** The whole GraphQL schema. */
export const schema: GraphQLSchema = builder.toSchema()
