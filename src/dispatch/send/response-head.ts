/** The response is not valid HTTP. The message is for the receiver's author. */
export class InvalidResponse extends Error {
  override name = 'InvalidResponse'
}

export const HEADERS_TOO_LARGE = 'The response headers are larger than 64 kB'

const HEAD_END = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/
const CONTENT_LENGTH = /^content-length:[ \t]*(\d+)[ \t]*\r\n/gim

/**
 * Normalizes the heads of the responses on one connection, before the parser reads them. The parser is stricter than curl,
 * Go's net/http and Python's http.client. As these accept them, interim responses are dropped, and so are the length of a
 * 204, which has no body, and a repeated equal Content-Length. Everything else passes unchanged.
 */
export class ResponseHeads {
  readonly #max: number
  #prefetched: Buffer[] = []
  #size = 0
  #isBody = false

  /** @param max the greatest size of a head, in bytes */
  constructor(max: number) {
    this.#max = max
  }

  /** A request was written: the next byte begins a response. */
  begin(): void {
    this.#isBody = false
  }

  /**
   * @returns the bytes for the parser; null: the head is incomplete
   * @throws InvalidResponse
   */
  read(chunk: Buffer): Buffer | null {
    if (this.#isBody) return chunk
    this.#prefetched.push(chunk)
    this.#size += chunk.length
    let whole = this.#prefetched.length === 1 ? chunk : Buffer.concat(this.#prefetched)
    for (;;) {
      const end = whole.indexOf(HEAD_END)
      if (end === -1) return this.#wait(whole)
      const head = whole.toString('latin1', 0, end + 2)
      const status = Number(STATUS_LINE.exec(head)?.[1] ?? Number.NaN)
      if (status < 100)
        throw new InvalidResponse(`The response has the invalid status ${String(status).padStart(3, '0')}`)
      const rest = whole.subarray(end + HEAD_END.length)
      // 101 changes the protocol: the parser reports it as an error.
      if (status >= 200 || status === 101 || Number.isNaN(status))
        return this.#pass(normalize(head, status), rest, whole)
      whole = rest
      this.#prefetched = whole.length === 0 ? [] : [whole]
      this.#size = whole.length
      if (whole.length === 0) return null
    }
  }

  #wait(whole: Buffer): Buffer | null {
    if ('HTTP/'.startsWith(whole.toString('latin1', 0, 5))) {
      if (this.#size > this.#max) throw new InvalidResponse(HEADERS_TOO_LARGE)
      this.#prefetched = [whole]
      return null
    }
    this.#release()
    return whole
  }

  /** @param mended null: the head is unchanged */
  #pass(mended: string | null, rest: Buffer, whole: Buffer): Buffer {
    this.#release()
    return mended === null ? whole : Buffer.concat([Buffer.from(`${mended}\r\n`, 'latin1'), rest])
  }

  #release(): void {
    this.#isBody = true
    this.#prefetched = []
    this.#size = 0
  }
}

/** @returns the head without superfluous lengths; null: it has none. @throws InvalidResponse */
function normalize(head: string, status: number): string | null {
  const lengths = [...head.matchAll(CONTENT_LENGTH)].map(([, length]) => length)
  if (status === 204) return lengths.length === 0 ? null : head.replace(CONTENT_LENGTH, '')
  if (new Set(lengths).size > 1) throw new InvalidResponse('The response has two different Content-Length headers')
  if (lengths.length < 2) return null
  return head.replace(CONTENT_LENGTH, '').replace(/\r\n/, `\r\nContent-Length: ${lengths[0]}\r\n`)
}
