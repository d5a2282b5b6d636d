import { typeid } from 'typeid-js'

/** All kinds of public ids. The prefix names the type, in REST, webhooks and GraphQL. */
export const ID_PREFIXES = {
  workspace: 'ws',
  user: 'usr',
  member: 'mem',
  visitor: 'vis',
  conversation: 'conv',
  message: 'msg',
  agent: 'agt',
  webhookEndpoint: 'whk',
  apiKey: 'key',
  event: 'evt',
  delivery: 'dlv',
  article: 'art',
  collection: 'col',
  auditEntry: 'aud',
  account: 'acc',
  session: 'ses',
  verification: 'ver',
  invitation: 'inv',
} as const

export type IdKind = keyof typeof ID_PREFIXES

const kinds = new Map<string, IdKind>(Object.entries(ID_PREFIXES).map(([kind, prefix]) => [prefix, kind as IdKind]))

/** A new TypeID (https://github.com/jetify-com/typeid): prefix and UUIDv7 in base32, sortable by time. */
export function newId(kind: IdKind): string {
  return typeid(ID_PREFIXES[kind]).toString()
}

/** The kind of an id by its prefix; undefined for an invalid id. */
export function kindOfId(id: string): IdKind | undefined {
  const match = /^([a-z]{2,4})_[0-9a-z]{26}$/.exec(id)
  return match?.[1] === undefined ? undefined : kinds.get(match[1])
}
