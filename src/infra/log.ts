import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/**
 * Structured log lines on standard output, or in another stream. Credentials are never logged; the redacted paths below
 * are a second defence.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['req.headers.authorization', 'req.headers["x-api-key"]', '*.secret', '*.apiKey', '*.sealedSecret'],
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}
