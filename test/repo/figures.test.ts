import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from '../../src/app.ts'
import { LINK_MS } from '../../src/auth/people.ts'
import { SESSION_DAYS } from '../../src/auth/session-token.ts'
import { ATTEMPT_WINDOW_MS, MAX_ADDRESSES, MAX_ATTEMPTS } from '../../src/auth/sign-in-throttle.ts'
import { RETRY_DELAYS } from '../../src/dispatch/policy/retry.ts'
import { DEADLINE_MS, KEPT_BYTES, MAX_RESPONSE_BYTES } from '../../src/dispatch/send/http-client.ts'
import { VALID_MS } from '../../src/domain/identity/invitations.ts'
import { ANSWER_RETENTION_MS } from '../../src/domain/shared/idempotency.ts'
import { MAX_DEPTH, MAX_JSON_BYTES } from '../../src/domain/shared/input.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../../src/domain/shared/pagination.ts'
import { MAX_OVERLAP_HOURS } from '../../src/domain/webhooks/secret-rotation.ts'
import { MAX_URL_LENGTH } from '../../src/domain/webhooks/webhook-url.ts'
import { EXECUTION_TIMEOUT_MS } from '../../src/graphql/plugins.ts'
import { POINTS_PER_REQUEST } from '../../src/graphql/server.ts'
import { MAX_BODY_BYTES } from '../../src/http/body.ts'
import { readConfig } from '../../src/infra/config.ts'
import { MAX_WAITING_HASHES, PASSWORD_LENGTH } from '../../src/infra/passwords.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const KIB = 1024
const { retention, rateLimits, failuresPerMinute, keepAliveSeconds } = readConfig({})

const root = fileURLToPath(new URL('../../', import.meta.url))
const PAGES = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(`${root}docs`).flatMap(markdown),
  'examples/echo-agent/README.md',
]
const texts = new Map(PAGES.map((page) => [page, readFileSync(root + page, 'utf8').replace(/\s+/g, ' ')]))

