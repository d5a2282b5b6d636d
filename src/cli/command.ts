import { type Deps, newCounts } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import { systemClock } from '../infra/clock.ts'
import { type Config, ConfigError, readConfig } from '../infra/config.ts'
import { openDatabaseBriefly } from '../infra/database/db.ts'
import { createLog } from '../infra/log.ts'
import { openBus } from '../infra/redis/bus.ts'
import { createVault, encryptionKey } from '../infra/secrets.ts'

/**
 * Runs an operator's command on the database, prints its result, and sets the exit code: 1 when it fails, 2 when its arguments
 * are invalid.
 * @param usage printed when `work` is null: the arguments are invalid
 */
export async function runCommand(
  usage: string,
  work: ((deps: Deps, config: Config) => Promise<string>) | null,
): Promise<void> {
  if (work === null) {
    console.error(usage)
    process.exitCode = 2
    return
  }
  try {
    console.log(await onDatabase(work))
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof DomainError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

async function onDatabase(work: (deps: Deps, config: Config) => Promise<string>): Promise<string> {
  const config = readConfig()
  const log = createLog(config.logLevel)
  const db = await openDatabaseBriefly(config).catch((error: unknown) => {
    if (!(error instanceof ConfigError) || config.databaseUrl !== undefined) throw error
    throw new ConfigError(
      `A running server uses the embedded database in ${config.dataDir}. Stop it, run this command again, then restart it.`,
    )
  })
  try {
    const vault = createVault(encryptionKey(config), config.previousEncryptionKey)
    const targets = { requireHttps: true, allowLoopback: false }
    const { publicUrl, endpointsPerWorkspace } = config
    const signals = { bus: openBus(undefined, log), clock: systemClock, log, counts: newCounts() }
    return await work({ publicUrl, endpointsPerWorkspace, db, vault, targets, ...signals }, config)
  } catch (error) {
    if (!isTableMissing(error)) throw error
    throw new ConfigError(
      'The database is empty, or was created by an older version. Start this version of GudDesk once, then try again.',
    )
  } finally {
    await db.close()
  }
}

/** Recognizes the codes of Prisma and of PostgreSQL. */
function isTableMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['P2021', 'P2022', '42P01', '42703'].includes(String(error.code))
}
