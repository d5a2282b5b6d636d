import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const OWNER_ONLY = { folder: 0o700, file: 0o600 } as const

/**
 * Makes a folder and everything in it readable by this process's user alone, whatever their modes were; and what this process
 * writes from now on, wherever.
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
