/** `npm run migrate:new NAME`: writes the migration that leads from the landed ones to schema.prisma, for you to read. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { schemaDrift, withMigratedDatabase } from './engine.ts'

const name = process.argv[2]
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Name the migration in lower case: npm run migrate:new add_agent_icon')
  process.exit(2)
}
const sql = await withMigratedDatabase(schemaDrift)
if (sql === null) {
  console.log('schema.prisma and the migrations agree: nothing to write')
  process.exit(0)
}
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
const folder = fileURLToPath(new URL(`./migrations/${stamp}_${name}`, import.meta.url))
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}/migration.sql`, sql)
console.log(
  `Wrote ${folder}/migration.sql. Read it, add the CHECK constraints that Prisma cannot express, and commit it.`,
)
