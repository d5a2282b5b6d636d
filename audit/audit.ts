/**
 * `npm run audit`: known vulnerabilities of what runs in production. Ends with 0 when there are none but those accepted in
 * exceptions.json, with 1 when there are, and with 2 when the registry could not say.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Exceptions, judge, Report } from './judge.ts'

const exceptions = Exceptions.parse(JSON.parse(readFileSync(new URL('./exceptions.json', import.meta.url), 'utf8')))
const { stdout, stderr } = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], { encoding: 'utf8' })
const report = Report.safeParse(parsed(stdout))
const said = report.success ? report.data : { message: stderr.trim() || 'npm audit printed nothing' }
const verdict = judge(said, exceptions, new Date().toISOString().slice(0, 10))

if (verdict.kind === 'unknown') {
  console.error(
    `NOT CHECKED: this registry offers no audit (${verdict.why}). Run it where the public registry answers.`,
  )
  process.exitCode = 2
} else if (verdict.kind === 'vulnerable') {
  console.error(`Vulnerable:\n${verdict.findings.map((finding) => `  ${finding}`).join('\n')}`)
  console.error('Update the package, or accept it in audit/exceptions.json: id, reason, until.')
  process.exitCode = 1
} else {
  const accepted = verdict.accepted.length === 0 ? '' : ` (accepted: ${verdict.accepted.join(', ')})`
  console.log(`No known vulnerabilities in what runs in production${accepted}.`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
