import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const OWNER_ONLY = { folder: 0o700, file: 0o600 } as const

/**
 * Makes a folder and its content accessible only to the user of this process, and also all files that this process
 * creates from now on.
 */
export function keepPrivate(folder: string): void {
  process.umask(0o077)
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY.folder })
  chmodSync(folder, OWNER_ONLY.folder)
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? OWNER_ONLY.folder : OWNER_ONLY.file)
  }
}
