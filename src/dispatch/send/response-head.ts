/** An answer that no HTTP client would take, in words for the receiver's author. */
export class InvalidResponse extends Error {
  override name = 'InvalidAnswer'
}

const HEAD_END = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/
const CONTENT_LENGTH = /^content-length:[ \t]*(\d+)[ \t]*\r\n/gim

/**
 * The bytes of one connection on their way to the parser, which is stricter than curl, Go's net/http and Python's http.client. What
 * these take is mended here, in the head of each answer: interim answers that nobody asked for are left out, the length
 * of a 204, which has no body, and one that is stated twice alike. Everything else passes as it is.
 */
export class ResponseHeads {
  readonly #max: number
  #prefetched: Buffer[] = []
  #size = 0
  #isBody = false

  /** @param max bytes that a head may have */
  constructor(max: number) {
    this.#max = max
  }

  /** A request was written: what comes next begins an answer. */
  begin(): void {
    this.#isBody = false
  }

  /**
   * @returns what the parser gets; null: nothing before more has come
   * @throws InvalidAnswer
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
        throw new InvalidResponse(
          `The answer has the status ${String(status).padStart(3, '0')}, which HTTP does not know`,
        )
      const rest = whole.subarray(end + HEAD_END.length)
      // 101 changes the protocol: the parser says what is wrong with that.
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
      if (this.#size > this.#max) throw new InvalidResponse('The answer has too many headers')
      this.#prefetched = [whole]
      return null
    }
    this.#release()
    return whole
  }

  /** @param mended null: as it came */
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

/** A head without what is one too many; null when there is nothing of the kind. @throws InvalidAnswer */
function normalize(head: string, status: number): string | null {
  const lengths = [...head.matchAll(CONTENT_LENGTH)].map(([, length]) => length)
  if (status === 204) return lengths.length === 0 ? null : head.replace(CONTENT_LENGTH, '')
  if (new Set(lengths).size > 1) throw new InvalidResponse('The answer states two different lengths')
  if (lengths.length < 2) return null
  return head.replace(CONTENT_LENGTH, '').replace(/\r\n/, `\r\nContent-Length: ${lengths[0]}\r\n`)
}
