import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../../src/infra/database/migrations.ts'
import { POSTGRES_URL, withDatabase } from '../servers.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Name of a migrated database that every test file clones. */
    postgresTemplate: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const name = `guddesk_test_${randomBytes(6).toString('hex')}`
  await onServer(`CREATE DATABASE ${name}`)
  const pool = new pg.Pool({ connectionString: withDatabase(POSTGRES_URL, name) })
  await migrate(pool)
  await pool.end()
  project.provide('postgresTemplate', name)
  return () => onServer(`DROP DATABASE ${name} WITH (FORCE)`)
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES_URL })
  await client.connect()
  await client.query(sql)
  await client.end()
}
