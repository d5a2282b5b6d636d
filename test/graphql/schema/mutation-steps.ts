import { afterAll, beforeAll } from 'vitest'
import { graphql, type VariablesOf } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

export let guddesk: TestGudDesk

export const ACTOR = graphql(`{ viewer { permission actor { id displayName } } }`)

export type InputOf<Document> = VariablesOf<Document> extends { input: infer Input } ? Input : never

/** A running server. */
export function useServer(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(async () => {
    await guddesk?.stop()
  })
}
