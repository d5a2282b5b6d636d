import type { Mail } from '../../infra/mail.ts'

/** What stands in a subject: one line. */
const inOneLine = (text: string) => text.replace(/\s+/g, ' ').trim()

/** @param link for the invited person alone: it verifies their address */
export function invitationMail({ to, link, workspace }: { to: string; link: string; workspace: string }): Mail {
  const name = inOneLine(workspace)
  return {
    to,
    subject: `You are invited to "${name}" on GudDesk`,
    text: `You are invited to the workspace "${name}" on GudDesk. This link lets you join, once, within 7 days:

${link}

Whoever opens it joins with your address: do not pass it on. If you expect no invitation, ignore this mail.
`,
  }
}

/** @param link signs the person in, once */
export function signInMail({ to, link }: { to: string; link: string }): Mail {
  return {
    to,
    subject: 'Sign in to GudDesk',
    text: `This link signs you in to GudDesk, once, within 24 hours. You can set a new password then:

${link}

Whoever opens it is signed in as you: do not pass it on. If you did not ask for it, ignore this mail.
`,
  }
}
