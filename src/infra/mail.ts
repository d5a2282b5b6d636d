import { createTransport } from 'nodemailer'
import type { Log } from './log.ts'

/** A plain text mail. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

export interface Mailer {
  /** Passes a mail to the mail server. @throws Error when the server does not accept it within about 20 seconds */
  send(mail: Mail): Promise<void>
  /**
   * Runs work in the background, such as creating and sending a mail.
   * @param failure the log message of a failure
   * @returns false when too much is waiting, and the work is not done
   */
  later(failure: string, work: () => Promise<void>): boolean
  /** Waits for running work. */
  close(): Promise<void>
}

const CONNECT_MS = 5000
const IDLE_MS = 10_000
/** Background work is kept in memory, so it is limited if the mail server hangs. */
const MAX_RUNNING = 200

export interface MailSettings {
  /**
   * `smtp://user:password@host:587` or `smtps://…`. Its query, such as `requireTLS=false`, overrides the settings here.
   */
  readonly url: string
  /** The sender of mails: an address, or `Name <address>`. */
  readonly from: string
  /** Whether TLS is required. */
  readonly requireTls: boolean
}

/** One connection per mail: mails are rare, and the server may have closed an idle connection. */
export function openMailer({ url, from, requireTls }: MailSettings, log: Log): Mailer {
  const transport = createTransport({
    url,
    requireTLS: requireTls,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: IDLE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const running = new Set<Promise<unknown>>()
  async function track<T>(work: Promise<T>): Promise<T> {
    running.add(work)
    try {
      return await work
    } finally {
      running.delete(work)
    }
  }
  return {
    async send({ to, subject, text }) {
      // An object, because a text would be split at commas and brackets.
      await track(transport.sendMail({ from, to: { name: '', address: to }, subject, text }))
    },
    later(failure, work) {
      if (running.size >= MAX_RUNNING) return false
      track(work()).catch((error: unknown) => log.error({ err: error }, failure))
      return true
    },
    async close() {
      await Promise.allSettled(running)
      transport.close()
    },
  }
}
