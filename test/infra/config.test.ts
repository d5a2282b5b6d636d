import { expect, test } from 'vitest'
import { sessionTokens } from '../../src/auth/session-token.ts'
import { ConfigError, readConfig } from '../../src/infra/config.ts'
import { parseRange } from '../../src/infra/net/addresses.ts'
import { newApiKey } from '../../src/infra/secrets.ts'

const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://guddesk@db/guddesk',
  REDIS_URL: 'rediss://redis:6379',
  ENCRYPTION_KEY: 'Ab'.repeat(32),
  PUBLIC_URL: 'https://desk.example.com/',
}

/** The names of the variables that the error finds fault with. */
function faults(source: Record<string, string | undefined>): string[] {
  try {
    readConfig(source)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [head, ...lines] = error.message.split('\n')
    expect(head).toBe('The configuration is invalid:')
    // A fault in one item of a list has the item's index behind the name.
    const names = lines.map((line) => /^ {2}(\w+)(?:\.\d+)?: \S/.exec(line)?.[1] ?? line)
    return [...new Set(names)].sort()
  }
  return []
}

test('starts with no variable at all', () => {
  expect(readConfig({})).toEqual({
    env: 'development',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    host: '127.0.0.1',
    port: 3000,
    publicUrl: 'http://localhost:3000',
    dataDir: '.data',
    databaseUrl: undefined,
    redisUrl: undefined,
    encryptionKey: undefined,
    previousEncryptionKey: undefined,
    firstApiKey: undefined,
    webhookAllowedHosts: [],
    webhookAllowedRanges: [],
    rateLimits: { PRO: 600, FREE: 60, SESSION: 3000 },
    failuresPerMinute: 100,
    endpointsPerWorkspace: 100,
    retention: { deliveriesDays: 30, eventsDays: 90 },
    corsOrigins: [],
    connectionsPerAddress: 256,
    keepAliveSeconds: 75,
    roles: new Set(['api', 'dispatcher']),
    logLevel: 'info',
    trustedOrigins: [],
    ownerEmail: 'owner@localhost',
    trustProxy: 0,
    graphqlIntrospection: true,
    graphqlDocuments: undefined,
    mail: null,
  })
})

test('an empty variable counts as unset', () => {
  const names = ['NODE_ENV', 'HOST', 'PORT', 'PUBLIC_URL', 'DATA_DIR', 'DATABASE_URL', 'REDIS_URL', 'ENCRYPTION_KEY']
  names.push(
    'WEBHOOK_ALLOWED_HOSTS',
    'WEBHOOK_ALLOWED_CIDRS',
    'WEBHOOK_ENDPOINTS_PER_WORKSPACE',
    'GUDDESK_API_KEY',
    'GUDDESK_ROLES',
    'LOG_LEVEL',
    'GRAPHQL_INTROSPECTION',
  )
  expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}))
  expect(readConfig(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(readConfig({}))
  expect(faults({ ...PRODUCTION, REDIS_URL: '' })).toEqual(['REDIS_URL'])
})

