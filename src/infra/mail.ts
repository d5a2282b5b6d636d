import { createTransport } from 'nodemailer'
import type { Log } from './log.ts'

/** A mail of plain text. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

export interface Mailer {
  /** Hands a mail to the mail server. @throws Error when it does not take it within 20 seconds or so */
  send(mail: Mail): Promise<void>
  /**
   * Does work whose end nobody waits for, such as making and sending a mail that was asked for.
   * @param failure what the log says when it fails
   * @returns false when so much is waiting already that it is not done
   */
  later(failure: string, work: () => Promise<void>): boolean
  /** Waits for what is being sent, and for what was put off. */
  close(): Promise<void>
}

const CONNECT_MS = 5000
const IDLE_MS = 10_000
/** What is put off is kept in memory; a mail server that hangs must not fill it. */
const MAX_RUNNING = 200

export interface MailSettings {
  /** `smtp://user:password@host:587` or `smtps://…`. What its query says, such as `requireTLS=false`, goes above everything here. */
  readonly url: string
  /** Whom mails come from: an address, or `Name <address>`. */
  readonly from: string
  /** Whether nothing is sent without TLS. */
  readonly requireTls: boolean
}

/** One connection a mail: there are few, and none is kept that a server may have closed meanwhile. */
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
      // An object: a text would be taken apart at commas and brackets.
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