/** Figures that the documentation states: what the code says, the words around them, and where they must stand. */
const FIGURES: [name: string, value: number, phrases: RegExp[], pages: string[]][] = [
  [
    'days that deliveries are kept',
    retention.deliveriesDays,
    [/`RETENTION_DELIVERIES_DAYS` \| `(\d+)`/, /attempts are deleted after (\d+) days/],
    ['docs/configuration.md', 'docs/contract.md'],
  ],
  [
    'days that events are kept',
    retention.eventsDays,
    [/`RETENTION_EVENTS_DAYS` \| `(\d+)`/, /after \d+ days, events after (\d+)/],
    ['docs/configuration.md', 'docs/contract.md'],
  ],
  [
    'seconds that an idle connection stays open',
    keepAliveSeconds,
    [/`KEEP_ALIVE_SECONDS` \| `(\d+)`/, /idle connection stays open for (\d+) seconds/],
    ['docs/configuration.md', 'docs/contract.md'],
  ],
  [
    'kB read of a response',
    MAX_RESPONSE_BYTES / KIB,
    [/(\d+) kB(?: of a response)? in all/],
    ['docs/contract.md', 'docs/architecture.md', 'SECURITY.md'],
  ],
  [
    'kB kept of a response',
    KEPT_BYTES / KIB,
    [/first (\d+) kB(?: of the response| kept)/],
    ['docs/contract.md', 'docs/architecture.md'],
  ],
  [
    'seconds that a receiver has',
    DEADLINE_MS / 1000,
    [
      /2xx within (\d+) seconds/,
      /longer than (\d+) seconds is a failure/,
      /one deadline of (\d+) seconds/,
      /GudDesk waits (\d+) seconds/,
    ],
    ['docs/contract.md', 'docs/architecture.md', 'examples/echo-agent/README.md'],
  ],
  ['attempts', RETRY_DELAYS.length + 1, [/\*\*Attempts\.\*\* There are (\d+)/], ['docs/contract.md']],
  [
    'MiB of a request body',
    MAX_BODY_BYTES / KIB ** 2,
    [/(\d+) MiB bodies/, /UTF-8, (\d+) MiB at most/, /body is over (\d+) MiB/, /messages have at most (\d+) MiB/],
    ['docs/contract.md', 'docs/graphql.md', 'SECURITY.md'],
  ],
  [
    'rows of a page',
    DEFAULT_LIMIT,
    [/1 to \d+, default (\d+)/, /counts as (\d+), one above/, /or (\d+) when both are left out/],
    ['docs/contract.md', 'docs/graphql.md'],
  ],
  [
    'rows of a page at most',
    MAX_LIMIT,
    [/1 to (\d+), default/, /`first` and `last` are 1 to (\d+)/, /pages of (\d+)/],
    ['docs/contract.md', 'docs/graphql.md', 'SECURITY.md'],
  ],
  [
    'requests a minute of a key, PRO',
    rateLimits?.PRO ?? 0,
    [/`RATE_LIMIT_PER_MINUTE` \| `(\d+)`/, /may send (\d+) requests a minute/],
    ['docs/configuration.md', 'docs/contract.md'],
  ],
  [
    'requests a minute of a key, FREE',
    rateLimits?.FREE ?? 0,
    [/`RATE_LIMIT_PER_MINUTE_FREE` \| `(\d+)`/, /`PRO`, (\d+) with `FREE`/],
    ['docs/configuration.md', 'docs/contract.md'],
  ],
  [
    'requests a minute of a session',
    rateLimits?.SESSION ?? 0,
    [/`RATE_LIMIT_PER_MINUTE_SESSION` \| `(\d+)`/, /budget of its own, ([\d,]+) requests a minute/],
    ['docs/configuration.md', 'docs/graphql.md'],
  ],
  [
    'failed requests a minute of an address',
    failuresPerMinute,
    [/`RATE_LIMIT_FAILURES_PER_MINUTE` \| `(\d+)`/, /after (\d+) of them in a minute/],
    ['docs/configuration.md', 'docs/contract.md'],
  ],
  [
    'points of cost that count as a request',
    POINTS_PER_REQUEST,
    [/once for each (\d+) points of its cost/],
    ['docs/graphql.md'],
  ],
  [
    'seconds for headers',
    HEADERS_TIMEOUT_MS / 1000,
    [/headers must arrive within (\d+) seconds/],
    ['docs/contract.md'],
  ],
  ['seconds for a request', REQUEST_TIMEOUT_MS / 1000, [/and all of it within (\d+)/], ['docs/contract.md']],
  [
    'seconds for an operation',
    EXECUTION_TIMEOUT_MS / 1000,
    [/took longer than (\d+) seconds/, /mutation gets (\d+) seconds/],
    ['docs/graphql.md'],
  ],
  ['bytes of metadata', MAX_JSON_BYTES, [/objects of at most ([\d,]+) bytes/], ['docs/contract.md']],
  ['levels of metadata', MAX_DEPTH, [/bytes and (\d+) levels/], ['docs/contract.md']],
  [
    'characters of a URL',
    MAX_URL_LENGTH,
    [/URL of at most ([\d,]+)/, /password, and at most ([\d,]+) characters/],
    ['docs/contract.md'],
  ],
  [
    'hours that an answer is repeated',
    ANSWER_RETENTION_MS / HOUR_MS,
    [/For (\d+) hours the same key/],
    ['docs/contract.md'],
  ],
  [
    'hours of an overlap',
    MAX_OVERLAP_HOURS,
    [/0 to (\d+) hours/, /`overlapHours`, 0 to (\d+)/],
    ['docs/contract.md', 'docs/graphql.md'],
  ],
  ['hours of a sign-in link', LINK_MS / HOUR_MS, [/once, within (\d+) hours/], ['docs/authentication.md']],
  ['days of an invitation', VALID_MS / DAY_MS, [/for (\d+) days, until it is accepted/], ['docs/authentication.md']],
  ['days of a session', SESSION_DAYS, [/session ends (\d+) days/], ['docs/authentication.md']],
  ['minutes of tries', ATTEMPT_WINDOW_MS / 60_000, [/Within (\d+) minutes one address/], ['docs/authentication.md']],
  [
    'tries of an address at an account',
    MAX_ATTEMPTS.accountAndAddress,
    [/address has (\d+) tries at one/],
    ['docs/authentication.md'],
  ],
  ['tries of an address', MAX_ATTEMPTS.address, [/account and (\d+) at all/], ['docs/authentication.md']],
  ['tries at an account', MAX_ATTEMPTS.account, [/one account has (\d+) from/], ['docs/authentication.md']],
  ['addresses of a person', MAX_ADDRESSES, [/latest (\d+) such addresses/], ['docs/authentication.md']],
  ['hashes that wait', MAX_WAITING_HASHES, [/when (\d+) wait for that/], ['docs/authentication.md']],
  ['characters of a password', PASSWORD_LENGTH.max, [/10 to (\d+) characters, any/], ['docs/authentication.md']],
]

test.each(FIGURES)('%s: every page says what the code does', (_name, value, phrases, pages) => {
  const stated = phrases.flatMap((phrase) =>
    [...texts].flatMap(([page, text]) =>
      [...text.matchAll(new RegExp(phrase, 'g'))].map(([, digits = '']) => ({
        page,
        figure: Number(digits.replaceAll(',', '')),
      })),
    ),
  )
  expect(stated.filter(({ figure }) => figure !== value)).toEqual([])
  expect([...new Set(stated.map(({ page }) => page))].sort()).toEqual([...pages].sort())
})

function markdown(name: string): string[] {
  return name.endsWith('.md') ? [`docs/${name}`] : []
}
