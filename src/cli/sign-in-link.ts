/** `npm run sign-in-link -- EMAIL`: prints a link that signs a person in once. */
import { createPeople } from '../auth/people.ts'
import { sessionTokens } from '../auth/session-token.ts'
import { signInUrl } from '../http/pages/sign-in.ts'
import { ConfigError } from '../infra/config.ts'
import { personalAddress } from '../infra/email-address.ts'
import { runCommand } from './command.ts'

const email = personalAddress(process.argv[2]?.trim() ?? '')

await runCommand(
  'Usage: npm run sign-in-link -- EMAIL\nPrints a link that signs this person in once.',
  email !== ''
    ? async (deps, config) => {
        const token = await createPeople(deps, sessionTokens(config)).makeLink(email)
        if (token === null) throw new ConfigError(`No user has the address ${email}.`)
        const link = signInUrl(deps.publicUrl, token)
        return (
          `Sign-in link for ${email}, valid once and for 24 hours:\n  ${link}\n` +
          'Send it only to this address: using it verifies the address.'
        )
      }
    : null,
)
