/** `npm run api-key -- EMAIL [SLUG]`: creates a FULL_ACCESS key for a member and prints it. */

import { makeOperatorKey } from '../domain/credentials/operator-keys.ts'
import { personalAddress } from '../infra/email-address.ts'
import { runCommand } from './command.ts'

const email = personalAddress(process.argv[2]?.trim() ?? '')
const slug = process.argv[3]?.trim()

await runCommand(
  'Usage: npm run api-key -- EMAIL [WORKSPACE_SLUG]\nCreates an API key for a member. Pass the slug if they are in several workspaces.',
  email
    ? async (deps) => {
        const { key, workspace, role } = await makeOperatorKey(deps, { email, slug })
        return (
          `API key of ${email} (FULL_ACCESS, limited by the role ${role}) in "${workspace}", shown only once:\n  ${key}\n` +
          `Try it:\n  curl -H "Authorization: Bearer ${key}" ${deps.publicUrl}/api/v1/conversations`
        )
      }
    : null,
)
