/** `npm run api-key -- EMAIL [SLUG]`: makes a FULL_ACCESS key of a member and prints it, for a deployment's first program. */

import { makeOperatorKey } from '../domain/credentials/operator-keys.ts'
import { personalAddress } from '../infra/email-address.ts'
import { runCommand } from './command.ts'

const email = personalAddress(process.argv[2]?.trim() ?? '')
const slug = process.argv[3]?.trim()

await runCommand(
  "Say whose key: npm run api-key -- ann@example.com, with the workspace's slug behind it when they are in several",
  email
    ? async (deps) => {
        const { key, workspace, role } = await makeOperatorKey(deps, { email, slug })
        return (
          `A key of ${email} (${role}) with FULL_ACCESS in "${workspace}", shown only once:\n  ${key}\n` +
          `Try it:\n  curl -H "Authorization: Bearer ${key}" ${deps.publicUrl}/api/v1/conversations`
        )
      }
    : null,
)
