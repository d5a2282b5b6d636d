import { expect, test } from 'vitest'
import type { Disk } from '../../../src/infra/database/db.ts'
import { repeatWriting } from '../../../src/infra/database/repeat-writing.ts'
import { createLog } from '../../../src/infra/log.ts'
import { timersUpTo, until } from '../../support/until.ts'

const EVERY_MS = 5
const readOnly = () => Object.assign(new Error('cannot execute DELETE in a read-only transaction'), { code: '25006' })

function setUp(work: (disk: { isFull: boolean }) => void) {
  const lines: string[] = []
  const disk: Disk & { isFull: boolean } = { isFull: false, watch: () => async () => undefined }
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line).msg) })
  let runs = 0
  const stop = repeatWriting({ db: { disk }, log }, EVERY_MS, 'it failed', async () => {
    runs += 1
    work(disk)
  })
  return { disk, lines, runs: () => runs, stop }
}

test('work that writes pauses while the disk is full, and says nothing', async () => {
  const { disk, lines, runs, stop } = setUp(() => undefined)
  await until(() => runs() > 1)
  disk.isFull = true
  const before = runs()
  await timersUpTo(4 * EVERY_MS)
  expect(runs()).toBe(before)
  disk.isFull = false
  await until(() => runs() > before)
  await stop()
  expect(lines).toEqual([])
})

test('so does work in which the disk becomes full', async () => {
  const { lines, runs, stop } = setUp((disk) => {
    disk.isFull = true
    throw readOnly()
  })
  await until(() => runs() > 0)
  await timersUpTo(4 * EVERY_MS)
  await stop()
  expect([runs(), lines]).toEqual([1, []])
})

test('other faults are logged, on a full disk as well', async () => {
  const { lines, stop } = setUp((disk) => {
    disk.isFull = true
    throw new Error('something else')
  })
  await until(() => lines.length > 0)
  await stop()
  expect(lines).toEqual(['it failed'])
})

test('a database that is read-only for another reason is told each time', async () => {
  const { lines, stop } = setUp(() => {
    throw readOnly()
  })
  await until(() => lines.length > 1)
  await stop()
  expect(new Set(lines)).toEqual(new Set(['it failed']))
})
