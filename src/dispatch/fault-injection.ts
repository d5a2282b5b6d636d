/** Steps at which tests end the process, like a power failure. */
export type FaultPoint = 'fetch' | 'before-send' | 'after-send' | 'record' | 'after-record'

/**
 * `GUDDESK_FAULT=after-send:3` ends this process at its third such step, without any cleanup. Only for tests:
 * production ignores the variable.
 */
const [armed, times = '1'] =
  process.env['NODE_ENV'] === 'production' ? [] : (process.env['GUDDESK_FAULT'] ?? '').split(':')
let left = Number(times)

export function faultPoint(point: FaultPoint): void {
  if (point === armed && --left === 0) process.kill(process.pid, 'SIGKILL')
}
