import type { Mail } from '../../infra/mail.ts'

/** A subject of one line. */
const inOneLine = (text: string) => text.replace(/\s+/g, ' ').trim()

/** @param link only for the invited person: it verifies their address */
export function invitationMail({ to, link, workspace }: { to: string; link: string; workspace: string }): Mail {
  const name = inOneLine(workspace)
  return {
    to,
    subject: `You are invited to "${name}" on GudDesk`,
    text: `You are invited to the workspace "${name}" on GudDesk. Use this link to join. It works once, within 7 days:

${link}

Do not share this link: anyone who has it can join with your address. If you did not expect an invitation, ignore this email.
`,
  }
}

/** @param link signs the person in, once */
export function signInMail({ to, link }: { to: string; link: string }): Mail {
  return {
    to,
    subject: 'Sign in to GudDesk',
    text: `Use this link to sign in to GudDesk. It works once, within 24 hours. You can then set a new password:

${link}

Do not share this link: anyone who has it can sign in as you. If you did not request it, ignore this email.
`,
  }
}
