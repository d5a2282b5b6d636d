import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/** Structured log lines on standard output, or elsewhere. Credentials never reach it: the paths below are a second wall. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['req.headers.authorization', 'req.headers["x-api-key"]', '*.secret', '*.apiKey', '*.sealedSecret'],
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}
