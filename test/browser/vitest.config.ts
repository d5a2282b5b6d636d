import { defineConfig } from 'vitest/config'
import { seedOfRun } from '../support/setup/seed.ts'

/** The dashboard as people have it: the built files, the real server, Chromium. `npm run test:browser`. */
export default defineConfig({
  // As under Node: Vite would give src graphql's ES build beside the libraries' CommonJS one, so two GraphQLErrors.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    env: { TEST_BACKEND: 'embedded', TEST_SEED: seedOfRun() },
    globalSetup: ['test/support/setup/setup-embedded.ts', 'test/browser/setup.ts'],
    pool: 'forks',
    // A machine that is busy elsewhere may miss a deadline once; the reporter names what had to be repeated.
    retry: process.env['CI'] ? 2 : 0,
    // Frames are measured: browsers beside each other would steal each other's time.
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
