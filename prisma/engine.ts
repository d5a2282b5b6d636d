import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { pglitePool } from '../src/infra/database/embedded/pglite-socket.ts'
import { migrate, readMigrations } from '../src/infra/database/migrations.ts'
import { sqlStatements } from '../src/infra/database/sql-statements.ts'

/** The parts of Prisma's schema engine that are used here (its package has no types for its inner module). */
interface SchemaEngine {
  diff(params: object): Promise<{ exitCode: number; stdout: string | null }>
  applyMigrations(params: object): Promise<{ appliedMigrationNames: string[] }>
}

interface EngineModule {
  SchemaEngine: { new: (options: object, log: (line: string) => void, adapter: object) => Promise<SchemaEngine> }
  __wbg_set_wasm(exports: WebAssembly.Exports): void
}

const schemaPath = fileURLToPath(new URL('./schema.prisma', import.meta.url))
const migrationsPath = fileURLToPath(new URL('./migrations', import.meta.url))
const files = () => [{ path: schemaPath, content: readFileSync(schemaPath, 'utf8') }]
const filters = { externalTables: [], externalEnums: [] }

let loaded: Promise<EngineModule> | undefined

/** Prisma's own schema engine, as WebAssembly: needs no download. One instance serves a process: its glue is global. */
function loadEngine(): Promise<EngineModule> {
  loaded ??= instantiate()
  return loaded
}

async function instantiate(): Promise<EngineModule> {
  const engine: EngineModule = await import('@prisma/schema-engine-wasm/schema_engine_bg' as string)
  // The package does not export the binary itself; it lies beside the module it does export.
  const module = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const wasm = readFileSync(join(dirname(module), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(wasm, {
    './schema_engine_bg.js': engine as unknown as WebAssembly.ModuleImports,
  })
  engine.__wbg_set_wasm(instance.exports)
  const start = instance.exports['__wbindgen_start']
  if (typeof start === 'function') start()
  return engine
}

/** Bound to PGlite by that database's own adapter, because adapter-pg cannot read the catalogue's type "char". */
async function schemaEngine(pglite: PGlite): Promise<SchemaEngine> {
  const engine = await loadEngine()
  const datamodels = files().map(({ path, content }) => [path, content])
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(pglite))
  return engine.SchemaEngine.new({ datamodels }, () => undefined, adapter)
}

/** Runs `use` on an empty embedded database in memory to which this repository's migrations were applied. */
export async function withMigratedDatabase<T>(use: (pglite: PGlite) => Promise<T>): Promise<T> {
  const pglite = await PGlite.create()
  const pool = pglitePool(() => pglite)
  try {
    await migrate(pool)
    return await use(pglite)
  } finally {
    await pool.end()
    await pglite.close()
  }
}

/** Relations of schema.prisma that the database does not enforce: what refers to a removed row is drained after it. */
const NO_FOREIGN_KEY = [
  'deliveries_workspace_id_endpoint_id_fkey',
  'conversations_workspace_id_assignee_id_fkey',
  'conversation_reads_workspace_id_member_id_fkey',
]
const isWanted = (statement: string) => !NO_FOREIGN_KEY.some((name) => statement.includes(`ADD CONSTRAINT "${name}"`))

/** The SQL that leads from the migrated database to schema.prisma; null when they agree. */
export async function schemaDrift(pglite: PGlite): Promise<string | null> {
  const engine = await schemaEngine(pglite)
  const { exitCode, stdout } = await engine.diff({
    from: { tag: 'schemaDatasource', files: files(), configDir: fileURLToPath(new URL('.', import.meta.url)) },
    to: { tag: 'schemaDatamodel', files: files() },
    script: true,
    exitCode: true,
    filters,
  })
  const statements = exitCode === 0 ? [] : sqlStatements(stdout ?? '').filter(isWanted)
  return statements.length === 0 ? null : statements.map((statement) => `${statement};\n`).join('\n')
}

/** What `prisma migrate deploy` would still apply. */
export async function pendingForPrisma(pglite: PGlite): Promise<string[]> {
  const engine = await schemaEngine(pglite)
  const migrationDirectories = readMigrations().map(({ name, sql }) => ({
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
  }))
  const lockfile = {
    path: 'migration_lock.toml',
    content: readFileSync(`${migrationsPath}/migration_lock.toml`, 'utf8'),
  }
  const migrationsList = { baseDir: migrationsPath, lockfile, shadowDbInitScript: '', migrationDirectories }
  const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters })
  return appliedMigrationNames
}
