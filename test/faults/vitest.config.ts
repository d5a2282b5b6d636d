import { defineConfig } from 'vitest/config'
import { seedOfRun } from '../support/setup/seed.ts'

/** What must not lose a webhook: killed processes, servers that go away, receivers that misbehave. `npm run test:faults`. */
export default defineConfig({
  // As under Node: Vite would give src graphql's ES build beside the libraries' CommonJS one, so two GraphQLErrors.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    name: 'faults',
    include: ['test/faults/**/*.test.ts'],
    env: { TEST_BACKEND: 'postgres', TEST_SEED: seedOfRun() },
    globalSetup: ['test/support/setup/setup-postgres.ts', 'test/support/setup/setup-embedded.ts'],
    pool: 'forks',
    // A machine that is busy elsewhere may miss a deadline once; the reporter names what had to be repeated.
    retry: process.env['CI'] ? 2 : 0,
    maxWorkers: 3,
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
})
