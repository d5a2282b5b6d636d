import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { normalizeEmail } from './email-address.ts'
import { parseRange, type Range } from './net/addresses.ts'

export type Role = 'api' | 'dispatcher'

/** The configuration from environment variables, read once at start. */
export interface Config {
  readonly env: 'development' | 'production' | 'test'
  readonly version: string
  readonly host: string
  readonly port: number
  /** The public URL of this deployment, without a trailing slash. */
  readonly publicUrl: string
  /** The folder of the embedded database and of generated keys. */
  readonly dataDir: string
  /** PostgreSQL; undefined: the embedded database in dataDir. */
  readonly databaseUrl: string | undefined
  /** The same database without the pooler of databaseUrl; undefined: no pooler in transaction mode. */
  readonly directDatabaseUrl: string | undefined
  /** Redis; undefined: a single process. */
  readonly redisUrl: string | undefined
  /** The 32-byte key that encrypts webhook secrets; undefined: a key file in dataDir. */
  readonly encryptionKey: Buffer | undefined
  /** The previous encryption key: only decrypts, during a rotation. */
  readonly previousEncryptionKey: Buffer | undefined
  /** The first API key of an empty database. */
  readonly firstApiKey: string | undefined
  /** Host names and address ranges of webhooks that are allowed although they are not public. */
  readonly webhookAllowedHosts: readonly string[]
  readonly webhookAllowedRanges: readonly Range[]
  /** Requests per minute of an API key, by the plan of the workspace, and of a person's session; null: no limit. */
  readonly rateLimits: { readonly PRO: number; readonly FREE: number; readonly SESSION: number } | null
  /** Requests with missing or wrong credentials per minute from one address; 0: no limit. */
  readonly failuresPerMinute: number
  readonly roles: ReadonlySet<Role>
  readonly logLevel: string
  /** Other origins whose pages can use the cookie of a signed-in person, besides publicUrl. */
  readonly trustedOrigins: readonly string[]
  /** The email address of the first owner in an empty database. */
  readonly ownerEmail: string
  /** Origins whose pages can call the API with a key. */
  readonly corsOrigins: readonly string[]
  /** The maximum number of connections from one public address; 0: no limit. */
  readonly connectionsPerAddress: number
  /** The time that an idle HTTP connection stays open. */
  readonly keepAliveSeconds: number
  /** The maximum number of webhook endpoints in a workspace. */
  readonly endpointsPerWorkspace: number
  /** The time that finished deliveries and events are kept. */
  readonly retention: { readonly deliveriesDays: number; readonly eventsDays: number }
  /** The number of trusted proxies, each of which adds to X-Forwarded-For. */
  readonly trustProxy: number
  /** Whether GraphQL has introspection and GraphiQL. */
  readonly graphqlIntrospection: boolean
  /** A manifest of the only allowed GraphQL documents; undefined: all documents. */
  readonly graphqlDocuments: string | undefined
  /** The mail server and the sender of mails; null: no mails. */
  readonly mail: { readonly url: string; readonly from: string } | null
  /** The token for /metrics; undefined: the path does not exist. */
  readonly metricsToken: string | undefined
}

export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** The shape of an API key: `gd_` and 43 base64url characters (32 random bytes). */
export const API_KEY_PATTERN = /^gd_[A-Za-z0-9_-]{43}$/

const text = z.string().trim().min(1)
const roles = z
  .string()
  .transform((value) => value.split(',').map((role) => role.trim()))
  .pipe(z.array(z.enum(['api', 'dispatcher'])).min(1))

const isOrigin = (value: string) =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).origin === value
const origins = z
  .string()
  .transform((value) => value.split(',').map((origin) => origin.trim()))
  .pipe(z.array(z.string().refine(isOrigin, 'must be origins such as https://desk.example.com, separated by commas')))

const count = z.coerce.number('must be a whole number').int().min(0).max(1_000_000_000)

/** Comma-separated values, trimmed. */
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== ''),
)
const hosts = list.refine(
  (names) => names.every((name) => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) && !/(^|\.)\d+$/.test(name)),
  'must be host names separated by commas, such as agent.internal,*.agents.internal',
)
const ranges = list.transform((texts, issues): Range[] => {
  try {
    return texts.map(parseRange)
  } catch {
    issues.addIssue({ code: 'custom', message: 'must be address ranges separated by commas, such as 10.20.0.0/16' })
    return z.NEVER
  }
})

