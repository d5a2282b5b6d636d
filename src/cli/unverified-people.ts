/** `npm run unverified-people`: lists whose address nobody has verified, and who may still have a password from before. */

import { listOlderPasswords, listUnverified } from '../domain/identity/verify-email.ts'
import { runCommand } from './command.ts'

await runCommand('', async (deps) => {
  const unverified = await listUnverified(deps)
  const older = await listOlderPasswords(deps)
  const lines = unverified.map(({ email, name, memberships, allWorkspacesKeys }) => {
    const keys = allWorkspacesKeys === 0 ? '' : `; keys of all workspaces: ${allWorkspacesKeys}`
    return `  ${email}  ${name}: ${memberships.join(', ') || 'in no workspace'}${keys}`
  })
  return [
    unverified.length === 0
      ? 'Every address is verified.'
      : `${unverified.length} ${unverified.length === 1 ? 'address is' : 'addresses are'} not verified:`,
    ...lines,
    ...(unverified.length === 0
      ? []
      : ['Send each a link from npm run sign-in-link. Using it ends what gave access before.']),
    ...(older.length === 0 ? [] : ['', 'Verified, but with a password from before that:']),
    ...older.map((email) => `  ${email}`),
    ...(older.length === 0 ? [] : ['Ask these to sign in by a link and to set a new password.']),
  ].join('\n')
})
