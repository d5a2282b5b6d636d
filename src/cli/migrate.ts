/** `npm run migrate`: applies missing migrations and exits. The server does the same at start. */
import { ConfigError, readConfig } from '../infra/config.ts'
import { openDatabase } from '../infra/database/db.ts'
import { migrate } from '../infra/database/migrations.ts'
import { createLog } from '../infra/log.ts'

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.logLevel)
  const db = await openDatabase(config, log)
  try {
    const applied = await migrate(db.direct, undefined, { log })
    console.log(applied.length === 0 ? 'No migrations to apply.' : `Applied: ${applied.join(', ')}`)
  } finally {
    await db.close()
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exitCode = 1
}