const key = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be 32 bytes as 64 hex characters (openssl rand -hex 32 makes one)')
  .transform((hex) => Buffer.from(hex, 'hex'))

/** An address, or a name and an address in angle brackets. */
const FROM = /^(?:[^\s<>@]+@[^\s<>@]+|[^<>@\r\n]+ <[^\s<>@]+@[^\s<>@]+>)$/
const OWNER_EMAIL = 'owner@localhost'
const ownerEmail = z.string().transform((value, issues) => {
  const address = value.toLowerCase() === OWNER_EMAIL ? OWNER_EMAIL : normalizeEmail(value)
  if (address !== null) return address
  issues.addIssue({ code: 'custom', message: 'must be an email address' })
  return z.NEVER
})

const postgresUrl = z
  .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' })
  .refine((url) => (new URL(url).searchParams.get('schema') ?? 'public') === 'public', {
    error: 'must not set a schema: GudDesk uses the schema "public". Use a separate database',
    when: ({ issues }) => issues.length === 0,
  })

const Environment = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  HOST: text.optional(),
  PORT: z.coerce.number('must be a whole number').int().min(0).max(65_535).default(3000),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATA_DIR: text.default('.data'),
  DATABASE_URL: postgresUrl.optional(),
  DIRECT_DATABASE_URL: postgresUrl.optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' }).optional(),
  ENCRYPTION_KEY: key.optional(),
  ENCRYPTION_KEY_PREVIOUS: key.optional(),
  GUDDESK_API_KEY: z
    .string()
    .regex(API_KEY_PATTERN, 'must be gd_ and 43 base64url characters (32 random bytes)')
    .optional(),
  WEBHOOK_ALLOWED_HOSTS: hosts.default([]),
  WEBHOOK_ALLOWED_CIDRS: ranges.default([]),
  WEBHOOK_ENDPOINTS_PER_WORKSPACE: count.min(1).default(100),
  RATE_LIMIT_PER_MINUTE: count.default(600),
  RATE_LIMIT_PER_MINUTE_FREE: limit(60),
  RATE_LIMIT_PER_MINUTE_SESSION: limit(3000),
  RATE_LIMIT_FAILURES_PER_MINUTE: count.default(100),
  GUDDESK_ROLES: roles.default(['api', 'dispatcher']),
  RETENTION_DELIVERIES_DAYS: days(30),
  RETENTION_EVENTS_DAYS: days(90),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  TRUSTED_ORIGINS: origins.default([]),
  GUDDESK_OWNER_EMAIL: ownerEmail.default(OWNER_EMAIL),
  CORS_ORIGINS: origins.default([]),
  CONNECTIONS_PER_ADDRESS: count.default(256),
  KEEP_ALIVE_SECONDS: z.coerce.number('must be a whole number of seconds').int().min(1).max(3600).default(75),
  TRUST_PROXY: z.coerce.number('must be a whole number').int().min(0).max(10).default(0),
  GRAPHQL_INTROSPECTION: z.enum(['on', 'off']).optional(),
  GRAPHQL_DOCUMENTS: text.optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' }).optional(),
  MAIL_FROM: z
    .string()
    .regex(FROM, 'must be an address, or Name <address>, such as GudDesk <desk@example.com>')
    .optional(),
  ALLOW_INSECURE_HTTP: z.enum(['true', 'false']).default('false'),
  METRICS_TOKEN: text.min(16, 'must have at least 16 characters (openssl rand -hex 32 makes some)').optional(),
})

function limit(byDefault: number) {
  return count.min(1, 'must be at least 1; RATE_LIMIT_PER_MINUTE=0 switches these limits off').default(byDefault)
}

function days(byDefault: number) {
  return z.coerce.number('must be a whole number of days').int().min(1).max(36_500).default(byDefault)
}

const NEEDED_IN_PRODUCTION = ['DATABASE_URL', 'REDIS_URL', 'ENCRYPTION_KEY', 'PUBLIC_URL'] as const

