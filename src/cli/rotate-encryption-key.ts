/**
 * `npm run rotate-encryption-key`: re-encrypts all secrets with ENCRYPTION_KEY, until no node encrypts with another
 * key. See docs/configuration.md.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Node, nodesWithOtherKeys } from '../domain/maintenance/nodes.ts'
import { reencryptAll } from '../domain/maintenance/reencrypt.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { ConfigError } from '../infra/config.ts'
import { runCommand } from './command.ts'

const WAIT_S = 600
const POLL_MS = 1000

const waitSeconds = readWait(process.argv.slice(2))

await runCommand(
  'Usage: npm run rotate-encryption-key [-- --wait SECONDS]\nRe-encrypts all secrets. Waits for nodes with another key, 600 seconds by default.',
  waitSeconds === null
    ? null
    : async (deps, config) => {
        if (config.encryptionKey === undefined || config.previousEncryptionKey === undefined) {
          throw new ConfigError('Set ENCRYPTION_KEY to the new key, and ENCRYPTION_KEY_PREVIOUS to the previous key.')
        }
        return rotate(deps, waitSeconds)
      },
)

/** @returns seconds; null: invalid arguments */
function readWait([option, seconds = '', ...more]: readonly string[]): number | null {
  if (option === undefined) return WAIT_S
  return option === '--wait' && /^\d{1,6}$/.test(seconds) && more.length === 0 ? Number(seconds) : null
}

async function rotate(deps: Deps, waitSeconds: number): Promise<string> {
  // Nodes are listed before each pass: the pass then finds everything that a node encrypted before it stopped.
  const before = await nodesWithOtherKeys(deps)
  let unreadable = await reencrypt(deps)
  if (before.length > 0) {
    await waitUntilGone(deps, waitSeconds)
    unreadable = await reencrypt(deps)
  }
  // A node that started during the last pass may have encrypted a row that the pass had already visited.
  const left = await nodesWithOtherKeys(deps)
  if (unreadable.length > 0)
    throw new ConfigError(`These secrets cannot be decrypted with either key:\n${listed(unreadable)}`)
  if (left.length === 0) return 'The previous key is no longer used: you can remove ENCRYPTION_KEY_PREVIOUS.'
  throw new ConfigError(
    `These nodes still use another key:\n${described(left)}\n` +
      'Keep ENCRYPTION_KEY_PREVIOUS. Restart these nodes with the new key as ENCRYPTION_KEY, then run this command again.',
  )
}

/** @returns the columns and rows that neither key decrypts */
async function reencrypt(deps: Deps): Promise<readonly string[]> {
  const { reencrypted, unreadable } = await reencryptAll(deps)
  console.log(`${reencrypted} ${reencrypted === 1 ? 'secret' : 'secrets'} re-encrypted with the new key.`)
  return unreadable
}

/** @returns the nodes that still use another key when the time is over */
async function waitUntilGone(deps: Deps, seconds: number): Promise<readonly Node[]> {
  const end = performance.now() + seconds * 1000
  let printed = ''
  for (;;) {
    const nodes = await nodesWithOtherKeys(deps)
    if (nodes.length === 0 || performance.now() >= end) return nodes
    const waitingFor = described(nodes)
    if (waitingFor !== printed) console.log(`Waiting for these nodes, which use another key:\n${waitingFor}`)
    printed = waitingFor
    await sleep(POLL_MS)
  }
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}

function described(nodes: readonly Node[]): string {
  return listed(nodes.map(({ name, sealingKey }) => `${name} (key ${sealingKey})`))
}
