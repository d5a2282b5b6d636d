/** `npm run sign-in-link -- EMAIL`: prints a link that signs a person in once, for whoever cannot get in otherwise. */
import { createPeople } from '../auth/people.ts'
import { sessionTokens } from '../auth/session-token.ts'
import { signInUrl } from '../http/pages/sign-in.ts'
import { ConfigError } from '../infra/config.ts'
import { personalAddress } from '../infra/email-address.ts'
import { runCommand } from './command.ts'

const email = personalAddress(process.argv[2]?.trim() ?? '')

await runCommand(
  'Pass an email address: npm run sign-in-link -- ann@example.com',
  email !== ''
    ? async (deps, config) => {
        const token = await createPeople(deps, sessionTokens(config)).makeLink(email)
        if (token === null) throw new ConfigError(`No user has the address ${email}.`)
        const link = signInUrl(deps.publicUrl, token)
        return (
          `Sign in as ${email} with this link, once, within 24 hours:\n  ${link}\n` +
          'Send it to that address and to nobody else: whoever uses it counts as its owner.'
        )
      }
    : null,
)
