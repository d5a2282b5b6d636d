import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type Koa from 'koa'
import { pageHeaders } from '../headers.ts'
import { GRAPHQL_PATH } from './paths.ts'

/** The built dashboard: its files by their paths. */
export type Pages = ReadonlyMap<string, PageFile>

interface PageFile {
  readonly type: string
  readonly etag: string
  readonly bytes: Buffer
  /** The same, compressed at build time; omitted for files that compression does not shrink. */
  readonly br?: Buffer
  readonly gzip?: Buffer
}

const FOLDER = fileURLToPath(new URL('../../../dashboard/dist', import.meta.url))
const BUILD_SCRIPT = fileURLToPath(new URL('../../../dashboard/build.ts', import.meta.url))
const INDEX = '/index.html'
/** Vite adds a content hash to these names. */
const HASHED = '/assets/'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/**
 * Builds the dashboard in another process if it is missing or older than its sources.
 * @throws Error when the build fails; its output has been printed
 */
export async function buildPages(): Promise<void> {
  const build = spawn(process.execPath, [BUILD_SCRIPT, '--if-stale'], { stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise<number | null>((resolve, reject) => build.once('error', reject).once('exit', resolve))
  if (code !== 0) throw new Error('The dashboard build failed: run "npm run build" to see why')
}

/** Reads the built dashboard into memory, about 3 MB; null when it was not built. */
export async function readPages(folder = FOLDER): Promise<Pages | null> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const pages = new Map<string, PageFile>()
  for (const name of names) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const [bytes, br, gzip] = await Promise.all([readFile(name), copy(`${name}.br`), copy(`${name}.gz`)])
    const path = `/${relative(folder, name).split(sep).join('/')}`
    pages.set(path, { type, etag: etagOf(bytes), bytes, ...(br && { br }), ...(gzip && { gzip }) })
  }
  return pages.has(INDEX) ? pages : null

  async function copy(name: string): Promise<Buffer | undefined> {
    return names.includes(name) ? readFile(name) : undefined
  }
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`
}

/**
 * The same pages for a deployment for development, which offers what only helps to try things out: the page says so in its
 * `data-mode`, where the dashboard's code reads it.
 */
export function inDevelopment(pages: Pages): Pages {
  const index = pages.get(INDEX)
  if (index === undefined) return pages
  const bytes = Buffer.from(index.bytes.toString().replace('<html ', '<html data-mode="development" '))
  const copies = { br: brotliCompressSync(bytes), gzip: gzipSync(bytes) }
  return new Map([...pages, [INDEX, { type: index.type, etag: etagOf(bytes), bytes, ...copies }]])
}

/**
 * Serves the dashboard: its files at their paths, and its page at all paths that a browser opens and no API uses, so
 * that deep links work. Other paths get the 404 of the API, so that a missing script does not return a page.
 */
export function servePages(pages: Pages | null): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next()
    const file = pages?.get(ctx.path)
    if (file !== undefined && ctx.path !== INDEX) return send(ctx, file)
    if (!isPage(ctx)) return next()
    const index = pages?.get(INDEX)
    if (index === undefined) return sendNotBuilt(ctx)
    send(ctx, index)
  }
}

/** Whether a browser opens a page: it accepts HTML explicitly; programs do not. */
function isPage({ path, headers }: Koa.Context): boolean {
  const isApi = path === '/api' || path.startsWith('/api/') || path === GRAPHQL_PATH || path === '/healthz'
  return !isApi && !path.startsWith(HASHED) && /\btext\/html\b/i.test(headers.accept ?? '')
}

function send(ctx: Koa.Context, file: PageFile): void {
  const isHashed = ctx.path.startsWith(HASHED)
  ctx.set('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  ctx.type = file.type
  if (file.type === TYPES['.html']) setPageHeaders(ctx)
  if (file.br !== undefined || file.gzip !== undefined) ctx.vary('Accept-Encoding')
  // The smallest encoding that the client accepts, in any order.
  const encoding = (['br', 'gzip'] as const).find((name) => file[name] !== undefined && ctx.acceptsEncodings(name))
  ctx.etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding}"`)
  ctx.status = 200
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  if (encoding !== undefined) ctx.set('Content-Encoding', encoding)
  ctx.body = (encoding && file[encoding]) ?? file.bytes
}

function setPageHeaders(ctx: Koa.Context): void {
  ctx.vary('Accept')
  ctx.set(pageHeaders())
}

function sendNotBuilt(ctx: Koa.Context): void {
  setPageHeaders(ctx)
  ctx.set('Cache-Control', 'no-store')
  ctx.status = 503
  ctx.type = 'html'
  ctx.body =
    '<!doctype html><html lang="en"><title>GudDesk</title><h1>The dashboard is not built</h1>' +
    '<p>Run <code>npm run build</code> and start again. The API works.</p></html>\n'
}