test('takes what is set', () => {
  const key = newApiKey()
  const config = readConfig({
    ...PRODUCTION,
    HOST: '10.0.0.1',
    PORT: '8080',
    DATA_DIR: '/var/lib/guddesk',
    GUDDESK_API_KEY: key,
    GUDDESK_ROLES: 'api',
    LOG_LEVEL: 'warn',
    GRAPHQL_INTROSPECTION: 'on',
    GRAPHQL_DOCUMENTS: 'dashboard/documents.json',
    TRUSTED_ORIGINS: 'https://a.example.com, http://b.example.com:81',
    GUDDESK_OWNER_EMAIL: 'Ada@example.com',
    TRUST_PROXY: '2',
    ENCRYPTION_KEY_PREVIOUS: 'cd'.repeat(32),
    RATE_LIMIT_PER_MINUTE: '1000',
    CORS_ORIGINS: 'https://tools.example.com, http://localhost:5173',
    CONNECTIONS_PER_ADDRESS: '0',
    KEEP_ALIVE_SECONDS: '620',
    RATE_LIMIT_PER_MINUTE_FREE: '10',
    RATE_LIMIT_PER_MINUTE_SESSION: '500',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0',
    WEBHOOK_ALLOWED_HOSTS: ' Agent.internal, *.agents.corp ,',
    WEBHOOK_ALLOWED_CIDRS: '10.20.0.0/16,fd12::/16',
    SMTP_URL: 'smtp://ann:secret@mail.example.com:587',
    MAIL_FROM: 'GudDesk <desk@example.com>',
    WEBHOOK_ENDPOINTS_PER_WORKSPACE: '20',
    SOMETHING_ELSE: 'ignored',
  })
  expect(config).toEqual({
    env: 'production',
    version: readConfig({}).version,
    host: '10.0.0.1',
    port: 8080,
    publicUrl: 'https://desk.example.com',
    dataDir: '/var/lib/guddesk',
    databaseUrl: PRODUCTION.DATABASE_URL,
    redisUrl: PRODUCTION.REDIS_URL,
    encryptionKey: Buffer.alloc(32, 0xab),
    previousEncryptionKey: Buffer.alloc(32, 0xcd),
    firstApiKey: key,
    webhookAllowedHosts: ['agent.internal', '*.agents.corp'],
    webhookAllowedRanges: [parseRange('10.20.0.0/16'), parseRange('fd12::/16')],
    rateLimits: { PRO: 1000, FREE: 10, SESSION: 500 },
    failuresPerMinute: 0,
    endpointsPerWorkspace: 20,
    retention: { deliveriesDays: 30, eventsDays: 90 },
    corsOrigins: ['https://tools.example.com', 'http://localhost:5173'],
    connectionsPerAddress: 0,
    keepAliveSeconds: 620,
    roles: new Set(['api']),
    logLevel: 'warn',
    trustedOrigins: ['https://a.example.com', 'http://b.example.com:81'],
    ownerEmail: 'ada@example.com',
    trustProxy: 2,
    graphqlIntrospection: true,
    graphqlDocuments: 'dashboard/documents.json',
    mail: { url: 'smtp://ann:secret@mail.example.com:587', from: 'GudDesk <desk@example.com>' },
  })
})

test('RATE_LIMIT_PER_MINUTE=0 switches all budgets off', () => {
  expect(readConfig({ RATE_LIMIT_PER_MINUTE: '0', RATE_LIMIT_PER_MINUTE_FREE: '10' }).rateLimits).toBe(null)
})

test('GraphQL can be introspected outside production, unless the variable says otherwise', () => {
  expect(readConfig({ NODE_ENV: 'test' }).graphqlIntrospection).toBe(true)
  expect(readConfig({ GRAPHQL_INTROSPECTION: 'off' }).graphqlIntrospection).toBe(false)
  expect(readConfig(PRODUCTION).graphqlIntrospection).toBe(false)
})

test('listens on this machine only in development, on every address in production', () => {
  expect(readConfig({ NODE_ENV: 'test' }).host).toBe('127.0.0.1')
  expect(readConfig(PRODUCTION).host).toBe('::')
})

test('the public URL follows the port and has no trailing slash', () => {
  expect(readConfig({ PORT: '4000' }).publicUrl).toBe('http://localhost:4000')
  expect(readConfig({ PUBLIC_URL: 'http://desk.test/base//' }).publicUrl).toBe('http://desk.test/base')
})

test('the public URL is https however it is written', () => {
  const { publicUrl } = readConfig({ ...PRODUCTION, PUBLIC_URL: 'HTTPS://Desk.example.com' })
  expect(publicUrl).toBe('https://desk.example.com')
  expect(sessionTokens(readConfig({ ...PRODUCTION, PUBLIC_URL: 'HTTPS://desk.example.com' })).isSecure).toBe(true)
})

