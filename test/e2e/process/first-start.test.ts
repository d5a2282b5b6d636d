import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, newInstallation, post } from '../../support/child.ts'

let installation: Installation
beforeAll(async () => {
  installation = await newInstallation({ isNew: true })
})
afterAll(() => installation.remove())

test('the process that makes the database reads lists of its own types from it', async () => {
  const child = await installation.start()
  const query =
    'query Open($status: [ConversationStatus!]) { conversations(filter: { statuses: $status }) { totalCount } }'
  const answer = await post(child, '/graphql', { query, variables: { status: ['OPEN', 'SNOOZED'] } })
  expect(answer).toMatchObject({ data: { conversations: { totalCount: 0 } } })
}, 90_000)
