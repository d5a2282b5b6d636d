import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The smallest PNG there is: one pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A real HTTP server that has pictures, and whatever else stands where a picture should. */
export interface PictureHost {
  readonly origin: string
  /** The paths that were asked for, in order. */
  readonly asked: string[]
  serve(path: string, answer: (response: ServerResponse) => void): string
  close(): Promise<void>
}

export async function startPictureHost(): Promise<PictureHost> {
  const answers = new Map<string, (response: ServerResponse) => void>()
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const answer = answers.get(url)
    if (answer === undefined) response.writeHead(404).end()
    else answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    asked,
    serve(path, answer) {
      answers.set(path, answer)
      return origin + path
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers with these bytes, under whatever type. */
export const sends =
  (bytes: Buffer | string, type = 'image/png') =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': type }).end(bytes)
  }