test.each(['http://desk.example.com', 'HTTP://desk.example.com', 'http://localhost:3000'])(
  'production refuses %s, which takes Secure off cookies, unless that is accepted by name',
  (PUBLIC_URL) => {
    expect(faults({ ...PRODUCTION, PUBLIC_URL })).toEqual(['PUBLIC_URL'])
    expect(faults({ ...PRODUCTION, PUBLIC_URL, ALLOW_INSECURE_HTTP: 'false' })).toEqual(['PUBLIC_URL'])
    expect(faults({ ...PRODUCTION, PUBLIC_URL, ALLOW_INSECURE_HTTP: 'true' })).toEqual([])
    expect(faults({ PUBLIC_URL })).toEqual([])
  },
)

test.each(['DATABASE_URL', 'DIRECT_DATABASE_URL'])('%s is a PostgreSQL URL without a schema of its own', (name) => {
  const url = 'postgresql://guddesk@db/guddesk'
  for (const fine of [url, `${url}?schema=public`, `${url}?sslmode=require`]) {
    expect(faults({ ...PRODUCTION, [name]: fine })).toEqual([])
  }
  for (const faulty of [`${url}?schema=theirs`, `${url}?sslmode=require&schema=`, 'mysql://db/guddesk', 'guddesk']) {
    expect(faults({ ...PRODUCTION, [name]: faulty })).toEqual([name])
  }
})

test('the way past a pooler needs the way through it', () => {
  const DIRECT_DATABASE_URL = 'postgresql://guddesk@postgres/guddesk'
  expect(readConfig({ ...PRODUCTION, DIRECT_DATABASE_URL }).directDatabaseUrl).toBe(DIRECT_DATABASE_URL)
  expect(faults({ DIRECT_DATABASE_URL })).toEqual(['DATABASE_URL'])
})

test('mail needs both a server and a sender', () => {
  const SMTP_URL = 'smtps://mail.example.com'
  const MAIL_FROM = 'desk@example.com'
  expect(readConfig({ SMTP_URL, MAIL_FROM }).mail).toEqual({ url: SMTP_URL, from: MAIL_FROM })
  expect(faults({ SMTP_URL })).toEqual(['MAIL_FROM'])
  expect(faults({ MAIL_FROM })).toEqual(['SMTP_URL'])
  expect(faults({ SMTP_URL: 'https://mail.example.com', MAIL_FROM })).toEqual(['SMTP_URL'])
  for (const from of [
    'desk',
    'desk@example.com, x@example.com',
    'A\r\nBcc: x <desk@example.com>',
    '<desk@example.com',
  ]) {
    expect(faults({ SMTP_URL, MAIL_FROM: from })).toEqual(['MAIL_FROM'])
  }
})

test('roles are a list with commas', () => {
  expect(readConfig({ GUDDESK_ROLES: 'dispatcher' }).roles).toEqual(new Set(['dispatcher']))
  expect(readConfig({ GUDDESK_ROLES: ' api , dispatcher ' }).roles).toEqual(new Set(['api', 'dispatcher']))
})

