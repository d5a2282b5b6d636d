import SchemaBuilder, { brandWithType } from '@pothos/core'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin, { resolveNodes } from '@pothos/plugin-relay'
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects'
import type { EventType } from '../domain/events/events.ts'
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
  user: 'User',
  session: 'Session',
  invitation: 'Invitation',
}

const NO_TYPE = 'None'

/** The description of every object's `id`. */
export const ID_DESCRIPTION = 'The id of the object, the same in GraphQL, REST and webhooks. Its prefix names the type.'

type NameOf<Type extends string> = Type extends `${infer Noun}.${infer Verb}`
  ? `${Capitalize<Noun>}${Capitalize<Verb>}Event`
  : `${Capitalize<Type>}Event`

/** The object type of a type of event: `MessageCreatedEvent` for `message.created`. */
export function eventTypeName<Type extends EventType>(type: Type): NameOf<Type> {
  const words = type.split('.').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `${words.join('')}Event` as NameOf<Type>
}

type LoadNode = (loaders: Loaders, id: string) => Promise<object | null>

function loadedBy<Row extends object>(
  loaderOf: (loaders: Loaders) => ById<Row>,
  typeOf: (row: Row) => string,
): LoadNode {
  return async (loaders, id) => {
    const row = await loaderOf(loaders).load(id)
    return row && branded(row, typeOf(row))
  }
}

/**
 * How objects are loaded without Prisma, by the type that their ids tell: events, which have many object types, and those
 * that `node` is asked for most. For these, loading through Prisma costs more than the rest of the request.
 */
const LOADERS: Readonly<Record<string, LoadNode | undefined>> = {
  Conversation: loadedBy(
    ({ conversations }) => conversations,
    () => 'Conversation',
  ),
  Visitor: loadedBy(
    ({ visitors }) => visitors,
    () => 'Visitor',
  ),
  Event: loadedBy(
    ({ events }) => events,
    ({ type }) => eventTypeName(type),
  ),
}

/** The maximum of ids in one call of `nodes`. */
const MAX_NODES = 100

function branded<Row extends object>(row: Row, typename: string): Row {
  brandWithType(row, typename as never)
  return row
}

/** A row as the value of a field of the type `Node`. */
export function asNode<Row extends { readonly id: string }>(row: Row): Row {
  const kind = kindOfId(row.id)
  return branded(row, (kind && NODE_TYPES[kind]) ?? NO_TYPE)
}

export interface Types {
  Context: Context
  PrismaTypes: PrismaTypes
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSONObject: { Input: unknown; Output: unknown }
    URL: { Input: string; Output: string }
  }
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  DefaultNodeNullability: false
}

/** What generic helpers around the builder name its types by. */
export type Kinds = PothosSchemaTypes.ExtendDefaultTypes<Types>

type Builder = PothosSchemaTypes.SchemaBuilder<Kinds>

export const builder: Builder = new SchemaBuilder<Types>({
  plugins: [RelayPlugin, PrismaPlugin, SimpleObjectsPlugin],
  defaultFieldNullability: false,
  relay: {
    // Our ids tell their type themselves: the same id in REST, webhooks and GraphQL.
    idFieldOptions: { description: ID_DESCRIPTION },
    nodeTypeOptions: { description: 'An object that `node` and `nodes` return by its id.' },
    pageInfoTypeOptions: { description: 'The position of a page in its list.' },
    encodeGlobalID: (_typename, id) => String(id),
    decodeGlobalID: (id) => {
      const kind = kindOfId(id)
      return { typename: (kind === undefined ? undefined : NODE_TYPES[kind]) ?? NO_TYPE, id }
    },
    edgesFieldOptions: { nullable: false, description: 'The objects of this page, each with its cursor.' },
    nodeFieldOptions: { nullable: false, description: 'The object at this position of the list.' },
    cursorFieldOptions: { description: 'The position of the object, for the arguments `after` and `before`.' },
    pageInfoFieldOptions: { description: 'The position of this page in the list.' },
    hasNextPageFieldOptions: { description: 'Whether the list has objects after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether the list has objects before this page.' },
    startCursorFieldOptions: {
      description: 'The cursor of the first object of this page; null when the page is empty.',
    },
    endCursorFieldOptions: { description: 'The cursor of the last object of this page; null when the page is empty.' },
    nodeQueryOptions: {
      description: 'Any object by its id. Null when the object does not exist or the caller cannot see it.',
      args: { id: { description: 'The id of the object.' } },
      resolve: (_root, { id }, context, _info, load) => {
        context.actor()
        const loadNode = LOADERS[id.typename]
        if (loadNode !== undefined) return loadNode(context.loaders, id.id)
        return isNode(id) ? load(id) : null
      },
    },
    nodesQueryOptions: {
      description:
        'Objects by their ids, at most 100, in the order of the ids. Null in place of each object that does not exist or that the caller cannot see.',
      args: { ids: { description: `The ids of the objects, at most ${MAX_NODES}.` } },
      // Not the given `load`: it ignores its argument and loads the ids as they were sent.
      resolve: async (_root, { ids }, context, info) => {
        context.actor()
        if (ids.length > MAX_NODES)
          throw new ValidationError([{ path: 'ids', message: `must have at most ${MAX_NODES} ids` }])
        const direct = ids.map(({ typename, id }) => LOADERS[typename]?.(context.loaders, id))
        const others = ids.map((id, i) => (isNode(id) && direct[i] === undefined ? id : null))
        const rest = await resolveNodes(builder, context, info, others)
        return (await Promise.all(direct.map((found, i) => found ?? rest[i]))) as never[]
      },
    },
  },
  prisma: { client: (context) => context.deps.db.prisma, dmmf: getDatamodel() },
})

function isNode({ typename }: { typename: string }): boolean {
  return typename !== NO_TYPE
}

builder.queryType({
  description: 'Read operations. A field that was refused is null, and `errors` in the response has the reason.',
})
builder.mutationType({
  description: 'Write operations. Each payload has an `error`, which says why the mutation was refused.',
})
builder.subscriptionType({ description: 'Live updates, over WebSockets (graphql-ws) or server-sent events.' })
