import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { until } from '../until.ts'

/** A mail that arrived. */
export interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  /** Its text, decoded. */
  readonly text: string
}

/** A real mail server, which keeps what it gets. */
export interface MailServer {
  readonly url: string
  readonly received: Received[]
  /** Whether it takes mails; otherwise it refuses their recipients. */
  isWilling: boolean
  /** The n-th mail to an address, counted from 1. */
  mailTo(address: string, n?: number): Promise<Received>
  close(): Promise<void>
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const self = { received: [] as Received[], isWilling: true }
  const server = new SMTPServer({
    authOptional: true,
    // It speaks no TLS, as servers on the same machine often do not.
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo(_address, _session, done) {
      done(self.isWilling ? null : new Error('No such mailbox'))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom === false ? '' : mailFrom.address
        self.received.push({
          from,
          to: rcptTo.map(({ address }) => address),
          ...parts(Buffer.concat(chunks).toString()),
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.server.address() as AddressInfo
  return Object.assign(self, {
    url: `smtp://127.0.0.1:${port}`,
    async mailTo(address: string, n = 1) {
      const ofThem = () => self.received.filter(({ to }) => to.includes(address))
      await until(
        () => ofThem().length >= n,
        5000,
        () => `mail ${n} to ${address}`,
      )
      const mail = ofThem()[n - 1]
      if (mail === undefined) throw new Error(`There is no mail ${n} to ${address}`)
      return mail
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  })
}

function parts(raw: string): Pick<Received, 'subject' | 'text'> {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  const isQuoted = /^content-transfer-encoding: quoted-printable/im.test(head)
  const subject = /^subject: (.*(?:\r\n[ \t].*)*)/im.exec(head)?.[1]?.replace(/\r\n[ \t]/g, ' ') ?? ''
  return { subject: decodedWords(subject), text: isQuoted ? unquoted(body) : body }
}

/** Words in RFC 2047's quoted encoding, which adjoin without the space between them. */
const decodedWords = (text: string) =>
  text
    .replace(/\?= +=\?/g, '?==?')
    .replace(/=\?UTF-8\?Q\?([^?]*)\?=/gi, (_all, word: string) => unquoted(word.replaceAll('_', ' ')))

const unquoted = (text: string) =>
  text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