test.each([
  ['ENCRYPTION_KEY_PREVIOUS', 'short'],
  ['RATE_LIMIT_PER_MINUTE', '-1'],
  ['CORS_ORIGINS', '*'],
  ['CORS_ORIGINS', 'https://tools.example.com/'],
  ['CONNECTIONS_PER_ADDRESS', '-1'],
  ['KEEP_ALIVE_SECONDS', '0'],
  ['KEEP_ALIVE_SECONDS', '1h'],
  ['RATE_LIMIT_PER_MINUTE', 'none'],
  ['RATE_LIMIT_PER_MINUTE_FREE', '0'],
  ['RATE_LIMIT_PER_MINUTE_SESSION', '0'],
  ['RATE_LIMIT_FAILURES_PER_MINUTE', '-1'],
  ['WEBHOOK_ALLOWED_HOSTS', 'https://agent.internal'],
  ['WEBHOOK_ALLOWED_HOSTS', '10.0.0.1'],
  ['WEBHOOK_ALLOWED_HOSTS', '*'],
  ['WEBHOOK_ENDPOINTS_PER_WORKSPACE', '0'],
  ['WEBHOOK_ALLOWED_CIDRS', '10.0.0.1'],
  ['WEBHOOK_ALLOWED_CIDRS', '10.0.0.0/33'],
  ['WEBHOOK_ALLOWED_CIDRS', 'fd12::/16,agents'],
  ['NODE_ENV', 'prod'],
  ['HOST', ' '],
  ['PORT', 'http'],
  ['PORT', '-1'],
  ['PORT', '65536'],
  ['PORT', '80.5'],
  ['PUBLIC_URL', 'desk.example.com'],
  ['PUBLIC_URL', 'ftp://desk.example.com'],
  ['DATA_DIR', ' '],
  ['DATABASE_URL', 'mysql://db/guddesk'],
  ['DATABASE_URL', 'db/guddesk'],
  ['REDIS_URL', 'http://redis:6379'],
  ['ENCRYPTION_KEY', 'ab'.repeat(31)],
  ['ENCRYPTION_KEY', 'xy'.repeat(32)],
  ['GUDDESK_API_KEY', 'gd_short'],
  ['GUDDESK_API_KEY', `${newApiKey()}\n`],
  ['GUDDESK_ROLES', 'api,web'],
  ['GUDDESK_ROLES', ','],
  ['LOG_LEVEL', 'verbose'],
  ['TRUSTED_ORIGINS', 'desk.example.com'],
  ['TRUSTED_ORIGINS', 'https://desk.example.com/path'],
  ['GUDDESK_OWNER_EMAIL', 'ada'],
  ['TRUST_PROXY', 'yes'],
  ['TRUST_PROXY', '-1'],
  ['GRAPHQL_INTROSPECTION', 'true'],
  ['ALLOW_INSECURE_HTTP', 'yes'],
])('refuses %s=%j', (name, value) => {
  expect(faults({ [name]: value })).toEqual([name])
})

test('names all faults at once', () => {
  const source = { PORT: 'x', DATABASE_URL: 'x', REDIS_URL: 'x', ENCRYPTION_KEY: 'x', GUDDESK_API_KEY: 'x' }
  expect(faults({ ...source, LOG_LEVEL: 'x' })).toEqual([...Object.keys(source), 'LOG_LEVEL'].sort())
})

test('does not print the secrets that it refuses', () => {
  const secrets = { ENCRYPTION_KEY: `${'5ec7e7'.repeat(8)}!`, GUDDESK_API_KEY: 'gd_almost-a-key' }
  expect(() => readConfig(secrets)).toThrow(ConfigError)
  for (const secret of Object.values(secrets)) {
    expect(() => readConfig(secrets)).not.toThrow(secret)
  }
})

test('production names everything that it needs', () => {
  expect(faults({ NODE_ENV: 'production' })).toEqual(['DATABASE_URL', 'ENCRYPTION_KEY', 'PUBLIC_URL', 'REDIS_URL'])
  expect(faults(PRODUCTION)).toEqual([])
})

test.each(['DATABASE_URL', 'REDIS_URL', 'ENCRYPTION_KEY', 'PUBLIC_URL'])(
  'production does not do without %s',
  (name) => {
    expect(faults({ ...PRODUCTION, [name]: undefined })).toEqual([name])
  },
)

test('production names what is missing and what is wrong in one message', () => {
  const { REDIS_URL: _, ...rest } = PRODUCTION
  expect(faults({ ...rest, PORT: 'x' })).toEqual(['PORT', 'REDIS_URL'])
})
