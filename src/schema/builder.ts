import SchemaBuilder, { brandWithType } from '@pothos/core'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin, { resolveNodes } from '@pothos/plugin-relay'
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects'
import { ValidationError } from '../domain/shared/errors.ts'
import { type IdKind, kindOfId } from '../domain/shared/ids.ts'
import type PrismaTypes from '../generated/pothos.ts'
import { getDatamodel } from '../generated/pothos.ts'
import type { Context } from './context.ts'
import type { ById, Loaders } from './loaders.ts'

/** GraphQL types by the kind of id that names their objects. */
const NODE_TYPES: Partial<Record<IdKind, string>> = {
  workspace: 'Workspace',
  member: 'Member',
  visitor: 'Visitor',
  conversation: 'Conversation',
  message: 'Message',
  agent: 'Agent',
  webhookEndpoint: 'WebhookEndpoint',
  apiKey: 'ApiKey',
  delivery: 'Delivery',
  event: 'Event',
  auditEntry: 'AuditEntry',
  article: 'Article',
  collection: 'Collection',
}

const NO_TYPE = 'None'

/** What `node` is asked for most, without the ways of Prisma and of `nodes`: they cost more than the rest of the request. */
const LOADERS: Record<string, ((loaders: Loaders) => ById<object>) | undefined> = {
  Conversation: ({ conversations }) => conversations,
  Visitor: ({ visitors }) => visitors,
}

/** Ids that `nodes` takes. */
const MAX_NODES = 100

function branded<Row extends object>(row: Row, typename: string): Row {
  brandWithType(row, typename as never)
  return row
}

export interface Types {
  Context: Context
  PrismaTypes: PrismaTypes
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
    URL: { Input: string; Output: string }
  }
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  DefaultNodeNullability: false
}

type Builder = PothosSchemaTypes.SchemaBuilder<PothosSchemaTypes.ExtendDefaultTypes<Types>>

export const builder: Builder = new SchemaBuilder<Types>({
  plugins: [RelayPlugin, PrismaPlugin, SimpleObjectsPlugin],
  defaultFieldNullability: false,
  relay: {
    // Our ids tell their type themselves: the same id in REST, webhooks and GraphQL.
    encodeGlobalID: (_typename, id) => String(id),
    decodeGlobalID: (id) => {
      const kind = kindOfId(id)
      return { typename: (kind === undefined ? undefined : NODE_TYPES[kind]) ?? NO_TYPE, id }
    },
    edgesFieldOptions: { nullable: false },
    nodeFieldOptions: { nullable: false },
    nodeQueryOptions: {
      description: 'Any object by its id; null when there is none, or none that you may see.',
      resolve: (_root, { id }, context, _info, load) => {
        context.actor()
        const loader = LOADERS[id.typename]?.(context.loaders)
        if (loader !== undefined) return loader.load(id.id).then((row) => row && branded(row, id.typename))
        return isNode(id) ? load(id) : null
      },
    },
    nodesQueryOptions: {
      description: 'Objects by their ids, at most 100; null in the place of each that there is none of.',
      // Not the given `load`: it ignores its argument and loads the ids as they were sent.
      resolve: (_root, { ids }, context, info) => {
        context.actor()
        if (ids.length > MAX_NODES)
          throw new ValidationError([{ path: 'ids', message: `must have at most ${MAX_NODES} ids` }])
        const known = ids.map((id) => (isNode(id) ? id : null))
        return resolveNodes(builder, context, info, known) as Promise<never[]>
      },
    },
  },
  prisma: { client: (context) => context.deps.db.prisma, dmmf: getDatamodel() },
})

function isNode({ typename }: { typename: string }): boolean {
  return typename !== NO_TYPE
}

builder.queryType({ description: 'Reading.' })
builder.mutationType({ description: 'Changing. Expected failures are part of each result.' })
builder.subscriptionType({ description: 'What happens, as it happens: over graphql-ws or server-sent events.' })
