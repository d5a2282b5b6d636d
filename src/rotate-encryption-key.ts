/** `npm run rotate-encryption-key`: seals everything with ENCRYPTION_KEY that ENCRYPTION_KEY_PREVIOUS sealed. See docs/configuration.md. */
import { resealAll } from './domain/reseal.ts'
import { ConfigError, readConfig } from './infra/config.ts'
import { openDatabaseBriefly } from './infra/db.ts'
import { createVault, encryptionKey } from './infra/secrets.ts'

async function main(): Promise<boolean> {
  const config = readConfig()
  if (config.encryptionKey === undefined || config.previousEncryptionKey === undefined) {
    throw new ConfigError('Set ENCRYPTION_KEY to the new key, and ENCRYPTION_KEY_PREVIOUS to the one before.')
  }
  const db = await openDatabaseBriefly(config)
  try {
    const vault = createVault(encryptionKey(config), config.previousEncryptionKey)
    const { resealed, unreadable } = await resealAll({ db, vault })
    console.log(`${resealed} secrets are sealed with the new key now.`)
    if (unreadable.length === 0) {
      console.log('Nothing is left that needs the one before: ENCRYPTION_KEY_PREVIOUS can go.')
      return true
    }
    console.error(`Neither key opens these:\n${unreadable.map((place) => `  ${place}`).join('\n')}`)
    return false
  } finally {
    await db.close()
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exitCode = 1
}