/**
 * Reads the configuration. Empty variables count as unset.
 * @throws ConfigError that names all invalid variables at once
 */
export function readConfig(source: Record<string, string | undefined> = process.env): Config {
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(present)
  const faults = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const isProduction = present['NODE_ENV'] === 'production'
  const missing = isProduction ? NEEDED_IN_PRODUCTION.filter((name) => !(name in present)) : []
  faults.push(...missing.map((name) => `${name}: must be set when NODE_ENV is production`))
  if (isProduction && /^http:/i.test(present['PUBLIC_URL'] ?? '') && present['ALLOW_INSECURE_HTTP'] !== 'true') {
    faults.push(
      'PUBLIC_URL: must be https when NODE_ENV is production, or else passwords and cookies travel in the open; ' +
        'ALLOW_INSECURE_HTTP=true accepts that',
    )
  }
  if ('DIRECT_DATABASE_URL' in present && !('DATABASE_URL' in present)) {
    faults.push(
      'DATABASE_URL: must be set, too: DIRECT_DATABASE_URL is the way to the same database without its pooler',
    )
  }
  if ('SMTP_URL' in present !== 'MAIL_FROM' in present) {
    faults.push(
      `${'SMTP_URL' in present ? 'MAIL_FROM' : 'SMTP_URL'}: must be set, too: mails need a server and a sender`,
    )
  }
  if (!parsed.success || faults.length > 0) {
    throw new ConfigError(`The configuration is invalid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  }
  const env = parsed.data
  return {
    env: env.NODE_ENV,
    version: packageVersion(),
    host: env.HOST ?? (env.NODE_ENV === 'production' ? '::' : '127.0.0.1'),
    port: env.PORT,
    // Schemes ignore case: HTTPS:// equals https://.
    publicUrl: new URL(env.PUBLIC_URL ?? `http://localhost:${env.PORT}`).href.replace(/\/+$/, ''),
    dataDir: env.DATA_DIR,
    databaseUrl: env.DATABASE_URL,
    directDatabaseUrl: env.DIRECT_DATABASE_URL,
    redisUrl: env.REDIS_URL,
    encryptionKey: env.ENCRYPTION_KEY,
    previousEncryptionKey: env.ENCRYPTION_KEY_PREVIOUS,
    firstApiKey: env.GUDDESK_API_KEY,
    webhookAllowedHosts: env.WEBHOOK_ALLOWED_HOSTS,
    webhookAllowedRanges: env.WEBHOOK_ALLOWED_CIDRS,
    rateLimits:
      env.RATE_LIMIT_PER_MINUTE === 0
        ? null
        : {
            PRO: env.RATE_LIMIT_PER_MINUTE,
            FREE: env.RATE_LIMIT_PER_MINUTE_FREE,
            SESSION: env.RATE_LIMIT_PER_MINUTE_SESSION,
          },
    failuresPerMinute: env.RATE_LIMIT_FAILURES_PER_MINUTE,
    roles: new Set(env.GUDDESK_ROLES),
    logLevel: env.LOG_LEVEL,
    trustedOrigins: env.TRUSTED_ORIGINS,
    ownerEmail: env.GUDDESK_OWNER_EMAIL,
    corsOrigins: env.CORS_ORIGINS,
    connectionsPerAddress: env.CONNECTIONS_PER_ADDRESS,
    keepAliveSeconds: env.KEEP_ALIVE_SECONDS,
    endpointsPerWorkspace: env.WEBHOOK_ENDPOINTS_PER_WORKSPACE,
    retention: { deliveriesDays: env.RETENTION_DELIVERIES_DAYS, eventsDays: env.RETENTION_EVENTS_DAYS },
    trustProxy: env.TRUST_PROXY,
    graphqlIntrospection: (env.GRAPHQL_INTROSPECTION ?? (env.NODE_ENV === 'production' ? 'off' : 'on')) === 'on',
    graphqlDocuments: env.GRAPHQL_DOCUMENTS,
    mail: env.SMTP_URL === undefined || env.MAIL_FROM === undefined ? null : { url: env.SMTP_URL, from: env.MAIL_FROM },
    metricsToken: env.METRICS_TOKEN,
  }
}

/** The version in package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}
