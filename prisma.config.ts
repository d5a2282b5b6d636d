import { defineConfig } from 'prisma/config'

// The schema engine's native binary is only needed for the CLI's `migrate` commands. Naming an existing file keeps
// `prisma generate`, `validate` and `format` from downloading one, so that an install works offline.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
})
