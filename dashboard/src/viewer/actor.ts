import { graphql } from '../api/graphql.ts'

/** Whoever wrote, typed, changed something or is assigned. */
export const ActorFields = graphql(`
  fragment ActorFields on Actor {
    __typename
    id
    displayName
  }
`)

const KINDS: Readonly<Record<string, string>> = { key: 'API key', agt: 'AI agent', system: 'System' }

/** What an actor is, by the prefix of the id, which one that is gone has too; null for people. */
export function actorKind({ id }: { readonly id: string }): string | null {
  return KINDS[id.split('_')[0] ?? ''] ?? null
}

export function isAgent(actor: { readonly id: string } | null): boolean {
  return actor !== null && actorKind(actor) === KINDS['agt']
}
