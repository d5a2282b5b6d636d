import { availableParallelism } from 'node:os'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { POSTGRES_PROGRAMS } from './test/support/postgres/programs.ts'
import { isListening, POSTGRES_URL, REDIS_URL } from './test/support/servers.ts'
import { seedOfRun } from './test/support/setup/seed.ts'

const SEED = seedOfRun()
/** As under Node: Vite would give src graphql's ES build beside the libraries' CommonJS one, so two GraphQLErrors. */
const GRAPHQL = { find: /^graphql$/, replacement: 'graphql/index.js' }

/** The whole suite on the embedded default, and what touches data again on PostgreSQL and Redis. */
export default defineConfig(async () => {
  const projects = [project('embedded', ['test/**/*.test.ts']), isolated]
  const missing = await missingServers()
  if (missing.length === 0) {
    projects.push(project('postgres', ['test/{auth,infra,domain,rest,graphql,dispatch,e2e}/**/*.test.ts']))
    if (POSTGRES_PROGRAMS === null) {
      const what = 'NOT RUN: the costs of messages, because the programs of PostgreSQL are not here.'
      if (process.env['CI']) throw new Error(`${what} CI requires them.`)
      warn(`${what} PG_BIN names their folder.`)
    }
  } else {
    const what = `NOT RUN: the suite on PostgreSQL and Redis, because nothing answers at ${missing.join(' and ')}.`
    if (process.env['CI']) throw new Error(`${what} CI requires both.`)
    warn(`${what}\nThe README says how to start both.`)
  }
  return {
    test: {
      projects,
      // An embedded database takes some 0.6 GB: bounded, whatever the machine.
      maxWorkers: Math.min(4, availableParallelism()),
    },
  }
})

/** Tests that replace modules, which the others of their worker would get as well. */
const ISOLATED = 'test/**/*.isolated.test.ts'

/** Tests that start a PostgreSQL server, which needs its programs on this machine. */
const OWN_POSTGRES = 'test/**/*.own-postgres.test.ts'

const isolated: TestProjectInlineConfiguration = {
  resolve: { alias: [GRAPHQL] },
  test: { name: 'isolated', include: [ISOLATED], pool: 'forks', env: { TEST_SEED: SEED } },
}

function project(name: 'embedded' | 'postgres', include: string[]): TestProjectInlineConfiguration {
  return {
    resolve: { alias: [GRAPHQL] },
    test: {
      name,
      include,
      // npm run test:browser, npm run test:faults, npm run test:clients
      exclude: [
        ...['test/browser/**', 'test/clients/**', 'test/faults/**', ISOLATED],
        ...(name === 'postgres' && POSTGRES_PROGRAMS !== null ? [] : [OWN_POSTGRES]),
      ],
      env: { TEST_BACKEND: name, TEST_SEED: SEED },
      globalSetup: [`test/support/setup/setup-${name}.ts`],
      pool: 'forks',
      // Importing the whole server again for each file would take a third of the run.
      isolate: false,
      // A machine that is busy elsewhere may miss a deadline once; the reporter names what had to be repeated.
      retry: process.env['CI'] ? 2 : 0,
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  }
}

function warn(what: string): void {
  console.warn(`\n${'!'.repeat(100)}\n${what}\n${'!'.repeat(100)}\n`)
}

async function missingServers(): Promise<string[]> {
  const answers = await Promise.all(
    [POSTGRES_URL, REDIS_URL].map(async (url) => ((await isListening(url)) ? null : url)),
  )
  return answers.filter((url) => url !== null)
}
