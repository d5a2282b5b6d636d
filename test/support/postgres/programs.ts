import { globSync } from 'node:fs'

/** The folder of PostgreSQL's programs: PG_BIN, or where Debian installs its newest version. Null: they are not on this machine. */
export const POSTGRES_PROGRAMS = process.env['PG_BIN'] ?? newestOfDebian()

function newestOfDebian(): string | null {
  const folders = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return folders.at(-1) ?? null
}
