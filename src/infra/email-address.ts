import { domainToASCII } from 'node:url'
import { z } from 'zod'

const Ascii = z.email()
const HOST = /^[a-z0-9.\-\u0080-\u{10ffff}]+$/u
/** Letters, digits and signs of any script, as RFC 6531 allows them before the @. */
const INTERNATIONAL = /[^\p{ASCII}\p{C}\p{Z}]/gu

/**
 * Normalizes an email address: lower case, composed (NFC), and its domain in ASCII (IDNA), so that
 * `info@bücher.example` and `info@xn--bcher-kva.example` are equal.
 * @returns null for an invalid address
 */
export function normalizeEmail(given: string): string | null {
  const [, local = '', host = ''] = /^(.+)@([^@]+)$/u.exec(given.toLowerCase().normalize('NFC')) ?? []
  if (!HOST.test(host)) return null
  const domain = domainToASCII(host)
  // Zod checks the ASCII form, in which any other letter becomes an x, and an encoded top-level domain another one.
  const plain = `${local.replace(INTERNATIONAL, 'x')}@${domain.replace(/\.xn--[a-z0-9-]+$/, '.xn')}`
  return Ascii.safeParse(plain).success ? `${local}@${domain}` : null
}

/** The address of a user from typed text, which can also be a name such as owner@localhost. */
export function personalAddress(given: string): string {
  return normalizeEmail(given) ?? given.toLowerCase()
}
