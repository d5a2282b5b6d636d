/**
 * `npm run rotate-encryption-key`: seals everything with ENCRYPTION_KEY that ENCRYPTION_KEY_PREVIOUS sealed, until no node
 * seals with another key. See docs/configuration.md.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Node, nodesWithOtherKeys } from '../domain/maintenance/nodes.ts'
import { reencryptAll } from '../domain/maintenance/reencrypt.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { ConfigError } from '../infra/config.ts'
import { runCommand } from './command.ts'

const WAIT_S = 600
const LOOK_EVERY_MS = 1000

const waitSeconds = readWait(process.argv.slice(2))

await runCommand(
  'Pass how many seconds to wait for nodes that use another key: npm run rotate-encryption-key -- --wait 600',
  waitSeconds === null
    ? null
    : async (deps, config) => {
        if (config.encryptionKey === undefined || config.previousEncryptionKey === undefined) {
          throw new ConfigError('Set ENCRYPTION_KEY to the new key, and ENCRYPTION_KEY_PREVIOUS to the previous key.')
        }
        return rotate(deps, waitSeconds)
      },
)

/** @returns null when that is no number of seconds */
function readWait([option, seconds = '', ...more]: readonly string[]): number | null {
  if (option === undefined) return WAIT_S
  return option === '--wait' && /^\d{1,6}$/.test(seconds) && more.length === 0 ? Number(seconds) : null
}

async function rotate(deps: Deps, waitSeconds: number): Promise<string> {
  // Looked for before each pass: what a node sealed until it was gone is there when the pass begins.
  const before = await nodesWithOtherKeys(deps)
  let unreadable = await reseal(deps)
  if (before.length > 0) {
    await waitUntilGone(deps, waitSeconds)
    unreadable = await reseal(deps)
  }
  // One that came during the last pass may have sealed something behind it.
  const left = await nodesWithOtherKeys(deps)
  if (unreadable.length > 0) throw new ConfigError(`Neither key can decrypt these:\n${listed(unreadable)}`)
  if (left.length === 0) return 'Nothing uses the previous key any more: you can remove ENCRYPTION_KEY_PREVIOUS.'
  throw new ConfigError(
    `These nodes still use another key:\n${described(left)}\n` +
      'Keep ENCRYPTION_KEY_PREVIOUS. Restart these nodes with the new key as ENCRYPTION_KEY, then run this command again.',
  )
}

/** @returns where something stands that neither key opens */
async function reseal(deps: Deps): Promise<readonly string[]> {
  const { reencrypted, unreadable } = await reencryptAll(deps)
  console.log(`${reencrypted} secrets are now encrypted with the new key.`)
  return unreadable
}

/** @returns the nodes that are still there when the time is over */
async function waitUntilGone(deps: Deps, seconds: number): Promise<readonly Node[]> {
  const end = performance.now() + seconds * 1000
  let told = ''
  for (;;) {
    const nodes = await nodesWithOtherKeys(deps)
    if (nodes.length === 0 || performance.now() >= end) return nodes
    const waitingFor = described(nodes)
    if (waitingFor !== told) console.log(`Waiting for these nodes, which use another key:\n${waitingFor}`)
    told = waitingFor
    await sleep(LOOK_EVERY_MS)
  }
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}

function described(nodes: readonly Node[]): string {
  return listed(nodes.map(({ name, sealingKey }) => `${name} (key ${sealingKey})`))
}
