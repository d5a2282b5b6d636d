import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Exceptions, judge, Report } from '../../audit/judge.ts'

const advisory = {
  source: 1,
  name: 'left',
  title: 'Left reads right',
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
  severity: 'high',
  range: '<2',
}
const report = Report.parse({ vulnerabilities: { left: { via: [advisory] }, right: { via: ['left'] } } })
const exception = { id: 'GHSA-aaaa-bbbb-cccc', reason: 'Only reached by input of our own.', until: '2026-06-30' }

test('a finding is told once, with its advisory', () => {
  const findings = ['GHSA-aaaa-bbbb-cccc high in left: Left reads right']
  expect(judge(report, [], '2026-01-01')).toEqual({ kind: 'vulnerable', findings })
})

test('an accepted one is none, until its day has passed', () => {
  expect(judge(report, [exception], '2026-06-30')).toEqual({ kind: 'clean', accepted: [exception.id] })
  expect(judge(report, [exception], '2026-07-01').kind).toBe('vulnerable')
  expect(judge(report, [{ ...exception, id: 'GHSA-xxxx-yyyy-zzzz' }], '2026-01-01').kind).toBe('vulnerable')
})

test('no findings are clean; a registry without an audit knows nothing', () => {
  expect(judge(Report.parse({ vulnerabilities: {} }), [], '2026-01-01')).toEqual({ kind: 'clean', accepted: [] })
  const refused = Report.parse({ message: '405 Method Not Allowed', statusCode: 405 })
  expect(judge(refused, [], '2026-01-01')).toEqual({ kind: 'unknown', why: '405 Method Not Allowed' })
})

test('the written exceptions have a reason and an end', () => {
  const text = readFileSync(new URL('../../audit/exceptions.json', import.meta.url), 'utf8')
  expect(Exceptions.safeParse(JSON.parse(text)).success).toBe(true)
  expect(Exceptions.safeParse([{ ...exception, reason: '' }]).success).toBe(false)
})
