/** Steps at which tests end the process, as a power failure would. */
export type FaultPoint = 'fetch' | 'before-send' | 'after-send' | 'record' | 'after-record'

/**
 * `GUDDESK_FAULT=after-send:3` ends this process the third time it comes to that step, without any farewell. Tests only:
 * in production the variable means nothing.
 */
const [armed, times = '1'] =
  process.env['NODE_ENV'] === 'production' ? [] : (process.env['GUDDESK_FAULT'] ?? '').split(':')
let left = Number(times)

export function faultPoint(point: FaultPoint): void {
  if (point === armed && --left === 0) process.kill(process.pid, 'SIGKILL')
}
