import { copyFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { EXAMPLE, run, SCHEMA, TOOLS } from './run.ts'

/** A folder of its own within the tools' folder, so that their packages are found from it. */
async function copyOf(name: string): Promise<string> {
  const folder = await mkdtemp(join(TOOLS, `.${name}-`))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await cp(join(TOOLS, name), folder, { recursive: true })
  return folder
}

test('GraphQL Code Generator makes types for which the example client compiles, strictly', async () => {
  await run(EXAMPLE, 'npm', ['run', 'build'])
})

test("Relay's compiler takes connections both ways, fragments on interfaces and refetchable fragments", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-relay-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await cp(join(TOOLS, 'relay'), join(folder, 'relay'), { recursive: true })
  await cp(SCHEMA, join(folder, 'schema.graphql'))
  const output = await run(folder, join(TOOLS, 'node_modules', '.bin', 'relay-compiler'), ['relay/relay.config.json'])
  expect(output).toContain('Compilation completed')
  expect(output).not.toMatch(/warning/i)
})

test('gql.tada infers the types of queries, variables and refusals', async () => {
  const folder = await copyOf('tada')
  await run(folder, 'npx', ['gql.tada', 'generate-output', '--tsconfig', join(folder, 'tsconfig.json')])
  await run(folder, 'npx', ['tsc', '-p', folder])
})

test("graphql-eslint's recommended rules for schemas hold, apart from the exceptions in eslint.config.js", async () => {
  // ESLint reads no file outside of its folder.
  await mkdir(join(TOOLS, 'generated'), { recursive: true })
  await copyFile(SCHEMA, join(TOOLS, 'generated', 'schema.graphql'))
  await run(TOOLS, 'eslint', ['--max-warnings', '0', 'generated/schema.graphql'])
})
