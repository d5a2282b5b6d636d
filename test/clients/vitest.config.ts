import { defineConfig } from 'vitest/config'
import { seedOfRun } from '../support/setup/seed.ts'

/** Other people's tools on the GraphQL schema, and the example client in Chromium. `npm run test:clients`. */
export default defineConfig({
  // As under Node: Vite would give src graphql's ES build beside the libraries' CommonJS one, so two GraphQLErrors.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    name: 'clients',
    include: ['test/clients/*.test.ts'],
    env: { TEST_BACKEND: 'embedded', TEST_SEED: seedOfRun() },
    globalSetup: ['test/support/setup/setup-embedded.ts', 'test/clients/setup.ts'],
    pool: 'forks',
    retry: process.env['CI'] ? 2 : 0,
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
