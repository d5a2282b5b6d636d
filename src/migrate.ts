/** `npm run migrate`: applies what is missing and exits. The server does the same at start. */
import { readConfig } from './infra/config.ts'
import { openDatabase } from './infra/db.ts'
import { createLog } from './infra/log.ts'
import { migrate } from './infra/migrations.ts'

const config = readConfig()
const db = await openDatabase(config, createLog(config.logLevel))
const applied = await migrate(db.pool)
console.log(applied.length === 0 ? 'Nothing to migrate.' : `Applied: ${applied.join(', ')}`)
await db.close()
