/** `npm run sign-in-link -- EMAIL`: prints a link that signs a person in once, for whoever cannot get in otherwise. */
import { createPeople } from './auth/people.ts'
import { sessionTokens } from './auth/session-token.ts'
import type { Deps } from './domain/deps.ts'
import { openBus } from './infra/bus.ts'
import { systemClock } from './infra/clock.ts'
import { ConfigError, readConfig } from './infra/config.ts'
import { openDatabaseBriefly } from './infra/db.ts'
import { createLog } from './infra/log.ts'
import { createVault, encryptionKey } from './infra/secrets.ts'
import { signInUrl } from './sign-in.ts'

async function main(email: string): Promise<string> {
  const config = readConfig()
  const log = createLog(config.logLevel)
  const db = await openDatabaseBriefly(config).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      `A running server has the embedded database in ${config.dataDir}. Stop it, run this again, and start it anew.`,
    )
  })
  try {
    const vault = createVault(encryptionKey(config), config.previousEncryptionKey)
    const targets = { requireHttps: true, allowLoopback: false }
    const { publicUrl } = config
    const deps: Deps = { publicUrl, db, bus: openBus(undefined, log), clock: systemClock, log, vault, targets }
    const people = createPeople(deps, sessionTokens(config))
    const token = await people.makeLink(email)
    if (token === null) throw new ConfigError(`Nobody here has the address ${email}.`)
    return signInUrl(publicUrl, token)
  } catch (error) {
    if (!isTableMissing(error)) throw error
    throw new ConfigError('This database is empty. Start GudDesk once first.')
  } finally {
    await db.close()
  }
}

function isTableMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'P2021'
}

const email = process.argv[2]?.trim().toLowerCase()
if (!email) {
  console.error('Say for whom: npm run sign-in-link -- ann@example.com')
  process.exit(2)
}
try {
  console.log(`Sign in as ${email} with this link, once, within 24 hours:\n  ${await main(email)}`)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
}
