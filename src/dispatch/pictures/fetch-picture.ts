import { Client } from 'undici'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import { assertUrlAllowed, guardedConnector } from '../send/ssrf-guard.ts'

/** Connect, headers and body together. */
const DEADLINE_MS = 5000
const MAX_HEADER_BYTES = 8192
export const MAX_PICTURE_BYTES = 1_048_576

/** The response is not a supported picture. The message names the rule. */
export class UnusablePicture extends Error {
  override name = 'UnusablePicture'
}

/** Raster formats only: SVG can contain scripts and load other resources. */
export type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

/**
 * Fetches a picture like a webhook: through the SSRF guard, without redirects. The first bytes decide its type, not the
 * Content-Type header.
 * @throws UnusablePicture, RefusedTarget, or the error that ended the request
 */
export async function fetchPicture(
  url: string,
  policy: TargetPolicy,
  stopping: AbortSignal,
): Promise<{ type: PictureType; bytes: Buffer }> {
  const target = new URL(url)
  assertUrlAllowed(target, policy)
  const client = new Client(target.origin, {
    connect: guardedConnector(policy, {
      timeoutMs: DEADLINE_MS,
      maxResponseBytes: MAX_HEADER_BYTES + 2 * MAX_PICTURE_BYTES,
    }),
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  try {
    const { statusCode, body } = await client.request({
      method: 'GET',
      path: target.pathname + target.search,
      headers: { accept: 'image/png, image/jpeg, image/gif, image/webp', 'user-agent': 'GudDesk' },
      signal: AbortSignal.any([stopping, AbortSignal.timeout(DEADLINE_MS)]),
    })
    // When the client is destroyed before the body was read, the body emits an error that does not matter.
    body.on('error', () => undefined)
    if (statusCode !== 200)
      throw new UnusablePicture(`The server responded with ${statusCode} instead of 200; redirects are not followed`)
    const bytes = await readAll(body)
    const type = pictureType(bytes)
    if (type === null) throw new UnusablePicture('The response is not a PNG, JPEG, GIF or WebP picture')
    return { type, bytes }
  } finally {
    await client.destroy()
  }
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > MAX_PICTURE_BYTES) throw new UnusablePicture('The picture is larger than 1 MB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @returns the type by its magic bytes; null: not a supported picture */
export function pictureType(bytes: Buffer): PictureType | null {
  const start = bytes.toString('latin1', 0, 12)
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(start)) return 'image/gif'
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? 'image/webp' : null
}
