/**
 * Builds the dashboard into dashboard/dist, with each file compressed beforehand: `npm run build`. With --if-stale it
 * does nothing when dist was built from these very sources; `npm start` runs it that way beside opening the database.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(import.meta.dirname, 'dist')
const SOURCES_FILE = join(DIST, '.sources')
/** What else a build depends on: the packages and the types of the documents. */
const BESIDES = ['package-lock.json', 'schema.cache.json', 'schema.graphql']
const COMPRESSIBLE = /\.(js|css|html|svg|json)$/
/** A smaller file gains nothing worth a second copy. */
const MIN_BYTES = 1024

const sources = await hashSources()
if (!(process.argv.includes('--if-stale') && (await builtFrom()) === sources)) {
  const began = performance.now()
  // Whatever the server runs as: React's development build is three times as large.
  process.env['NODE_ENV'] = 'production'
  const { build } = await import('vite')
  await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), logLevel: 'warn' })
  await compressAll()
  // Written last: a build that was interrupted counts as stale.
  await writeFile(SOURCES_FILE, sources)
  console.log(`The dashboard was built in ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

async function hashSources(): Promise<string> {
  const own = (await filesUnder(import.meta.dirname)).filter((file) => !file.startsWith(DIST))
  const hash = createHash('sha256')
  for (const file of [...own, ...BESIDES.map((name) => join(ROOT, name))].sort()) {
    hash
      .update(relative(ROOT, file))
      .update('\0')
      .update(await readFile(file))
      .update('\0')
  }
  return hash.digest('hex')
}

async function builtFrom(): Promise<string | null> {
  return readFile(SOURCES_FILE, 'utf8').catch(() => null)
}

async function compressAll(): Promise<void> {
  const brotli = promisify(brotliCompress)
  const zip = promisify(gzip)
  const files = (await filesUnder(DIST)).filter((file) => COMPRESSIBLE.test(file))
  await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file)
      if (bytes.length < MIN_BYTES) return
      const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
      await writeFile(`${file}.br`, await brotli(bytes, { params }))
      await writeFile(`${file}.gz`, await zip(bytes, { level: 9 }))
    }),
  )
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
