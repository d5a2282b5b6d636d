/** `npm run unverified-people`: lists people with an unverified address, and people with a password older than their verification. */

import { listOlderPasswords, listUnverified } from '../domain/identity/verify-email.ts'
import { runCommand } from './command.ts'

await runCommand('', async (deps) => {
  const unverified = await listUnverified(deps)
  const older = await listOlderPasswords(deps)
  const lines = unverified.map(({ email, name, memberships, allWorkspacesKeys }) => {
    const keys = allWorkspacesKeys === 0 ? '' : `; all-workspaces keys: ${allWorkspacesKeys}`
    return `  ${email}  ${name}: ${memberships.join(', ') || 'no workspace'}${keys}`
  })
  return [
    unverified.length === 0
      ? 'Every address is verified.'
      : `${unverified.length} ${unverified.length === 1 ? 'address is' : 'addresses are'} not verified:`,
    ...lines,
    ...(unverified.length === 0
      ? []
      : [
          'Send each person a link from npm run sign-in-link. Using it ends their earlier passwords, sessions and API keys.',
        ]),
    ...(older.length === 0 ? [] : ['', 'Verified addresses with a password from before the verification:']),
    ...older.map((email) => `  ${email}`),
    ...(older.length === 0 ? [] : ['Ask these people to sign in with a link and to set a new password.']),
  ].join('\n')
})
