import { z } from 'zod'

/** A finding that is accepted for a time, in writing. */
export const Exceptions = z.array(
  z.object({
    /** The advisory, as GitHub names it. */
    id: z.string().regex(/^GHSA(-[0-9a-z]{4}){3}$/),
    /** Why it does no harm here. */
    reason: z.string().min(20),
    /** The last day on which it is accepted. */
    until: z.iso.date(),
  }),
)

const Advisory = z.object({ url: z.string(), title: z.string(), severity: z.string(), name: z.string() })

/** What `npm audit --json` prints: findings by package, or why there are none. */
export const Report = z.union([
  z.object({
    vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), Advisory])) })),
  }),
  z.object({ message: z.string() }),
])

export type Verdict =
  | { kind: 'clean'; accepted: string[] }
  | { kind: 'vulnerable'; findings: string[] }
  /** The registry was not asked, or did not answer: nothing is known. */
  | { kind: 'unknown'; why: string }

/** @param today as 2026-01-31 */
export function judge(
  report: z.output<typeof Report>,
  exceptions: z.output<typeof Exceptions>,
  today: string,
): Verdict {
  if (!('vulnerabilities' in report)) return { kind: 'unknown', why: report.message }
  const advisories = Object.values(report.vulnerabilities).flatMap(({ via }) =>
    via.filter((cause) => typeof cause !== 'string'),
  )
  const found = new Map(advisories.map((advisory) => [advisory.url.split('/').at(-1) ?? advisory.url, advisory]))
  const valid = new Set(exceptions.filter(({ until }) => until >= today).map(({ id }) => id))
  const findings = [...found].filter(([id]) => !valid.has(id))
  if (findings.length === 0) return { kind: 'clean', accepted: [...found.keys()] }
  return {
    kind: 'vulnerable',
    findings: findings.map(([id, { name, severity, title }]) => `${id} ${severity} in ${name}: ${title}`),
  }
}
