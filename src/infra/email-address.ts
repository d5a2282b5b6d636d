import { domainToASCII } from 'node:url'
import { z } from 'zod'

const Ascii = z.email()
const HOST = /^[a-z0-9.\-\u0080-\u{10ffff}]+$/u
/** Letters, digits and signs of any script, as RFC 6531 allows them before the @. */
const INTERNATIONAL = /[^\p{ASCII}\p{C}\p{Z}]/gu

/**
 * An email address in the one form in which it is kept and compared: lower case, composed (NFC), and its domain in ASCII
 * (IDNA), so that `info@bücher.example` and `info@xn--bcher-kva.example` are the same.
 * @returns null when it is no address
 */
export function normalizeEmail(given: string): string | null {
  const [, local = '', host = ''] = /^(.+)@([^@]+)$/u.exec(given.toLowerCase().normalize('NFC')) ?? []
  if (!HOST.test(host)) return null
  const domain = domainToASCII(host)
  // Zod judges what is ASCII. To it, any other letter is as good as an x, and an encoded top-level domain as another one.
  const plain = `${local.replace(INTERNATIONAL, 'x')}@${domain.replace(/\.xn--[a-z0-9-]+$/, '.xn')}`
  return Ascii.safeParse(plain).success ? `${local}@${domain}` : null
}

/** What somebody typed for an address of a person here, which may also be a name such as owner@localhost. */
export function personalAddress(given: string): string {
  return normalizeEmail(given) ?? given.toLowerCase()
}
