/** Writes schema.graphql from the code: `npm run generate:sdl`. With --check, fails when the file is not what it would write. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from './src/resolvers/index.ts'

const path = fileURLToPath(new URL('./schema.graphql', import.meta.url))
const sdl = `# The GraphQL API, sorted. Written by codegen.ts: change src/schema and src/resolvers, then run npm run generate.\n\n${printSchema(lexicographicSortSchema(schema))}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== sdl) {
    console.error('schema.graphql is not what the code says: run "npm run generate" and read the difference.')
    process.exit(1)
  }
} else {
  writeFileSync(path, sdl)
}
